"""A person's socket on a call: refused without a word about whether the call exists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import orjson
import pytest
from websockets.exceptions import ConnectionClosed

from floyd.store import Store
from tests.relay.running import RID, UID, Phone, Relay, relay


@pytest.fixture
async def running(store: Store) -> AsyncIterator[Relay]:
    async with relay(store) as running:
        yield running


async def ask(running: Relay, rid: str, token: str, *messages: str) -> tuple[int | None, list[bytes | str]]:
    """Open a call's socket; how it was closed, and what came before."""
    async with running.socket(f"/calls/{rid}") as socket:
        await socket.send(orjson.dumps({"type": "auth", "token": token}).decode())
        for message in messages:
            await socket.send(message)
        async with asyncio.timeout(20):
            received: list[bytes | str] = []
            with suppress(ConnectionClosed):
                while True:
                    received.append(await socket.recv())
        return socket.close_code, received


async def test_a_strangers_token_and_a_call_that_is_not_here(running: Relay) -> None:
    """Fails if somebody else's call could be told from one that does not exist."""
    assert (await ask(running, RID, "stranger"))[0] == 4401
    assert (await ask(running, RID, UID))[0] == 4404
    token = await running.errand()
    async with running.media() as media:
        handset = Phone(media)
        await handset.open(token)
        await handset.until(lambda: len(handset.heard) > 0)
        assert (await ask(running, RID, "person-2"))[0] == 4404
        assert (await ask(running, "another", UID))[0] == 4404
        code, received = await ask(running, RID, UID, '{"type":"whisper","text":"x"}', '{"type":"dance"}')
        assert code == 1008
        assert [orjson.loads(message)["type"] for message in received] == ["ready", "error"]
        await handset.close()
