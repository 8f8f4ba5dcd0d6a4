"""Whether sound is the whole of a text."""

import pytest

from floyd.spoken_length import is_whole, longest_s

TEXT = "Your table is booked for half past seven, for two people."
QUIET, VOICE = b"\xff" * 160, b"\x90" * 160


@pytest.mark.parametrize(
    ("seconds", "tail", "whole"),
    [
        (3.5, QUIET, True),
        (3.5, VOICE, True),
        (2.3, QUIET, True),
        (2.3, VOICE, False),
        (1.5, QUIET, False),
        (0, b"", False),
    ],
)
def test_what_ends_too_soon_or_in_mid_word_is_cut(seconds: float, tail: bytes, whole: bool) -> None:
    """If this fails half a sentence counts as said, or a voice in a hurry is never believed."""
    assert is_whole(TEXT, seconds, tail) is whole


@pytest.mark.parametrize(
    ("text", "spoken_s"),
    [("Ok.", 0.7), ("312-555-0142", 3.4), ("$560, please.", 2.5), ("\u20ac5", 1.0), ("That is A, as in alpha.", 3.0)],
)
def test_slow_voices_and_numbers_fit(text: str, spoken_s: float) -> None:
    """If this fails a phone number read out digit by digit is taken for something else."""
    assert is_whole(text, spoken_s, QUIET)
    assert spoken_s < longest_s(text)
    assert longest_s(text) < 6.5 + len(text)
