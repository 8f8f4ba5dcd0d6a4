"""Exactly one ring, or a good reason why not. The phone network's ring log is the judge, never our own documents."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from floyd.carrier import PlacedCall, talk_limit_s
from floyd.documents import LIVE, Person, Status
from floyd.lifecycle.during_the_call import CancelRequested, DialRefused, Postponed
from floyd.phone_numbers import Number, Refusal
from floyd.prices import DOLLARS_PER_MINUTE
from floyd.store import Callee, Store, Switch, name_of
from functions.dialing import (
    CALLS_PER_BURST,
    CALLS_PER_DAY,
    Circumstances,
    Target,
    category_of,
    judge_call,
)
from functions.live_calls import carrier_url
from tests.functions.conftest import FLOYD, Stage

NOON = datetime(2026, 11, 23, 18, tzinfo=UTC)
CALLEE = Number("+13125550142", "US", "fixed_or_mobile")


async def test_twenty_copies_of_the_event_ring_once(stage: Stage) -> None:
    """Fails if a trigger that is delivered again rings a phone again."""
    number = stage.number(0)
    await stage.ready("r1", number)
    await stage.intend("r1")
    words = await asyncio.gather(*(stage.dial("r1") for _ in range(20)))
    assert words.count("rings") == 1
    assert await stage.dial("r1") != "rings"
    assert await stage.rings(1) == [number]
    call = await stage.call("r1")
    assert call.sid in stage.exchange.calls
    assert stage.exchange.calls[str(call.sid)].order.from_ == FLOYD


async def test_thirty_racing_diallers_ring_each_phone_once(stage: Stage) -> None:
    """Fails if several function instances that see the same five intents can ring one twice."""
    numbers = [stage.number(index) for index in range(5)]
    for index, number in enumerate(numbers):
        await stage.ready(f"r{index}", number)
        await stage.intend(f"r{index}")
    await asyncio.gather(*(stage.dial(f"r{index % 5}") for index in range(30)))
    assert sorted(await stage.rings(5)) == sorted(numbers)
    assert len(stage.exchange.calls) == 5


async def test_an_event_about_what_is_gone_is_done_with(stage: Stage) -> None:
    """Fails if an erased account's last event is refused, and so delivered again for a day."""
    assert await stage.dial("never", 1) == "gone"


async def test_a_lost_answer_is_not_asked_for_again(stage: Stage) -> None:
    """Fails if Floyd rings twice because the carrier's answer to the first order was lost."""
    number = stage.number(0)
    stage.exchange.faults.accept_then_drop = 1
    await stage.ring("r1", number)
    await stage.rings(1)
    errand = await stage.until_status("r1", Status.RINGING)
    assert errand.call is not None
    assert errand.call.sid in stage.exchange.calls, "a signed callback must have brought the call's id"
    assert await stage.dial("r1") != "rings"
    assert len(stage.exchange.calls) == 1


@pytest.mark.parametrize("acts", [True, False])
async def test_an_error_of_the_carriers_is_settled_by_its_list(stage: Stage, acts: bool) -> None:
    """Fails if a server error is taken for a refusal, rings twice, or leaves undone what was never ordered."""
    stage.exchange.faults.status, stage.exchange.faults.status_acts = 503, acts
    number = stage.number(0)
    await stage.ring("r1", number)
    assert len(stage.exchange.calls) == int(acts)
    before = await stage.errand("r1")
    assert (before.request.status in LIVE, before.request.attempt) == (True, 1 if acts else 2)
    if acts:
        assert await stage.rings(1) == [number]
        return
    assert await stage.dial("r1", 2) == "rings"
    assert await stage.rings(1) == [number]
    assert len(await stage.store.lines()) == 1
    # The first order's call turns up all the same: its first report has it cancelled.
    first = replace(before, request=before.request.model_copy(update={"attempt": 1}))
    status_url = carrier_url(first, "status", stage.parts)
    late = await stage.carrier.place_call(
        to=stage.number(1), from_=FLOYD, twiml="<Response/>", status_callback=status_url
    )
    assert isinstance(late, PlacedCall)
    async with asyncio.timeout(15), stage.answered:
        await stage.answered.wait_for(lambda: stage.exchange.calls[late.sid].status == "canceled")
    assert (await stage.errand("r1")).request.attempt == 2


async def test_an_order_that_never_left_is_placed_later(stage: Stage) -> None:
    """Fails if a carrier out of reach for a moment leaves the errand undone or unconfirmed."""
    number = stage.number(0)
    api_base, stage.carrier._api_base = stage.carrier._api_base, "http://127.0.0.1:1"
    await stage.ring("r1", number)
    request = (await stage.errand("r1")).request
    assert (request.status, request.attempt) == (Status.READY, 2)
    await stage.carrier.close()
    stage.carrier._api_base = api_base
    stage.now += timedelta(minutes=1)
    await stage.dial("r1", await stage.intend("r1"))
    assert await stage.rings(1) == [number]


