"""An answered call's sound, moved on by 20 ms at a time, and the one clock that moves all calls."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from standins.audio import is_loud
from standins.phone_network.callee import Callee
from standins.phone_network.hearing import Word
from standins.phone_network.line import FRAME_S, QUIET, PlayOut, Stopwatch
from standins.phone_network.script import Script
from standins.phone_network.sounds import Room
from standins.phone_network.stream import MediaStream

PHASES = 4  # calls are spread over four moments within the 20 ms, as unrelated calls are in the world
SCHEDULED = Path("/proc/self/schedstat")
"""Linux: nanoseconds this thread has run, and was ready to run while the machine ran others; time slices."""

log = logging.getLogger(__name__)


class Handset:
    """The phone in the callee's hand, from answer to hang-up."""

    person: Callee

    def __init__(self, now: float, script: Script, hang_up: Callable[[], None], note: Callable[..., None]) -> None:
        """hang_up: the call shall end; note: for the timeline. Its `person` is set before the first tick."""
        self.playout = PlayOut()
        self.stopwatch = Stopwatch()
        self.stream: MediaStream | None = None
        self.answered_at = self.now = now  # the moment of the answer, and of the last tick
        self.heard, self.said = bytearray(), bytearray()
        """All that reached the callee's ear since the answer, and all that went into its line. One object each: a list
        of frames would hold up everybody whenever Python looks for garbage."""
        self.words: list[Word] = []  # what was made out of it for a person who listens, timed from the answer
        self.keys = ""  # pressed while no stream was there to be told
        self._room = Room(script)
        self._end, self._note = hang_up, note

    def tick(self, now: float) -> None:
        frame, marks = self.playout.take(now)
        loud = frame is not None and is_loud(frame)
        speaking = self.person.speaking
        heard = QUIET if frame is None else frame
        made = self.person.tick(heard, loud, now)
        self.stopwatch.frame(now, made is not QUIET and is_loud(made), loud, speaking)
        made = self._room.add(made, heard)
        self.heard += heard
        self.said += made
        self.now = now
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
        self._note("callee hangs up")
        self._end()

    def press(self, digits: str) -> None:
        for digit in digits:
            self._note("key", digit=digit)
            if self.stream is not None:
                self.stream.send_key(digit)
            else:
                self.keys += digit


class Pace:
    """Every answered phone is moved on by 20 ms, 50 times a second, without drifting."""

    def __init__(self) -> None:
        self.late_ms = 0.0
        """The worst lateness of the clock itself; when this is large, measurements of others mean little."""
        self._phases: tuple[dict[Handset, None], ...] = tuple({} for _ in range(PHASES))

    @property
    def starved_ms(self) -> float | None:
        """How long in all the machine gave us no core when we had work: lateness that is not of our making."""
        return int(SCHEDULED.read_text().split()[1]) / 1e6 if SCHEDULED.exists() else None

    def join(self, handset: Handset) -> None:
        min(self._phases, key=len)[handset] = None

    def leave(self, handset: Handset) -> None:
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
