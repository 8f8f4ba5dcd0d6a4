"""`/calls/{rid}`: a person on their own live call: listen, hang up. Whispering and taking over come with the mixer."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from websockets.asyncio.server import ServerConnection

from relay.clients import Verify, authenticate, encode, parse
from relay.line import Line
from relay.media_call import MediaCall
from relay.media_stream import ViolationError

QUEUED_FRAMES = 200
"""Two seconds of both parties; a listener further behind loses sound rather than being told old news."""
NOT_HERE = ViolationError(4404, "no such call here")
"""One answer for a call that is somebody else's, on another relay, or nowhere: existence must not leak."""
_LATER = frozenset({"whisper", "take_over", "hand_back"})


class Listening:
    """Serves listeners of the calls that this relay holds."""

    def __init__(self, verify: Verify, calls: Collection[MediaCall]) -> None:
        self._verify = verify
        self._calls = calls

    async def attend(self, connection: ServerConnection) -> None:
        """Serve one socket until it closes or the call ends."""
        assert connection.request is not None
        rid = connection.request.path.removeprefix("/calls/")
        person, _ = await authenticate(connection, self._verify)
        call = next((call for call in self._calls if (call.key.uid, call.key.rid) == (person.uid, rid)), None)
        if call is None:
            raise NOT_HERE
        line = Line(connection, limit=QUEUED_FRAMES)
        line.send(encode(type="ready"))
        tasks = [
            asyncio.create_task(work) for work in (line.run(), self._obey(connection, call, line), call.over.wait())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            call.listeners.discard(line)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await connection.close(1000, "the call has ended")

    async def _obey(self, connection: ServerConnection, call: MediaCall, line: Line) -> None:
        while True:
            message = await connection.recv()
            if isinstance(message, bytes):
                continue  # the microphone counts only after take_over
            kind = parse(message)["type"]
            if kind == "listen":
                call.listeners.add(line)
            elif kind == "hang_up":
                call.hang_up()
            elif kind in _LATER:
                line.send(encode(type="error", code="not_available", message=f"{kind} is not available on this relay"))
            else:
                raise ViolationError(1008, "unknown type")
