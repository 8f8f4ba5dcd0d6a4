"""Whoever holds the phone at the far end: a script or a human at a keyboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from standins.phone_network.sound import Frame


@dataclass(frozen=True, slots=True)
class HangUp:
    """Put the phone down."""


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys."""

    digits: str


@dataclass(frozen=True, slots=True)
class Understand:
    """Make out the words heard since `since` (monotonic seconds); the answer is only of use while `turn` is true."""

    since: float
    turn: float
    """Seconds of sound in the turn so far: more means that the other party went on talking."""


Wish = HangUp | Press | Understand


@dataclass(slots=True)
class Said:
    """A line, as the timeline shows it."""

    text: str
    start: float
    end: float | None = None


class Person(Protocol):
    """Moved on by 20 ms at a time; asks for what it cannot do itself through `wishes`."""

    wishes: list[Wish]

    @property
    def said(self) -> list[Said]:
        """The lines spoken so far."""

    @property
    def speaking(self) -> bool:
        """Whether a line is under way, its pauses included."""

    def tick(self, loud: bool, now: float) -> Frame:
        """Hears whether the last 20 ms were loud; makes the next 20 ms."""

    def understood(self, turn: float, words: Sequence[str], now: float) -> None:
        """The answer to `Understand`."""
