"""An answered call's sound, moved on by 20 ms at a time, and the one clock that moves all calls."""

import asyncio
import logging
from collections.abc import Callable

from standins.audio import is_loud
from standins.phone_network.hearing import Word
from standins.phone_network.line import PlayOut, Stopwatch
from standins.phone_network.person import FRAME_S, QUIET, Person
from standins.phone_network.script import Script
from standins.phone_network.sounds import Room
from standins.phone_network.stream import MediaStream

EAR_FRAMES = 5
"""The ear gets its sound 100 ms at a time."""

PHASES = 4
"""Calls are spread over four moments within the 20 ms, as unrelated calls are in the world."""

log = logging.getLogger(__name__)


class Handset:
    """The phone in the callee's hand, from answer to hang-up."""

    person: Person

    def __init__(self, now: float, script: Script, hang_up: Callable[[], None], note: Callable[..., None]) -> None:
        """hang_up: the call shall end; note: for the timeline. Its `person` is set before the first tick."""
        self.playout = PlayOut()
        self.stopwatch = Stopwatch()
        self.stream: MediaStream | None = None
        self.answered_at = now
        self.heard: list[bytes] = []
        """Every frame that reached the callee's ear since the answer; silence is one shared object."""
        self.said: list[bytes] = []
        self.ear: asyncio.Queue[tuple[bytes, float]] = asyncio.Queue()
        """What a person who listens has heard, piece by piece, each with the moment of its end; the last is empty."""
        self.words: list[Word] = []
        """What was made out of it, timed from the answer."""
        self.keys: asyncio.Queue[str] = asyncio.Queue()
        """Pressed while no stream was there to be told."""
        self._room = Room(script)
        self._end = hang_up
        self._note = note

    def tick(self, now: float) -> None:
        """20 ms pass on the line."""
        frame, marks = self.playout.take(now)
        loud = frame is not None and is_loud(frame)
        speaking = self.person.speaking
        heard = QUIET if frame is None else frame
        made = self.person.tick(heard, loud, now)
        self.stopwatch.frame(now, made is not QUIET and is_loud(made), loud, speaking)
        made = self._room.add(made, heard)
        self.heard.append(heard)
        self.said.append(made)
        if self.person.listens and len(self.heard) % EAR_FRAMES == 0:
            self.ear.put_nowait((b"".join(self.heard[-EAR_FRAMES:]), now))
        if self.stream is not None:
            for name in marks:
                self.stream.send_mark(name)
            self.stream.send_media(made)

    def broke(self, error: Exception) -> None:
        """The clock gave this call up."""
        self._note("broke", error=repr(error))
        self._end()

    # For the person

    def hang_up(self) -> None:
        """Put it down."""
        self._note("callee hangs up")
        self._end()

    def press(self, digits: str) -> None:
        """Press keys."""
        for digit in digits:
            self._note("key", digit=digit)
            if self.stream is not None:
                self.stream.send_key(digit)
            else:
                self.keys.put_nowait(digit)


class Pace:
    """Every answered phone is moved on by 20 ms, 50 times a second, without drifting."""

    def __init__(self) -> None:
        self.late_ms = 0.0
        """The worst lateness of the clock itself; when this is large, measurements of others mean little."""
        self._phases: tuple[dict[Handset, None], ...] = tuple({} for _ in range(PHASES))

    def join(self, handset: Handset) -> None:
        """Tick from the next step on."""
        min(self._phases, key=len)[handset] = None

    def leave(self, handset: Handset) -> None:
        """Tick no more."""
        for phase in self._phases:
            phase.pop(handset, None)

    async def run(self) -> None:
        """Tick until cancelled. After a stall the missed steps are made up, so that audio time stays real time."""
        loop = asyncio.get_running_loop()
        due, step = loop.time(), 0
        while True:
            due += FRAME_S / PHASES
            late = loop.time() - due
            if late > FRAME_S / PHASES:
                # Our own stall must not look like somebody else's: first read what came in meanwhile.
                self.late_ms = max(self.late_ms, late * 1000)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            await asyncio.sleep(max(0.0, -late))
            step = (step + 1) % PHASES
            for handset in tuple(self._phases[step]):
                try:
                    handset.tick(due)
                except Exception as error:
                    log.exception("a call left the clock")
                    self.leave(handset)
                    handset.broke(error)