async def test_too_many_at_once_is_no_refusal(stage: Stage) -> None:
    """Fails if the carrier's rate limit ends an errand."""
    stage.exchange.faults.status = 429
    await stage.ring("r1", stage.number(0))
    assert (await stage.errand("r1")).request.status is Status.READY


async def test_a_definite_refusal_ends_the_errand_with_its_reason(stage: Stage) -> None:
    """Fails if a call that the carrier will never place stays open, or keeps its line."""
    # The network knows only numbers of its account as callers.
    stage.exchange.voice_urls["+14155550199"] = "http://127.0.0.1:9/"
    await stage.ring("r1", stage.number(0))
    request = (await stage.errand("r1")).request
    assert request.status is Status.FAILED
    assert request.outcome is not None
    assert request.outcome.category == "vendor_failed"
    assert "21210" in request.outcome.summary
    assert await stage.store.lines() == []


async def test_the_switch_stops_all_dialling(stage: Stage) -> None:
    """Fails if a phone rings after `floyd stop`."""
    await stage.store.put("system/switch", Switch(dialling=False, reason="test"))
    assert "switched off" in await stage.ring("r1", stage.number(0))
    assert (await stage.errand("r1")).request.status is Status.READY
    assert stage.exchange.calls == {}


async def test_only_allowed_numbers_ring(stage: Stage) -> None:
    """Fails if a laptop can ring a number that its operator has not named."""
    await stage.with_settings(floyd_dial_allow=None).ring("r1", stage.number(0))
    await stage.with_settings(floyd_dial_allow=(stage.number(1),)).ring("r2", stage.number(0))
    for rid in ("r1", "r2"):
        request = (await stage.errand(rid)).request
        assert request.status is Status.FAILED
        assert request.outcome is not None
        assert request.outcome.category == "refused_by_policy"
    assert stage.exchange.calls == {}


async def test_with_an_override_every_call_rings_it(stage: Stage) -> None:
    """Fails if the developer's safe mode lets a call through to the real callee."""
    mine, theirs = stage.number(7), stage.number(8)
    safe = stage.with_settings(floyd_dial_override=mine, floyd_dial_allow=(mine,))
    assert await safe.ring("r1", theirs) == "rings"
    assert await safe.ring("r2", "+19005551234") != "rings", "the number meant is judged as well"
    assert await stage.rings(1) == [mine]


async def test_a_number_that_changed_after_the_intent_is_not_rung(stage: Stage) -> None:
    """Fails if switching the override on or off between intent and order rings somebody unexpected."""
    await stage.ready("r1", stage.number(0))
    await stage.intend("r1")
    mine = stage.number(7)
    await stage.with_settings(floyd_dial_override=mine).dial("r1")
    assert stage.exchange.calls == {}


async def test_cancelled_or_old_intents_do_not_ring(stage: Stage) -> None:
    """Fails if a phone rings after a confirmed cancel, or for an event that was stuck for an hour."""
    await stage.ready("r1", stage.number(0))
    await stage.intend("r1")
    cancelled = await stage.store.move("tom", "r1", CancelRequested())
    assert cancelled.answer == "cancelled"
    await stage.dial("r1")
    await stage.ready("r2", stage.number(1))
    await stage.intend("r2")
    stage.now += timedelta(minutes=11)
    assert await stage.dial("r2") == "the intent is too old"
    assert stage.exchange.calls == {}


async def test_two_people_and_one_number(stage: Stage) -> None:
    """Fails if two errands for one callee ring at once, so that neither call can be told from the other."""
    number = stage.number(0)
    words = await asyncio.gather(stage.ring("r1", number, uid="tom"), stage.ring("r2", number, uid="ann"))
    assert sorted(word == "rings" for word in words) == [False, True]
    assert await stage.rings(1) == [number]


async def test_no_more_calls_at_once_than_there_are_lines(stage: Stage) -> None:
    """Fails if racers exceed the limit of live calls, or a free line stays unused."""
    few = stage.with_settings(floyd_max_calls=2)
    words = await asyncio.gather(*(few.ring(f"r{index}", stage.number(index)) for index in range(6)))
    assert words.count("rings") == 2
    assert len(await stage.rings(2)) == 2
    assert len(await stage.store.lines()) == 2


async def test_money_is_set_aside_before_the_call(stage: Stage) -> None:
    """Fails if calls under way together can cost more than the day's limit."""
    half_an_hour = DOLLARS_PER_MINUTE * 30
    poor = stage.with_settings(floyd_daily_spend=half_an_hour + Decimal("0.01"))
    assert await poor.ring("r1", stage.number(0)) == "rings"
    assert "set aside" in await poor.ring("r2", stage.number(1))
    poorer = stage.with_settings(floyd_daily_spend=half_an_hour / 2)
    await poorer.ring("r3", stage.number(2))
    outcome = (await stage.errand("r3")).request.outcome
    assert outcome is not None
    assert outcome.category == "cost_limit"
    assert len(await stage.rings(1)) == 1


