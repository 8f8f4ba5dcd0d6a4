"""Outgoing messages of one socket: nobody who sends waits for a slow peer."""

import asyncio
from collections import deque

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed


class Line:
    """A queue in front of one socket; `run` empties it."""

    def __init__(self, connection: ServerConnection, *, limit: int, on_overflow: str = "") -> None:
        """`limit`: messages that may wait. A peer further behind would hear stale speech: better none, and
        `on_overflow` in place of everything that had to be dropped."""
        self._connection = connection
        self._limit = limit
        self._on_overflow = on_overflow
        self._queue: deque[str | bytes] = deque()
        self._more = asyncio.Event()

    def send(self, message: str | bytes) -> None:
        """Queue a message. Text goes as a text frame, bytes as a binary one."""
        if len(self._queue) >= self._limit:
            self._queue.clear()
            if self._on_overflow:
                self._queue.append(self._on_overflow)
        self._queue.append(message)
        self._more.set()

    async def run(self) -> None:
        """Send until cancelled or the socket closes."""
        try:
            while True:
                while self._queue:
                    await self._connection.send(self._queue.popleft())
                self._more.clear()
                await self._more.wait()
        except ConnectionClosed:
            return
