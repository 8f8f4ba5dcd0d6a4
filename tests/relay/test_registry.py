"""Heartbeat and inbox, on the real store."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from floyd.relays import shard_id
from floyd.store import InboxCommand, Store
from relay import registry as registry_module
from relay.registry import Registry

URL = "wss://relay.test"


async def test_a_beat_tells_how_things_stand(store: Store) -> None:
    """Fails if diallers chose a relay that is full or leaving."""
    live = 1
    registry = Registry(store, URL, capacity=3, live=lambda: live)
    await registry.beat()
    beat = (await store.relays())[shard_id(URL)]
    assert (beat.url, beat.live, beat.room, beat.draining) == (URL, 1, 2, False)
    registry.draining = True
    assert registry.room == 0
    await registry.beat()
    assert (await store.relays())[shard_id(URL)].draining


async def test_commands_are_delivered_once_and_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails if an answer were lost, given twice, or kept for ever for a call that is gone."""
    monkeypatch.setattr(registry_module, "POLL_S", 0.01)
    registry = Registry(store, URL, capacity=1, live=lambda: 1)
    delivered: list[str] = []
    again = asyncio.Event()

    def deliver(command: InboxCommand) -> bool:
        delivered.append(command.rid)
        if command.rid == "later":
            again.set()
        return command.rid == "here"

    async def tell(rid: str, ago: timedelta = timedelta(0)) -> None:
        command = InboxCommand(kind="hang_up", uid="u", rid=rid, attempt=1, created_at=datetime.now(UTC) - ago)
        await store.tell_relay(URL, rid, command)

    await tell("here", ago=timedelta(minutes=2))
    await tell("gone", ago=timedelta(minutes=1))
    polling = asyncio.create_task(registry.poll(deliver))
    async with asyncio.timeout(10):
        while "gone" not in delivered:
            await store.inbox(URL)
        await tell("later")
        await again.wait()
    polling.cancel()
    assert delivered == ["here", "gone", "later"]


async def test_a_command_that_comes_before_its_call_is_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails if an answer is thrown away because it came while the call moved to this relay."""
    monkeypatch.setattr(registry_module, "POLL_S", 0.01)
    tried = asyncio.Event()
    looks = 0

    def deliver(command: InboxCommand) -> bool:
        nonlocal looks
        looks += 1
        if looks == 3:
            tried.set()
        return looks == 3

    command = InboxCommand(kind="hang_up", uid="u", rid="r", attempt=1, created_at=datetime.now(UTC))
    await store.tell_relay(URL, "r", command)
    polling = asyncio.create_task(Registry(store, URL, capacity=1, live=lambda: 1).poll(deliver))
    async with asyncio.timeout(10):
        await tried.wait()
        while await store.inbox(URL):
            continue
    polling.cancel()
    assert looks == 3