async def test_what_a_call_may_cost_follows_from_how_long_it_may_last(stage: Stage) -> None:
    """Fails if the carrier lets a call run longer than the money set aside for it lasts."""
    await stage.store.note_person("tom", {"limits": {"call_minutes": 10}})
    await stage.ring("r1", stage.number(0))
    (line,) = await stage.store.lines()
    (call,) = stage.exchange.calls.values()
    assert (call.order.time_limit_s, Decimal(line.amount)) == (600, DOLLARS_PER_MINUTE * 10)
    assert line.until - stage.now > timedelta(minutes=10)
    for minutes, limit_s in ((0, 60), (500, 3600)):
        assert talk_limit_s(Person(limits={"call_minutes": minutes})) == limit_s


async def test_no_relay_no_ring(stage: Stage) -> None:
    """Fails if a phone is rung although nobody could talk to whoever answers, or the failure keeps a line."""
    for relay in stage.relays:
        relay.ready = False
    assert "relay" in await stage.ring("r1", stage.number(0))
    assert stage.exchange.calls == {}
    assert await stage.store.lines() == []
    stage.relays[1].ready = True
    stage.now += timedelta(minutes=1)
    await stage.dial("r1", await stage.intend("r1"))
    await stage.rings(1)
    order = next(iter(stage.exchange.calls.values())).order
    assert f'url="{stage.relays[1].url}/media"' in order.twiml


async def test_the_ledger_of_a_number_counts_over_all_people(stage: Stage) -> None:
    """Fails if several people together can pester one callee without anybody noticing."""
    number = stage.number(0)
    await stage.ring("r1", number, uid="tom")
    ledger = await stage.store.callee_at(number)
    assert (ledger.calls, ledger.last_uid) == ([stage.now], "tom")


def circumstances(
    *,
    calls: tuple[timedelta, ...] = (),
    callee: Callee | None = None,
    rung: Callee | None = None,
    target: Target | Refusal | None = None,
    limits: dict[str, int] | None = None,
) -> Circumstances:
    ledger = callee or Callee(calls=[NOON - ago for ago in calls])
    return Circumstances(
        target or Target(CALLEE, CALLEE), Person(limits=limits or {}), Switch(), ledger, rung or Callee()
    )


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TOO_MANY = tuple(HOUR + MINUTE * index for index in range(CALLS_PER_DAY))
A_BURST = tuple(MINUTE * (index + 1) for index in range(CALLS_PER_BURST))


async def test_conduct_is_judged_at_the_last_moment(stage: Stage) -> None:
    """Fails if quiet hours, do-not-call, or the limits of how often one number is rung are not kept."""
    await stage.ready("r1", CALLEE.e164)
    free = stage.with_settings(floyd_dial_allow=(CALLEE.e164,))
    await free.intend("r1")
    errand = await stage.errand("r1")
    assert judge_call(errand, circumstances(), NOON) is None
    night = judge_call(errand, circumstances(), NOON + 12 * HOUR)
    assert isinstance(night, Postponed)
    assert night.until == datetime(2026, 11, 24, 14, tzinfo=UTC)
    hawaii = Target(Number("+18085550142", "US", "fixed_or_mobile"), CALLEE)
    assert isinstance(judge_call(errand, circumstances(target=hawaii), NOON - 2 * HOUR), Postponed)
    for forbidden in ({"callee": Callee(do_not_call=True)}, {"rung": Callee(do_not_call=True)}):
        refused = judge_call(errand, circumstances(**forbidden), NOON)  # type: ignore[arg-type]  # one of two keywords
        assert isinstance(refused, DialRefused)
        assert refused.category == "do_not_call"
    burst = judge_call(errand, circumstances(calls=A_BURST), NOON)
    assert isinstance(burst, Postponed)
    assert burst.until == NOON - A_BURST[-1] + 10 * MINUTE
    assert isinstance(judge_call(errand, circumstances(calls=TOO_MANY), NOON), DialRefused)
    assert judge_call(errand, circumstances(calls=TOO_MANY, limits={"callee_day": 99}), NOON) is None
    assert judge_call(errand, circumstances(calls=(24 * HOUR,) * CALLS_PER_DAY), NOON) is None


def test_what_a_refusal_means() -> None:
    """Fails if "this number does not exist" is told to the person as a fault of ours."""
    assert category_of(21211) == "number_invalid"
    assert category_of(21215) == "refused_by_policy"
    assert category_of(20003) == "vendor_failed"


async def test_a_dialler_that_died_keeps_nobody_else_from_ringing(stage: Stage, store: Store) -> None:
    """Fails if an event whose dialler was killed before its order leaves the request without a call."""
    number = stage.number(0)
    await stage.ready("r1", number)
    await stage.intend("r1")
    assert await store.first_delivery(f"dial-{name_of('tom', 'r1')[:20]}-1", stage.now), "as the dead one did"
    assert await stage.dial("r1") == "in other hands"
    await stage.sweep(after=timedelta(seconds=70))
    assert await stage.dial("r1", 2) == "rings"
    assert await stage.rings(1) == [number]
