"""Key tones as a receiver would decode them."""

from math import cos, pi

import pytest

from floyd.mulaw import FRAME_SAMPLES, SAMPLE_RATE, decode
from relay.core.dtmf import HIGH_HZ, LOW_HZ, PAD, PAUSE_MS, TONE_MS, render, tone


def power(samples: list[int], hz: int) -> float:
    """Goertzel's algorithm: the power at one frequency."""
    coefficient = 2 * cos(2 * pi * hz / SAMPLE_RATE)
    before, last = 0.0, 0.0
    for sample in samples:
        before, last = last, sample + coefficient * last - before
    return last * last + before * before - coefficient * last * before


@pytest.mark.parametrize("digit", "".join(PAD))
def test_each_key_is_its_two_frequencies(digit: str) -> None:
    """If this fails menus understand another key, or none."""
    pcm = memoryview(decode(tone(digit))).cast("h")
    samples = list(pcm[: SAMPLE_RATE * TONE_MS // 1000])
    low = max(LOW_HZ, key=lambda hz: power(samples, hz))
    high = max(HIGH_HZ, key=lambda hz: power(samples, hz))
    assert PAD[LOW_HZ.index(low)][HIGH_HZ.index(high)] == digit
    assert set(pcm[len(samples) :]) == {0}, "then a pause"


def test_timing() -> None:
    """If this fails receivers run keys into one another, or frames are cut."""
    assert TONE_MS >= 80
    assert PAUSE_MS >= 80
    assert len(render("12#")) == 3 * (TONE_MS + PAUSE_MS) * SAMPLE_RATE // 1000
    assert len(render("1")) % FRAME_SAMPLES == 0


def test_no_such_key() -> None:
    """If this fails nonsense becomes silence on the line."""
    with pytest.raises(ValueError, match="digit"):
        tone("x")
