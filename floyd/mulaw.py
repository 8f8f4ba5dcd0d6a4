"""Mu-law (ITU-T G.711, PCMU) at 8 kHz, both ways, exact and without dependencies.

A code holds sign, a 3-bit segment and a 4-bit step, all bits inverted. A magnitude plus 132 (the bias, 0x84) falls
into segment s, step m when it lies in [(16 + m) << (s + 3), (17 + m) << (s + 3)).
"""

from array import array
from sys import byteorder

SAMPLE_RATE = 8000
FRAME_SAMPLES = 160
FRAME_MS = 20
"""One frame of the media stream: 160 bytes of mu-law are 20 ms."""
SILENCE = b"\xff"
SILENT_FRAME = SILENCE * FRAME_SAMPLES

_BIAS = 0x84
_HALF_RANGE = 32768


def _linear(code: int) -> int:
    inverted = ~code & 0xFF
    segment, step = inverted >> 4 & 0x07, inverted & 0x0F
    magnitude = (((step << 3) + _BIAS) << segment) - _BIAS
    return -magnitude if inverted & 0x80 else magnitude


def _encoding_table() -> bytes:
    """The code of every 16-bit sample, indexed by the sample as an unsigned number (0..32767, -32768..-1)."""
    positive = bytearray()
    for segment in range(8):
        for step in range(16):
            first = segment == 0 and step == 0
            width = 4 if first else 1 << (segment + 3)  # the bias lies in the middle of the first step
            positive += bytes([~(segment << 4 | step) & 0xFF]) * width
    positive += positive[-1:] * (_HALF_RANGE - len(positive))  # beyond 32635 there is only the loudest code
    # Negative samples are rounded down to 14 bits first, as in the ITU's reference code: -1 to -4 share a code.
    magnitudes_of_negatives = positive[4:] + positive[-1:] * 4
    return bytes(positive) + bytes(code & 0x7F for code in reversed(magnitudes_of_negatives))


LINEAR: tuple[int, ...] = tuple(_linear(code) for code in range(256))
"""The 16-bit sample of each code."""
LOUDNESS = bytes(~code & 0x7F for code in range(256))
"""Each code's segment and step as one number, 0 (silence) to 127: linear for the faintest sounds, then logarithmic
with 16 steps to 6 dB. Good for judging loudness: `frame.translate(LOUDNESS)`."""

_ENCODED = _encoding_table()
_LOW_BYTES = bytes(sample & 0xFF for sample in LINEAR)
_HIGH_BYTES = bytes(sample >> 8 & 0xFF for sample in LINEAR)


def decode(mulaw: bytes) -> bytes:
    """Mu-law to PCM (16-bit signed little-endian)."""
    pcm = bytearray(2 * len(mulaw))
    pcm[0::2] = mulaw.translate(_LOW_BYTES)
    pcm[1::2] = mulaw.translate(_HIGH_BYTES)
    return bytes(pcm)


def encode(pcm: bytes) -> bytes:
    """PCM (16-bit signed little-endian) to mu-law; ValueError on half a sample."""
    samples = array("H")
    samples.frombytes(pcm)
    if byteorder == "big":
        samples.byteswap()
    return bytes(map(_ENCODED.__getitem__, samples))


def encode_samples(samples: list[int]) -> bytes:
    """Linear samples, clipped to 16 bits, to mu-law."""
    return bytes(_ENCODED[max(-_HALF_RANGE, min(_HALF_RANGE - 1, sample)) & 0xFFFF] for sample in samples)
