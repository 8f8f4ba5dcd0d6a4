"""Sockets of signed-in people: the first message proves who they are; `/calls/{rid}` is their own live call.

They may listen and hang up; whispering and taking over come with the mixer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import orjson
from websockets.asyncio.server import ServerConnection

from floyd.errors import NotAdmittedError, NotAuthenticatedError
from floyd.identity import Identity
from relay.line import Line
from relay.media_call import MediaCall
from relay.media_stream import ViolationError, json_object

AUTH_S = 5.0  # from the opened socket to its first message
QUEUED_FRAMES = 200
"""Two seconds of both parties; a listener further behind loses sound rather than being told old news."""
NOT_HERE = ViolationError(4404, "no such call here")
"""One answer for a call that is somebody else's, on another relay, or nowhere: existence must not leak."""
_LATER = frozenset({"whisper", "take_over", "hand_back"})

Verify = Callable[[str], Awaitable[Identity]]
"""Firebase ID token to the person; raises NotAuthenticatedError or NotAdmittedError."""


async def authenticate(connection: ServerConnection, verify: Verify) -> tuple[Identity, dict[str, Any]]:
    """The person and the whole first message; ViolationError 4401 for anything but a good token."""
    try:
        async with asyncio.timeout(AUTH_S):
            first = parse(await connection.recv())
    except TimeoutError:
        raise ViolationError(4401, "no token in time") from None
    token = first.get("token")
    if first["type"] != "auth" or not isinstance(token, str):
        raise ViolationError(4401, "expected a token first")
    try:
        return await verify(token), first
    except (NotAuthenticatedError, NotAdmittedError):
        raise ViolationError(4401, "this token is not good") from None


def parse(message: str | bytes) -> dict[str, Any]:
    """A JSON message with a type; ViolationError for anything else."""
    document = json_object(message)
    if not isinstance(document.get("type"), str):
        raise ViolationError(1007, "expected an object with a type")
    return document


def encode(**fields: object) -> str:
    """A JSON message."""
    return orjson.dumps(fields).decode()


async def attend(connection: ServerConnection, verify: Verify, calls: Collection[MediaCall]) -> None:
    """Serve one listener of a call in `calls`, until the socket closes or the call ends."""
    assert connection.request is not None
    rid = connection.request.path.removeprefix("/calls/")
    person, _ = await authenticate(connection, verify)
    call = next((call for call in calls if call.key[:2] == (person.uid, rid)), None)
    if call is None:
        raise NOT_HERE
    line = Line(connection, limit=QUEUED_FRAMES)
    line.send(encode(type="ready"))
    tasks = [asyncio.create_task(work) for work in (line.run(), _obey(connection, call, line), call.over.wait())]
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


async def _obey(connection: ServerConnection, call: MediaCall, line: Line) -> None:
    async for message in connection:
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
