"""Mu-law sound as a telephone line carries it: frames of 20 ms, and how loud they are."""

import base64
from dataclasses import dataclass
from typing import NamedTuple

FRAME_BYTES = 160
"""One frame: 20 ms of mu-law at 8 kHz."""

FRAME_S = 0.02

SILENCE = b"\xff" * FRAME_BYTES
"""Mu-law zero is 0xFF (G.711)."""

_MAGNITUDE = bytes(~code & 0x7F for code in range(256))
"""Mu-law code to its logarithmic magnitude, 0 (silence) to 127 (full scale); a table lookup needs no numpy."""

_LOUD = 24 * FRAME_BYTES
"""Mean magnitude 24 is about -45 dBFS: above line noise, below the quiet end of speech."""


def is_loud(frame: bytes) -> bool:
    """Whether a person would say that there is sound in this frame of 160 bytes."""
    return sum(frame.translate(_MAGNITUDE)) >= _LOUD


class Frame(NamedTuple):
    """20 ms of what a callee's mouth makes, ready for the wire."""

    audio: bytes
    payload: str
    """The same as base64, encoded once because every call may say it again."""
    loud: bool


def frame_of(audio: bytes) -> Frame:
    """A frame of up to 160 bytes, filled up with silence."""
    audio = audio.ljust(FRAME_BYTES, b"\xff")
    return Frame(audio, base64.b64encode(audio).decode(), is_loud(audio))


QUIET = frame_of(b"")


@dataclass(frozen=True, slots=True)
class Clip:
    """A sentence as sound."""

    text: str
    frames: tuple[Frame, ...]

    @classmethod
    def of(cls, text: str, mulaw: bytes) -> "Clip":
        """Cut headerless 8 kHz mu-law into frames."""
        cuts = range(0, len(mulaw), FRAME_BYTES)
        return cls(text, tuple(frame_of(mulaw[start : start + FRAME_BYTES]) for start in cuts))
