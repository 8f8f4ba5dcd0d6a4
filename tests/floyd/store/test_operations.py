"""Server-only documents in the real emulator: tokens and rooms hold against racers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from floyd.relays import Heartbeat, shard_id
from floyd.store import InboxCommand, Speech, Store, StreamToken, Switch

URL = "ws://127.0.0.1:1"


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


async def test_a_stream_token_is_used_once(store: Store) -> None:
    """If this fails a copied token puts a second voice on a call."""
    token = StreamToken(uid="u", rid="r", attempt=1, epoch=1, account_sid="AC1", not_after=soon())
    await store.keep_token("digest", token)

    used = await asyncio.gather(*(store.use_token("digest", call_sid="CA1", used_by=f"r{n}") for n in range(8)))

    assert sum(each is not None for each in used) == 1
    assert await store.use_token("unknown", call_sid="CA1", used_by="r") is None


async def test_an_old_token_opens_nothing(store: Store) -> None:
    """If this fails a call that was queued for an hour is still answered."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    token = StreamToken(uid="u", rid="r", attempt=1, epoch=1, account_sid="AC1", not_after=past)
    await store.keep_token("digest", token)

    assert await store.use_token("digest", call_sid="CA1", used_by="r") is None


async def test_rooms_are_promised_up_to_what_the_relay_has(store: Store) -> None:
    """If this fails a relay is given more calls than it can hold and all of them suffer."""
    await store.beat(Heartbeat(url=URL, live=1, room=2, draining=False, beat_at=datetime.now(UTC)))

    given = await asyncio.gather(*(store.reserve_room(URL, f"call {n}", soon()) for n in range(6)))
    holder = f"call {given.index(True)}"
    await store.beat(Heartbeat(url=URL, live=1, room=2, draining=False, beat_at=datetime.now(UTC)))
    full = await store.reserve_room(URL, "late", soon())
    await store.free_room(URL, holder)

    assert given.count(True) == 2
    assert not full
    assert await store.reserve_room(URL, "late", soon())
    assert (await store.relays())[shard_id(URL)].live == 1


async def test_a_relay_that_never_beat_is_promised_one_call(store: Store) -> None:
    """If this fails a cold relay is never woken, or gets calls that it may not have room for."""
    assert await store.reserve_room(URL, "first", soon())
    assert not await store.reserve_room(URL, "second", soon())
    assert await store.relays() == {}


async def test_commands_wait_until_acknowledged(store: Store) -> None:
    """If this fails an answer for a live call is lost or told twice."""
    command = InboxCommand(kind="answer", uid="u", rid="r", attempt=1, answer="yes", created_at=datetime.now(UTC))

    first = await store.tell_relay(URL, "q1", command)
    again = await store.tell_relay(URL, "q1", command)
    waiting = await store.inbox(URL)
    await store.acknowledge(URL, "q1")

    assert (first, again) == (True, False)
    assert waiting == [("q1", command)]
    assert await store.inbox(URL) == []


async def test_do_not_call_is_for_ever(store: Store) -> None:
    """If this fails somebody who asked never to be called is called again."""
    await store.note_ring("+13125550142", "tom", datetime.now(UTC))
    await store.set_do_not_call("+13125550142", True, datetime.now(UTC))
    await store.note_ring("+13125550142", "ann", datetime.now(UTC))

    callee = await store.callee_at("+13125550142")

    assert callee.do_not_call
    assert (len(callee.calls), callee.last_uid) == (2, "ann")


async def test_a_delivery_counts_once(store: Store) -> None:
    """If this fails a repeated webhook is carried out twice."""
    seen = await asyncio.gather(*(store.first_delivery("SM1", datetime.now(UTC)) for _ in range(5)))

    assert seen.count(True) == 1


async def test_prepared_sound_and_the_switch(store: Store) -> None:
    """If this fails the first word waits for a vendor, or a stopped deployment goes on dialling."""
    await store.keep_speech("digest", Speech(audio=b"\xff" * 160, text="hello", expires_at=soon()))
    assert (await store.switch()).dialling

    await store.put("system/switch", Switch(dialling=False, reason="tests"))

    assert (await store.spoken(["digest", "absent"]))["digest"].audio == b"\xff" * 160
    assert not (await store.switch()).dialling
