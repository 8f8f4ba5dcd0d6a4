"""Telephone sound: G.711 mu-law to and from linear samples, level, and change of sampling rate."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]
"""Linear samples, one channel."""

SAMPLE_RATE = 8000
"""Samples a second on a telephone line; one mu-law byte each."""

FRAME = 160
"""Bytes of mu-law in 20 ms, the unit in which phone networks move sound."""

SILENCE = b"\xff"
"""The mu-law byte for a sample of zero."""

QUIETEST_DB = -96.0
"""What `loudness_db` says of digital silence: one step of 16 bits below full scale."""

BIAS = 132
"""Added before taking the logarithm (ITU-T G.711: 33 on the 14-bit scale, so 132 on 16 bits)."""

CLIP = 32635
"""The largest magnitude that still fits after `BIAS` is added."""


def _decoding_table() -> Pcm:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + BIAS) << ((code >> 4) & 0x07)) - BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encoding_table() -> npt.NDArray[np.uint8]:
    """The byte for each sample, indexed by the sample's own 16 bits read as unsigned."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    biased = np.minimum(np.abs(sample), CLIP) + BIAS
    exponent = np.floor(np.log2(biased)).astype(np.int32) - 7
    mantissa = (biased >> (exponent + 3)) & 0x0F
    sign = np.where(sample < 0, 0x80, 0)
    encoded: npt.NDArray[np.uint8] = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return encoded


_DECODED = _decoding_table()
_ENCODED = _encoding_table()
POWER: npt.NDArray[np.float32] = _DECODED.astype(np.float32) ** 2
"""The square of the sample that each mu-law byte stands for: loudness without decoding."""


def encode_mulaw(pcm: Pcm) -> bytes:
    """Mu-law bytes, one for each sample."""
    return _ENCODED[pcm.view(np.uint16)].tobytes()


def decode_mulaw(mulaw: bytes) -> Pcm:
    """Samples, one for each mu-law byte."""
    return _DECODED[np.frombuffer(mulaw, np.uint8)]


def loudness_db(mulaw: bytes) -> float:
    """Root mean square level in decibels of full scale (32768); `QUIETEST_DB` for silence or nothing."""
    if not mulaw:
        return QUIETEST_DB
    mean = float(POWER[np.frombuffer(mulaw, np.uint8)].mean())
    return max(QUIETEST_DB, 10 * float(np.log10(mean / 32768.0**2))) if mean else QUIETEST_DB


def resample(pcm: Pcm, rate_in: int, rate_out: int) -> Pcm:
    """The same sound at another sampling rate, band-limited to the lower of the two. For whole sounds, not chunks."""
    if rate_in == rate_out or not len(pcm):
        return pcm
    divisor = int(np.gcd(rate_in, rate_out))
    up, down = rate_out // divisor, rate_in // divisor
    taps = _low_pass(up, down)
    stuffed = np.zeros(len(pcm) * up, np.float32)
    stuffed[::up] = pcm
    filtered = np.convolve(stuffed, taps, "same")[::down]
    return np.clip(np.rint(filtered), -32768, 32767).astype(np.int16)


class Halver:
    """Takes a stream of samples to half its sampling rate, chunk by chunk, without a seam between chunks."""

    def __init__(self) -> None:
        self._taps = _low_pass(1, 2)
        self._carried = np.zeros(len(self._taps) - 1, np.int16)

    def feed(self, pcm: Pcm) -> Pcm:
        """The next samples at half the rate. An odd one waits for the next chunk."""
        joined = np.concatenate([self._carried, pcm])
        usable = len(joined) - len(self._taps) + 1
        usable -= usable % 2
        self._carried = joined[usable:]
        if usable <= 0:
            return np.zeros(0, np.int16)
        filtered = np.convolve(joined[: usable + len(self._taps) - 1].astype(np.float32), self._taps, "valid")[::2]
        return np.clip(np.rint(filtered), -32768, 32767).astype(np.int16)


@lru_cache(maxsize=16)
def _low_pass(up: int, down: int) -> npt.NDArray[np.float32]:
    """A windowed sinc, 16 zero crossings a side, cut off at 0.45 of the lower rate."""
    steps = max(up, down)
    reach = 16 * steps
    t = np.arange(-reach, reach + 1) / steps
    taps = np.sinc(0.9 * t) * np.hanning(len(t))
    scaled: npt.NDArray[np.float32] = (taps * up / taps.sum()).astype(np.float32)
    return scaled
