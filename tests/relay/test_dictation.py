"""Dictation over a real socket: words as they are spoken, and the request sent by itself."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection

from floyd import mulaw
from floyd.store import Store
from relay import clients
from standins import tones
from tests.relay.running import Relay, relay

TEXT = "tell the school that mara is sick today"


@pytest.fixture
async def running(store: Store) -> AsyncIterator[Relay]:
    async with relay(store) as running:
        yield running


def microphone(text: str, quiet_s: float = 0.0) -> bytes:
    """What a microphone would pick up, at 16 kHz."""
    narrow = array("h", mulaw.decode(tones.encode(text) if text else b""))
    return array("h", (sample for each in narrow for sample in (each, each))).tobytes() + bytes(int(32_000 * quiet_s))


async def send(socket: ClientConnection, **message: Any) -> None:
    await socket.send(orjson.dumps(message).decode())


async def speak(socket: ClientConnection, sound: bytes) -> None:
    for start in range(0, len(sound), 3200):
        await socket.send(sound[start : start + 3200])


async def until(socket: ClientConnection, kind: str) -> list[dict[str, Any]]:
    """All messages up to the first of this kind."""
    messages: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while not messages or messages[-1]["type"] != kind:
            messages.append(orjson.loads(await socket.recv()))
    return messages


async def closed(socket: ClientConnection) -> int:
    async with asyncio.timeout(20):
        await socket.wait_closed()
    return socket.close_code or 0


async def test_a_pause_after_words_sends_the_request(running: Relay) -> None:
    """Fails if speaking alone did not make a request, or its words never appeared."""
    async with running.socket("/dictate") as socket:
        await send(socket, type="auth", token="person-1", idempotency_key="k1")
        await speak(socket, microphone(TEXT, quiet_s=1.0))
        messages = await until(socket, "sent")
        assert await closed(socket) == 1000
    assert {message["type"] for message in messages} == {"interim", "final", "sent"}
    request = await running.store.request("person-1", messages[-1]["id"])
    assert request is not None
    assert request.text == TEXT
    assert await running.store.job("person-1", messages[-1]["id"], "new-1") is not None


async def test_hold_waits_for_stop(running: Relay) -> None:
    """Fails if a person who thinks aloud were cut off."""
    async with running.socket("/dictate") as socket:
        await send(socket, type="auth", token="person-1", idempotency_key="k1", hold=True)
        await speak(socket, microphone("tell the school", quiet_s=0.5))
        await until(socket, "final")
        await speak(socket, microphone("that mara is sick today"))
        await send(socket, type="stop")
        request = await running.store.request("person-1", (await until(socket, "sent"))[-1]["id"])
    assert request is not None
    assert request.text == TEXT


async def test_the_same_key_is_the_same_request(running: Relay) -> None:
    """Fails if a retried dictation rang twice."""
    found = set()
    for _ in range(2):
        async with running.socket("/dictate") as socket:
            await send(socket, type="auth", token="person-1", idempotency_key="k1", hold=True)
            await speak(socket, microphone(TEXT))
            await send(socket, type="stop")
            found.add((await until(socket, "sent"))[-1]["id"])
    assert len(found) == 1


async def test_silence_is_empty(running: Relay) -> None:
    """Fails if a request without words were made."""
    async with running.socket("/dictate") as socket:
        await send(socket, type="auth", token="person-1", idempotency_key="k1")
        await speak(socket, microphone("", quiet_s=0.5))
        await send(socket, type="stop")
        await until(socket, "empty")
        assert await closed(socket) == 1000


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"type": "auth", "token": "stranger", "idempotency_key": "k"}, 4401),
        ({"type": "auth", "idempotency_key": "k"}, 4401),
        ({"type": "stop"}, 4401),
        ({"type": "auth", "token": "person-1"}, 1008),
        ({"type": "auth", "token": "person-1", "idempotency_key": "k" * 129}, 1008),
        ({"type": "auth", "token": "person-1", "idempotency_key": "k", "hold": "yes"}, 1008),
        ({"token": "person-1"}, 1007),
    ],
)
async def test_a_wrong_first_message_is_refused(running: Relay, first: dict[str, Any], code: int) -> None:
    """Fails if a stranger could dictate, or nonsense passed."""
    async with running.socket("/dictate") as socket:
        await send(socket, **first)
        assert await closed(socket) == code


@pytest.mark.parametrize(("message", "code"), [("{", 1007), ('{"type":"dance"}', 1008), (b"\x00", 1007)])
async def test_nonsense_later_is_refused(running: Relay, message: str | bytes, code: int) -> None:
    """Fails if a broken client kept a recogniser open."""
    async with running.socket("/dictate") as socket:
        await send(socket, type="auth", token="person-1", idempotency_key="k1")
        await socket.send(message)
        assert await closed(socket) == code


async def test_no_token_in_time_is_refused(running: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails if silent sockets could pile up."""
    monkeypatch.setattr(clients, "AUTH_S", 0.1)
    async with running.socket("/dictate") as socket:
        assert await closed(socket) == 4401
