"""Whoever holds the phone at the far end: an ear that follows turns by sound alone, and a mouth. Pure: time is an
argument, in monotonic seconds."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from standins.audio import FRAME, SILENCE

FRAME_S = 0.02

QUIET = SILENCE * FRAME
"""20 ms without a sound; one object, so that it is told by its identity."""

AUDIBLE_S = 0.1
"""Shorter sounds are clicks, not a turn."""


class Phone(Protocol):
    """What a person can do with the phone in their hand."""

    def hang_up(self) -> None:
        """Put it down."""

    def press(self, digits: str) -> None:
        """Press keys."""


@dataclass(slots=True)
class Said:
    """A line, as the timeline shows it."""

    text: str
    start: float
    end: float | None = None


class Person:
    """Moved on by 20 ms at a time."""

    def __init__(self, phone: Phone, now: float, listens: bool) -> None:
        """listens: words shall be made out; they come through `understood`."""
        self.phone = phone
        self.listens = listens
        self.said: list[Said] = []
        self._saying: deque[tuple[str, bytes]] = deque()
        self._at = 0
        self.new_turn(now)

    def new_turn(self, now: float) -> None:
        """Forget what was heard so far: it has been answered."""
        self.talked_s = 0.0
        self.quiet_since = now

    def hear(self, loud: bool, now: float) -> None:
        """20 ms went by, loud or not."""
        if loud:
            self.talked_s += FRAME_S
            self.quiet_since = now

    @property
    def audible(self) -> bool:
        """Whether the other party has said something."""
        return self.talked_s >= AUDIBLE_S

    def understood(self, words: Sequence[str], settled: float) -> None:
        """The next words; nothing that was heard until the moment *settled* is still to be made out."""
        raise NotImplementedError

    @property
    def speaking(self) -> bool:
        """Whether a line is under way, its pauses included."""
        return bool(self._saying)

    def say(self, text: str, mulaw: bytes) -> None:
        """Say it after what is being said; text without sound is nothing said."""
        if mulaw:
            self._saying.append((text, mulaw))

    def hush(self, now: float) -> None:
        """Stop in the middle of a word."""
        if self._at:
            self.said[-1].end = now
        self._saying.clear()
        self._at = 0

    def speak(self, now: float) -> bytes:
        """The mouth's next 20 ms."""
        if not self._saying:
            return QUIET
        text, mulaw = self._saying[0]
        if self._at == 0:
            self.said.append(Said(text, now))
        frame = mulaw[self._at : self._at + FRAME].ljust(FRAME, SILENCE)
        self._at += FRAME
        if self._at >= len(mulaw):
            self._saying.popleft()
            self._at, self.said[-1].end = 0, now
        return frame

    def tick(self, heard: bytes, loud: bool, now: float) -> bytes:
        """Hears the last 20 ms, and whether they were loud; makes the next 20 ms."""
        raise NotImplementedError
