"""Voices: the code always, flite when it is there."""

import pytest

from standins import speaker, tones
from standins.audio import FRAME, loudness_db

needs_flite = pytest.mark.skipif(
    "rms" not in speaker.available(), reason="NOT TESTED: real voices need the program flite, which is not installed"
)


def test_the_code_is_always_a_voice() -> None:
    """If this fails, nothing can be spoken on a machine without flite."""
    assert speaker.available()[-1] == speaker.TONES
    assert tones.decode(speaker.render("Hello there.")) == "hello there"


def test_an_unknown_voice_is_refused_with_the_known_ones() -> None:
    """If this fails, a misspelt voice speaks with another one."""
    with pytest.raises(ValueError, match="tones"):
        speaker.render("hello", "nobody")


@needs_flite
@pytest.mark.parametrize("voice", speaker.FLITE_VOICES)
def test_real_voices_come_at_telephone_level_in_whole_frames(voice: str) -> None:
    """If this fails, a persona is too quiet to be heard, or clipped, or leaves half a frame."""
    sound = speaker.render("The total comes to $560, is that all right?", voice)
    assert len(sound) % FRAME == 0
    assert -25 < loudness_db(sound) < -17
    assert tones.decode(sound) == ""
    assert speaker.render("  \n ", voice) == b""
