"""What a session needs of a recogniser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from relay.core.events import EarLost, EarRestored, FinalHeard, InterimHeard

Heard = InterimHeard | FinalHeard | EarLost | EarRestored


class Sound(StrEnum):
    """What kind of sound is recognised."""

    PHONE = "phone"
    """mu-law, 8 kHz."""
    MICROPHONE = "microphone"
    """16-bit signed little-endian, 16 kHz."""

    @property
    def bytes_per_ms(self) -> int:
        return 8 if self is Sound.PHONE else 32

    @property
    def silence(self) -> bytes:
        """One millisecond in which nothing is heard."""
        return b"\xff" * 8 if self is Sound.PHONE else bytes(32)


@dataclass(frozen=True, slots=True)
class EarsUsage:
    """For the bill."""

    sent_s: float
    """Seconds of sound sent to the vendor, silence and repetitions included."""
    rotations: int
    dropped_ms: int


class Ears(Protocol):
    """Hears one party for as long as it is open. Vendor limits on a stream's life are its own business."""

    @property
    def usage(self) -> EarsUsage: ...

    def hear(self, audio: bytes, *, voiced: bool) -> None:
        """Take sound, in order and without holes. Never waits.

        What the vendor cannot take in time is dropped, oldest first. `voiced` is our own detector's opinion: voice
        without words for long means that the recogniser has gone deaf.
        """

    async def finish(self) -> None:
        """No more sound will come: return when all of it has been recognised and reported."""

    async def close(self) -> None:
        """Stop at once; nothing is reported afterwards."""


class EarsMaker(Protocol):
    """Opens ears. One per process: it owns the connection to the vendor."""

    def open(self, report: Callable[[Heard], None], *, sound: Sound, language: str) -> Ears:
        """`report` is called on the event loop, with times in milliseconds since the first sound."""

    async def close(self) -> None:
        """Close the connection."""
