"""Many at one door, over real sockets: a relay that leaves with all its calls, and strangers who knock meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from websockets.exceptions import InvalidStatus

from floyd.documents import Status
from floyd.signatures import new_token, token_digest
from floyd.store import Store, StreamToken
from tests.relay.running import ACCOUNT, RID, UID, Phone, Relay, relay

OPENING = "hello this is an ai assistant calling for tom baker this call is transcribed mara is sick today"
CALLS = 12
KNOCKS = 200


@pytest.fixture
async def running(store: Store) -> AsyncIterator[Relay]:
    async with relay(store) as running:
        yield running


async def another(running: Relay, number: int) -> tuple[str, str, str]:
    """An errand like the relay's own: its id, its call and its token."""
    errand = await running.store.load(UID, RID)
    assert errand.call is not None
    rid, sid, token = f"errand-{number}x", f"CA{number:032d}", new_token()
    path = f"users/{UID}/requests/{rid}"
    await running.store.put(path, errand.request)
    await running.store.put(f"{path}/calls/1", errand.call.model_copy(update={"sid": sid}))
    not_after = datetime.now(UTC) + timedelta(minutes=5)
    kept = StreamToken(uid=UID, rid=rid, attempt=1, epoch=1, account_sid=ACCOUNT, not_after=not_after)
    await running.store.keep_token(token_digest(token), kept)
    return rid, sid, token


def _greeted(handset: Phone) -> bool:
    return "tom baker" in handset.words()


async def test_a_leaving_relay_hands_all_its_calls_over(running: Relay) -> None:
    """Fails if a deployment cut some of many callees off, or lost what they had said."""
    await running.errand()
    running.server.registry.capacity = CALLS
    errands = [await another(running, number) for number in range(CALLS)]
    phones = [Phone(await running.media()) for _ in errands]
    for handset, (_, sid, token) in zip(phones, errands, strict=True):
        await handset.open(token, callSid=sid)
    for handset in phones:
        handset.say("hello")
    for handset in phones:
        await handset.until(partial(_greeted, handset))
    running.stop.set()
    closed = [await handset.closed() for handset in phones]
    assert {code for code, _ in closed} == {1012}
    for handset in phones:
        await handset.close()
    async with asyncio.timeout(30):
        while running.calls:
            await asyncio.gather(*(call.over.wait() for call in running.calls))
            await asyncio.sleep(0)
    for rid, _, _ in errands:
        assert (await running.store.load(UID, rid)).request.status is Status.TALKING
        heard = [turn.heard for _, turn in await running.store.turns(UID, rid)]
        assert heard[0] == "hello"
        assert "Tom Baker" in heard[1]


async def test_strangers_who_knock_do_not_disturb_a_call(running: Relay) -> None:
    """Fails if unsigned handshakes are let in, or take a call's words away."""
    token = await running.errand()
    async with running.media() as socket:
        handset = Phone(socket)
        await handset.open(token)
        handset.say("hello")
        await handset.until(lambda: len(handset.heard) > 4000)
        statuses: list[int] = []

        async def knock() -> None:
            for _ in range(KNOCKS // 10):
                with pytest.raises(InvalidStatus) as refused:
                    async with running.socket("/media"):
                        pass
                statuses.append(refused.value.response.status_code)

        await asyncio.gather(*(knock() for _ in range(10)))
        # Judged by the record: phone, relay and strangers share this process, whose sound may have holes meanwhile.
        await handset.look(
            lambda: running.store.turns(UID, RID), lambda turns: any("sick today" in turn.heard for _, turn in turns)
        )
        assert statuses == [403] * KNOCKS
        assert len(running.calls) == 1
        await handset.close()


def _written_in(task: asyncio.Task[object]) -> str:
    """The file of a task's code; stand-ins and libraries have tasks of their own."""
    code = getattr(task.get_coro(), "cr_code", None)
    return code.co_filename.replace("/tests/relay/", "/tests/") if code else ""


@pytest.mark.parametrize("moment", ["at once", "in the opening", "while it thinks"])
async def test_a_socket_that_breaks_leaves_nothing_behind_but_the_call(running: Relay, moment: str) -> None:
    """Fails if a network that drops a stream ended the errand, lost its words, or left work running for a dead line."""
    token = await running.errand()
    before = asyncio.all_tasks()
    async with running.media() as socket:
        handset = Phone(socket)
        await handset.open(token)
        if moment != "at once":
            handset.say("hello")
            await handset.until(lambda: "tom baker" in handset.words())
        if moment == "while it thinks":
            await handset.until(lambda: OPENING in handset.words())
            handset.say("and which class is she in")
            await handset.look(lambda: running.store.turns(UID, RID), lambda turns: len(turns) >= 3)
        await handset.look(lambda: running.store.load(UID, RID), lambda errand: errand.request.status is Status.TALKING)
        socket.transport.abort()
        async with asyncio.timeout(30):
            while running.calls:
                await asyncio.gather(*(call.over.wait() for call in running.calls))
                await asyncio.sleep(0)
        await handset.close()
    ours = {task for task in asyncio.all_tasks() - before if "/relay/" in _written_in(task)}
    assert not ours or not (await asyncio.wait(ours, timeout=10))[1]
    errand = await running.store.load(UID, RID)
    assert errand.request.status is Status.TALKING, "the carrier may open another stream"
    heard = [turn.heard for _, turn in await running.store.turns(UID, RID)]
    said = {"at once": [], "in the opening": ["hello"], "while it thinks": ["hello", "and which class is she in"]}
    assert [text for text in heard if "assistant" not in text and "AI" not in text][: len(said[moment])] == said[moment]
