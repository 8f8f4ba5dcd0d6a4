"""The front door over real sockets: who gets in, who does not, and with which words they are sent away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from floyd.documents import Status
from floyd.lifecycle.during_the_call import CancelRequested
from floyd.relays import shard_id
from floyd.store import Store, Switch
from relay import server as server_module
from tests.relay.running import RID, UID, Phone, Relay, relay


@pytest.fixture
async def running(store: Store) -> AsyncIterator[Relay]:
    async with relay(store) as running:
        yield running


@asynccontextmanager
async def phone(running: Relay) -> AsyncIterator[Phone]:
    async with running.media() as socket:
        handset = Phone(socket)
        yield handset
        await handset.close()


async def status_of(running: Relay, path: str, **headers: str) -> int:
    with pytest.raises(InvalidStatus) as caught:
        async with running.socket(path, **headers):
            pass
    return caught.value.response.status_code


async def test_only_the_carriers_own_handshake_opens_a_media_stream(running: Relay) -> None:
    """Fails if a stranger could open a stream, or a browser could borrow the carrier's signature."""
    good = running.signature()
    assert await status_of(running, "/media") == 403
    assert await status_of(running, "/media", **{"X-Twilio-Signature": running.signature("/other")}) == 403
    assert await status_of(running, "/media", **{"X-Twilio-Signature": good, "Origin": "https://evil.test"}) == 403
    assert await status_of(running, "/elsewhere", **{"X-Twilio-Signature": good}) == 404
    async with running.socket("/media", **{"X-Twilio-Signature": good}):
        pass


async def test_browsers_are_let_in_by_their_origin_only(running: Relay) -> None:
    """Fails if any web page could use a person's browser to listen to their calls."""
    assert await status_of(running, "/dictate", Origin="https://evil.test") == 403
    assert await status_of(running, f"/calls/{RID}", Origin="https://evil.test") == 403
    async with running.socket("/dictate", Origin="https://app.test"):
        pass


async def test_ready_tells_whether_a_call_can_come(running: Relay) -> None:
    """Fails if diallers rang phones for a relay that is leaving."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://127.0.0.1:{running.port}/ready")).status_code == 200
        running.server.registry.draining = True
        assert (await client.get(f"http://127.0.0.1:{running.port}/ready")).status_code == 503
    assert await status_of(running, "/media", **{"X-Twilio-Signature": running.signature()}) == 503


async def raw(running: Relay, *messages: str | bytes | dict[str, Any]) -> tuple[int, str]:
    """Send messages as they are; how the socket was closed."""
    async with running.media() as socket:
        for message in messages:
            await socket.send(json.dumps(message) if isinstance(message, dict) else message)
        return await closing(socket)


async def closing(socket: ClientConnection) -> tuple[int, str]:
    async with asyncio.timeout(20):
        await socket.wait_closed()
    return socket.close_code or 0, socket.close_reason or ""


CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\x00\x01", 1003),
        ("{not json", 1007),
        ({"event": "media", "streamSid": "MZ1", "media": {"payload": "AAAA"}}, 1008),
        ({"event": "stop", "streamSid": "MZ1"}, 1008),
        ("x" * 65_537, 1009),
    ],
)
async def test_nonsense_is_closed_with_its_code(
    running: Relay, message: str | bytes | dict[str, Any], code: int
) -> None:
    """Fails if malformed, disordered or giant messages were taken, or crashed the handler."""
    assert (await raw(running, message))[0] == code


async def test_a_stream_without_a_start_gives_its_place_back(running: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails if silent sockets could fill the relay."""
    monkeypatch.setattr(server_module, "START_S", 0.2)
    assert await raw(running, CONNECTED) == (1008, "no start in time")


@pytest.mark.parametrize("flaw", ["unknown", "used", "expired", "other account", "none"])
async def test_a_bad_token_opens_nothing(running: Relay, flaw: str) -> None:
    """Fails if a forged, replayed, stale or foreign token started a call, or a vendor was opened for it."""
    token = await running.errand()
    changed: dict[str, Any] = {}
    match flaw:
        case "unknown":
            token = "never minted"
        case "used":
            await running.store.put(f"stream_tokens/{_digest(token)}", {"used_by": "x"}, merge=True)
        case "expired":
            token = await running.token(minutes=-1)
        case "other account":
            changed["accountSid"] = "AC" + "9" * 32
        case "none":
            changed["customParameters"] = {}
    async with phone(running) as handset:
        await handset.open(token, **changed)
        assert (await handset.closed())[0] == 1008
    assert (await running.speech.get("streams"))["streams"] == []
    assert (await running.store.load(UID, RID)).request.status is Status.RINGING


def _digest(token: str) -> str:
    from floyd.signatures import token_digest

    return token_digest(token)


@pytest.mark.parametrize("why", ["cancelled", "switched off", "other call", "another epoch", "do not call"])
async def test_a_call_that_is_not_wanted_any_more_is_not_begun(running: Relay, why: str) -> None:
    """Fails if Floyd spoke although the person, the operator, the callee or another relay had ended it."""
    token = await running.errand()
    changed: dict[str, Any] = {}
    match why:
        case "cancelled":
            await running.store.move(UID, RID, CancelRequested())
        case "switched off":
            await running.store.put("system/switch", Switch(dialling=False, reason="test"))
        case "other call":
            changed["callSid"] = "CA" + "8" * 32
        case "another epoch":
            token = await running.token(epoch=2)
        case "do not call":
            call = await running.store.call(UID, RID, 1)
            assert call is not None
            await running.store.set_do_not_call(call.to, True, call.created_at or (await _now(running)))
    async with phone(running) as handset:
        await handset.open(token, **changed)
        assert (await handset.closed())[0] == 1008
    assert (await running.speech.get("streams"))["streams"] == []
    assert handset.heard == b""


async def _now(running: Relay) -> Any:
    return (await running.store.read(f"users/{UID}/requests/{RID}")).read_time


async def test_the_relay_beats_where_diallers_look(running: Relay) -> None:
    """Fails if diallers could not find this relay."""
    await running.server.registry.beat()
    beat = (await running.store.relays())[shard_id(running.url)]
    assert (beat.url, beat.live, beat.room, beat.draining) == (running.url, 0, 2, False)
