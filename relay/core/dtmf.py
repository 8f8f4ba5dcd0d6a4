"""Keypad tones as mu-law audio (ITU-T Q.23 frequencies, Q.24 timing)."""

from functools import cache
from math import pi, sin

from floyd.mulaw import SAMPLE_RATE, SILENCE, encode_samples

LOW_HZ = (697, 770, 852, 941)
HIGH_HZ = (1209, 1336, 1477, 1633)
PAD = ("123A", "456B", "789C", "*0#D")  # rows by the low frequency, columns by the high one
_KEYS = "".join(PAD)
TONE_MS = 100
PAUSE_MS = 100
"""Receivers must accept 40 ms (Q.24); menus behind lossy codecs are happier with 80 and more. Whole frames, too."""
_LOW_AMPLITUDE = 10_300
_HIGH_AMPLITUDE = 13_000
"""Of 32,768: -10 and -8 dB below full scale. Q.23 lets the high tone be louder, since lines damp it more."""


@cache
def tone(digit: str) -> bytes:
    """One key: its tone, then its pause; ValueError when there is no such key."""
    if len(digit) != 1 or digit not in _KEYS:
        raise ValueError(f"digit: expected one of 0-9 * # A-D, got {digit!r}")
    row, column = divmod(_KEYS.index(digit), len(HIGH_HZ))
    low, high = LOW_HZ[row], HIGH_HZ[column]
    steps = (2 * pi * n / SAMPLE_RATE for n in range(SAMPLE_RATE * TONE_MS // 1000))
    samples = [round(_LOW_AMPLITUDE * sin(low * t) + _HIGH_AMPLITUDE * sin(high * t)) for t in steps]
    return encode_samples(samples) + SILENCE * (SAMPLE_RATE * PAUSE_MS // 1000)


def render(digits: str) -> bytes:
    """All keys in a row, 200 ms each, as whole frames of mu-law."""
    return b"".join(map(tone, digits))
