"""Mu-law, byte for byte."""

import warnings
from array import array

import pytest

from floyd import mulaw
from floyd.mulaw import FRAME_SAMPLES, LINEAR, SILENT_FRAME, decode, encode, encode_samples


def test_known_codes() -> None:
    """If this fails all sound is wrong: values from the tables of ITU-T G.711."""
    assert [LINEAR[code] for code in (0xFF, 0x7F, 0x80, 0x00, 0xF0, 0x70)] == [0, 0, 32124, -32124, 120, -120]
    assert encode_samples([0, 32767, -32768, 132, -132]) == bytes([0xFF, 0x80, 0x00, 0xEF, 0x6F])


def test_every_code_survives_the_round_trip() -> None:
    """If this fails sound that passes through us degrades; 0x7F is the second zero."""
    codes = bytes(code for code in range(256) if code != 0x7F)
    assert encode(decode(codes)) == codes
    assert encode(decode(b"\x7f")) == b"\xff"


def test_against_the_reference_for_every_sample() -> None:
    """If this fails we differ from everybody else's encoder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop")
    every_sample = array("h", range(-32768, 32768)).tobytes()
    assert encode(every_sample) == audioop.lin2ulaw(every_sample, 2)
    assert decode(bytes(range(256))) == audioop.ulaw2lin(bytes(range(256)), 2)


def test_frames_and_loudness() -> None:
    """If this fails silence is not silent."""
    assert SILENT_FRAME == b"\xff" * FRAME_SAMPLES
    assert decode(SILENT_FRAME) == bytes(2 * FRAME_SAMPLES)
    assert max(SILENT_FRAME.translate(mulaw.LOUDNESS)) == 0
    loudness = [mulaw.LOUDNESS[code] for code in encode_samples([0, 10, 100, 1000, 10000, 32000])]
    assert loudness == sorted(loudness)


def test_half_a_sample_is_refused() -> None:
    """If this fails a byte shift turns speech into noise unnoticed."""
    with pytest.raises(ValueError, match="multiple"):
        encode(b"\x00\x00\x00")
