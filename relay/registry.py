"""This relay's place among the relays: its heartbeat, its room, and the commands left for its calls."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from google.api_core.exceptions import GoogleAPIError

from floyd.errors import LostGuardError
from floyd.relays import Heartbeat
from floyd.store import InboxCommand, Store

logger = logging.getLogger(__name__)

BEAT_S = 15.0  # diallers take a relay for dead after three missed beats
POLL_S = 1.0
EARLY = timedelta(seconds=15)  # a command may come before its call has settled here: until then it is offered again


@dataclass(eq=False)
class Registry:
    """Beats until stopped."""

    store: Store
    url: str
    capacity: int
    live: Callable[[], int]  # how many calls there are at this moment
    draining: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def room(self) -> int:
        """How many more calls fit."""
        return 0 if self.draining else max(0, self.capacity - self.live())

    def changed(self) -> None:
        """A call came or went, or draining began: say so now, not at the next beat."""
        self._changed.set()

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self._changed.clear()
            await self.beat()
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._changed.wait()

    async def beat(self) -> None:
        beat = Heartbeat(
            url=self.url, live=self.live(), room=self.room, draining=self.draining, beat_at=datetime.now(UTC)
        )
        about = {"kind": "relay", "calls_live": beat.live, "room": beat.room, "draining": beat.draining}
        logger.info("beat", extra=about)
        try:
            await self.store.beat(beat)
        except GoogleAPIError as error:
            logger.warning("the heartbeat was not stored: %s", type(error).__name__)

    async def free(self, holder: str) -> None:
        """The room that was held for this call is now counted as live."""
        try:
            await self.store.free_room(self.url, holder)
        except (GoogleAPIError, LostGuardError):
            logger.warning("a held room lapses by itself")

    async def poll(self, deliver: Callable[[InboxCommand], bool]) -> None:
        """Hand commands to live calls, once a second while there are any, until cancelled.

        A command is acknowledged when it has been delivered, or when its call has had time to come here and has not.
        """
        while True:
            await asyncio.sleep(POLL_S)
            if not self.live():
                continue
            try:
                for name, command in await self.store.inbox(self.url):
                    if not deliver(command):
                        if datetime.now(UTC) - command.created_at < EARLY:
                            continue
                        logger.info("a command came for a call that is not here")
                    await self.store.acknowledge(self.url, name)
            except GoogleAPIError as error:
                logger.warning("the inbox could not be read: %s", type(error).__name__)
