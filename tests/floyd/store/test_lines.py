"""Lines in the real emulator: whatever races, no more calls, no more money, no second call to one number."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from floyd.relays import Heartbeat, shard_id
from floyd.store import Line, Store, StreamToken
from floyd.store.lines import day_of

NOW = datetime.now(UTC)
DAY = day_of(NOW)
URL = "ws://127.0.0.1:1"
PLENTY = Decimal(1000)


def line(number: int, *, holder: str = "", until: datetime | None = None, day: str = DAY) -> Line:
    return Line(
        caller="+14155550100",
        to=f"+1312555{number:04}",
        holder=holder or f"holder-{number}",
        uid="u",
        rid="r",
        attempt=1,
        until=until or NOW + timedelta(hours=1),
        day=day,
        amount="3.60",
    )


async def test_racers_get_as_many_lines_as_there_are(store: Store) -> None:
    """Fails if a rush of calls exceeds the limit, or leaves a line unused."""
    taken = await asyncio.gather(*(store.take_line(line(n), max_calls=3, day_limit=PLENTY) for n in range(12)))
    assert taken.count(None) == 3
    assert taken.count("lines_busy") == 9
    assert len(await store.lines()) == 3


async def test_one_call_between_two_numbers(store: Store) -> None:
    """Fails if two calls between the same numbers can be under way, so that one is taken for the other."""
    racers = (line(1, holder=f"h{n}") for n in range(8))
    taken = await asyncio.gather(*(store.take_line(racer, max_calls=99, day_limit=PLENTY) for racer in racers))
    assert taken.count(None) == 1
    assert taken.count("number_busy") == 7


async def test_a_line_comes_back_once_with_what_the_call_cost(store: Store) -> None:
    """Fails if copies of a final callback enter a call's cost twice, or a stranger frees a line."""
    held = line(1)
    await store.beat(Heartbeat(url=URL, live=0, room=1, draining=False, beat_at=NOW))
    assert await store.take_line(held, max_calls=1, day_limit=Decimal("3.60")) is None
    assert await store.reserve_room(URL, held.holder, held.until)
    await store.note_line(held.model_copy(update={"relay_url": URL}))
    assert await store.take_line(line(2), max_calls=9, day_limit=Decimal("3.60")) == "money_held"
    assert not await store.release_line(held.caller, held.to, "somebody else")
    freed = await asyncio.gather(
        *(store.release_line(held.caller, held.to, held.holder, cost=Decimal("0.10")) for _ in range(5))
    )
    assert freed.count(True) == 1
    assert (await store.relays())[shard_id(URL)].reserved == {}
    assert await store.take_line(line(2), max_calls=1, day_limit=Decimal("3.69")) == "money_spent"
    assert await store.take_line(line(2), max_calls=1, day_limit=Decimal("3.70")) is None


async def test_calls_that_last_past_midnight_still_count(store: Store) -> None:
    """Fails if the limit of live calls doubles at midnight."""
    yesterday = day_of(NOW - timedelta(days=1))
    assert await store.take_line(line(1, day=yesterday), max_calls=1, day_limit=PLENTY) is None
    assert await store.take_line(line(2), max_calls=1, day_limit=PLENTY) == "lines_busy"


async def test_a_vanished_holder_does_not_keep_its_line(store: Store) -> None:
    """Fails if a crash blocks a number, a line and the day's money for ever."""
    gone = line(1, until=NOW - timedelta(seconds=1))
    assert await store.take_line(gone, max_calls=1, day_limit=PLENTY) is None
    assert await store.take_line(line(1, holder="next"), max_calls=1, day_limit=Decimal(4)) is None


async def test_a_number_keeps_its_wish_and_its_history(store: Store) -> None:
    """Fails if a later call, or a later text, undoes somebody's wish never to be called."""
    number = "+13125550142"
    await store.set_do_not_call(number, True, NOW)
    await store.note_ring(number, "tom", NOW)
    await store.note_asked(number, ["r/q"])
    known = await store.callee_at(number)
    assert known.do_not_call
    assert known.no_texts
    assert (known.calls, known.last_uid, known.asked) == ([NOW], "tom", ["r/q"])
    await store.set_do_not_call(number, False, NOW)
    assert not (await store.callee_at(number)).do_not_call


async def test_only_what_has_expired_is_removed(store: Store) -> None:
    """Fails if tokens and marks pile up for ever, or one that still counts is removed."""
    for name, age in (("old", timedelta(days=8)), ("new", timedelta(0))):
        token = StreamToken(uid="u", rid="r", attempt=1, epoch=1, account_sid="AC", not_after=NOW - age)
        await store.keep_token(name, token)
        await store.first_delivery(name, NOW - age)
        beat = Heartbeat(url=f"ws://{name}", live=0, room=1, draining=False, beat_at=NOW - age)
        await store.beat(beat)
    assert await store.remove_expired(NOW) == 3
    assert not await store.first_delivery("new", NOW)
    assert await store.first_delivery("old", NOW)
    assert list(await store.relays()) == [shard_id("ws://new")]
