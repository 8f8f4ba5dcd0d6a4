"""Outgoing messages: in order, and never kept for a peer that does not read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from relay.line import Line


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[ServerConnection, ClientConnection]]:
    accepted: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()

    async def handle(connection: ServerConnection) -> None:
        accepted.set_result(connection)
        await connection.wait_closed()

    async with serve(handle, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", proxy=None) as client:
            yield await accepted, client


async def test_messages_leave_in_order_as_text_or_binary() -> None:
    """Fails if sound changed places, or arrived as the wrong kind of frame."""
    async with pair() as (server, client):
        line = Line(server, limit=10)
        sending = asyncio.create_task(line.run())
        line.send("one")
        line.send(b"two")
        async with asyncio.timeout(5):
            assert [await client.recv(), await client.recv()] == ["one", b"two"]
        sending.cancel()


async def test_an_overflow_drops_the_old_and_says_so() -> None:
    """Fails if a slow peer made memory grow, or heard stale speech afterwards."""
    async with pair() as (server, client):
        line = Line(server, limit=3, on_overflow="clear")
        for number in range(4):
            line.send(str(number))
        sending = asyncio.create_task(line.run())
        async with asyncio.timeout(5):
            assert [await client.recv(), await client.recv()] == ["clear", "3"]
        sending.cancel()


async def test_a_closed_socket_ends_the_line() -> None:
    """Fails if the writer of a dead socket lived on, or raised."""
    async with pair() as (server, client):
        line = Line(server, limit=3)
        await client.close()
        line.send("late")
        async with asyncio.timeout(5):
            await line.run()
