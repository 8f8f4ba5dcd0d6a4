"""What the sockets of signed-in people share: the first message must prove who they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from websockets.asyncio.server import ServerConnection

from floyd.errors import NotAdmittedError, NotAuthenticatedError
from floyd.identity import Identity
from relay.media_stream import ViolationError

AUTH_S = 5.0
"""From the opened socket to its first message."""

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
    if first.get("type") != "auth" or not isinstance(token, str):
        raise ViolationError(4401, "expected a token first")
    try:
        return await verify(token), first
    except (NotAuthenticatedError, NotAdmittedError):
        raise ViolationError(4401, "this token is not good") from None


def parse(message: str | bytes) -> dict[str, Any]:
    """A JSON message with a type; ViolationError for anything else."""
    if isinstance(message, bytes):
        raise ViolationError(1003, "expected a text frame")
    try:
        document = orjson.loads(message)
    except orjson.JSONDecodeError:
        raise ViolationError(1007, "expected JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("type"), str):
        raise ViolationError(1007, "expected an object with a type")
    return document


def encode(**fields: object) -> str:
    """A JSON message."""
    return orjson.dumps(fields).decode()
