"""One clock for all calls: every answered phone is moved on by 20 ms, 50 times a second, without drifting."""

import asyncio
import logging
from typing import Protocol

from standins.phone_network.sound import FRAME_S

PHASES = 4
"""Calls are spread over four moments within the 20 ms, as unrelated calls are in the world."""

log = logging.getLogger(__name__)


class Paced(Protocol):
    """Something that lives in steps of 20 ms."""

    def tick(self, now: float) -> None:
        """Move on by 20 ms; must not block."""

    def broke(self, error: Exception) -> None:
        """The tick raised: this one leaves the clock, the others go on."""


class Pace:
    """The clock."""

    def __init__(self) -> None:
        self.late_ms = 0.0
        """The worst lateness of the clock itself; when this is large, measurements of others mean little."""
        self._phases: tuple[dict[Paced, None], ...] = tuple({} for _ in range(PHASES))

    def join(self, paced: Paced) -> None:
        """Tick from the next step on."""
        min(self._phases, key=len)[paced] = None

    def leave(self, paced: Paced) -> None:
        """Tick no more."""
        for phase in self._phases:
            phase.pop(paced, None)

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
            await asyncio.sleep(max(0.0, -late))
            step = (step + 1) % PHASES
            self._tick_all(self._phases[step], due)

    def _tick_all(self, phase: dict[Paced, None], now: float) -> None:
        for paced in tuple(phase):
            try:
                paced.tick(now)
            except Exception as error:
                log.exception("a call left the clock")
                phase.pop(paced, None)
                paced.broke(error)
