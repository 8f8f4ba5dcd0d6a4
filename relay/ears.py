"""What ears need of a recogniser; `relay.endless_ears` makes of it ears that last for a whole call."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from relay.core.events import EarLost, EarRestored, FinalHeard, InterimHeard

Heard = InterimHeard | FinalHeard | EarLost | EarRestored


class Sound(StrEnum):
    """What kind of sound is recognised."""

    PHONE = "phone"  # mu-law, 8 kHz
    MICROPHONE = "microphone"  # 16-bit signed little-endian, 16 kHz

    @property
    def bytes_per_ms(self) -> int:
        return 8 if self is Sound.PHONE else 32


@dataclass(frozen=True, slots=True)
class Result:
    """Words of one stream since its last final result; an interim replaces the one before."""

    text: str
    final: bool
    sureness: float  # 0 to 1: an interim's stability, a final's confidence
    end_ms: int  # where they end, counted from the stream's first sound; 0 when the vendor does not say


class Recogniser(Protocol):
    """One vendor's streams, each of limited life. One per process: it owns the connection."""

    lifetime_s: float  # how long a stream may live, by the vendor's rules

    async def recognise(
        self, chunks: AsyncIterator[bytes], *, sound: Sound, language: str, report: Callable[[Result], None]
    ) -> None:
        """One stream: send the chunks as they come, report results in order, return when the vendor has answered all.

        Raises VendorError when the stream ends in any other way. Cancelled: let go of the stream at once.
        """

    def warm(self) -> None:
        """Begin to connect, if the last use is long ago. Never waits, never fails."""
