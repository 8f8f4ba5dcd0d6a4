"""Telephone sound: G.711 mu-law to and from linear samples, how loud it is, and half of a sampling rate."""

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]
"""Linear samples, one channel."""

SAMPLE_RATE = 8000
"""Samples a second on a telephone line; one mu-law byte each."""

PER_MS = SAMPLE_RATE // 1000

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
    code = np.where(sample < 0, 0x80, 0) | (exponent << 4) | ((biased >> (exponent + 3)) & 0x0F)
    encoded: npt.NDArray[np.uint8] = (~code & 0xFF).astype(np.uint8)
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
    mean = float(POWER[np.frombuffer(mulaw, np.uint8)].mean()) if mulaw else 0.0
    return max(QUIETEST_DB, 10 * float(np.log10(mean / 32768.0**2))) if mean else QUIETEST_DB


_MAGNITUDE = bytes(~code & 0x7F for code in range(256))
"""Mu-law code to its logarithmic magnitude, 0 (silence) to 127 (full scale)."""


def is_loud(frame: bytes) -> bool:
    """Whether a person would say that there is sound in this frame: its mean magnitude is 24, about -45 dB.

    Five thousand frames a second are asked about in a busy network, hence not `loudness_db`.
    """
    return sum(frame.translate(_MAGNITUDE)) >= 24 * FRAME


_TAPS: npt.NDArray[np.float64] = np.sinc(0.45 * np.arange(-32, 33)) * np.hanning(65)
"""A windowed sinc, 16 zero crossings a side, cut off at 0.45 of the lower rate."""
_TAPS /= _TAPS.sum()


class Halver:
    """Takes samples to half their sampling rate, chunk by chunk, without a seam between chunks."""

    def __init__(self) -> None:
        self._carried = np.zeros(len(_TAPS) - 1, np.int16)

    def feed(self, pcm: Pcm) -> Pcm:
        """The next samples at half the rate. An odd one waits for the next chunk."""
        joined = np.concatenate([self._carried, pcm])
        usable = (len(joined) - len(_TAPS) + 1) // 2 * 2
        self._carried = joined[usable:]
        if not usable:
            return np.zeros(0, np.int16)
        filtered = np.convolve(joined[: usable + len(_TAPS) - 1], _TAPS, "valid")[::2]
        return np.clip(np.rint(filtered), -32768, 32767).astype(np.int16)
