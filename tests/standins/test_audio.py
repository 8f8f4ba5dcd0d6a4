"""Telephone sound: the mu-law tables, levels, and changes of rate."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standins.audio import (
    QUIETEST_DB,
    SAMPLE_RATE,
    SILENCE,
    Halver,
    decode_mulaw,
    encode_mulaw,
    is_loud,
    loudness_db,
)


def sine(
    hz: float, seconds: float, rate: int = SAMPLE_RATE, amplitude: float = 8000
) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    t = np.arange(int(seconds * rate)) / rate
    return np.rint(amplitude * np.sin(2 * np.pi * hz * t)).astype(np.int16)


def test_every_byte_decodes_as_g711_says() -> None:
    """If this fails, every voice in the stack is distorted."""
    codes = bytes([0x00, 0x0F, 0x10, 0x7F, 0x80, 0x8F, 0xBE, 0xF0, 0xFE, 0xFF])
    assert decode_mulaw(codes).tolist() == [-32124, -16764, -15996, 0, 32124, 16764, 2108, 120, 8, 0]


def test_every_sample_encodes_to_its_nearest_step() -> None:
    """If this fails, sound loses quality that the telephone would have kept."""
    samples = np.arange(-32768, 32768).astype(np.int16)
    error = np.abs(decode_mulaw(encode_mulaw(samples)).astype(int) - samples)
    # The widest steps are 1024 apart; beyond the clip the last step is all there is.
    assert error[np.abs(samples.astype(int)) <= 32635].max() <= 512
    assert encode_mulaw(np.zeros(3, np.int16)) == SILENCE * 3


def test_loudness_is_in_decibels_of_full_scale() -> None:
    """If this fails, level checks in tests and personas are off."""
    assert loudness_db(b"") == loudness_db(SILENCE * 160) == QUIETEST_DB
    assert loudness_db(encode_mulaw(sine(500, 1, amplitude=32000))) == pytest.approx(-3.2, abs=0.2)
    assert [is_loud(encode_mulaw(sine(500, 0.02, amplitude=level))) for level in (130, 520)] == [False, True]


def test_halving_keeps_what_fits_and_drops_what_does_not() -> None:
    """If this fails, a voice made at 16 kHz arrives with tones that were never spoken."""
    kept = Halver().feed(sine(1000, 0.5, 16000))
    dropped = Halver().feed(sine(5000, 0.5, 16000))
    assert len(kept) == SAMPLE_RATE // 2
    assert loudness_db(encode_mulaw(kept)) - loudness_db(encode_mulaw(dropped)) > 35


@given(st.lists(st.integers(0, 700), min_size=1, max_size=8))
def test_halving_in_chunks_has_no_seam(sizes: list[int]) -> None:
    """If this fails, dictation in small chunks clicks, and words are misheard."""
    whole = sine(700, sum(sizes) / 16000, 16000)
    cuts = list(itertools.accumulate(sizes, initial=0))
    halver = Halver()
    chunks = [halver.feed(whole[start:end]) for start, end in itertools.pairwise(cuts)]
    assert np.concatenate(chunks).tolist() == Halver().feed(whole).tolist()
