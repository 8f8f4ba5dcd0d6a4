"""What a session needs of its ears, and what ears need of a recogniser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
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

    def rest(self) -> None:
        """Let go of the recogniser while nothing is worth its price, such as music; sound is still to be given."""

    def wake(self) -> None:
        """Recognise again, beginning with the last three seconds."""

    async def finish(self) -> None:
        """No more sound will come: return when all of it has been recognised and reported."""

    async def close(self) -> None:
        """Stop at once; nothing is reported afterwards."""


class EarsMaker(Protocol):
    """Opens ears. One per process: it owns the connection to the vendor."""

    def open(self, report: Callable[[Heard], None], *, sound: Sound, language: str) -> Ears:
        """`report` is called on the event loop, with times in milliseconds since the first sound."""

    def warm(self) -> None:
        """Begin to connect, if the last use is long ago. Never waits, never fails."""

    async def close(self) -> None:
        """Close the connection."""


@dataclass(frozen=True, slots=True)
class Result:
    """Words of one stream since its last final result; an interim replaces the one before."""

    text: str
    final: bool
    sureness: float
    """0 to 1: an interim's stability, a final's confidence."""
    end_ms: int
    """Where they end, counted from the stream's first sound; 0 when the vendor does not say."""


class Recogniser(Protocol):
    """One vendor's streams, each of limited life; `relay.endless_ears` makes ears of them."""

    lifetime_s: float
    """How long a stream may live, by the vendor's rules."""

    async def recognise(
        self, chunks: AsyncIterator[bytes], *, sound: Sound, language: str, report: Callable[[Result], None]
    ) -> None:
        """One stream: send the chunks as they come, report results in order, return when the vendor has answered all.

        Raises VendorError when the stream ends in any other way. Cancelled: let go of the stream at once.
        """
