"""The sweeper alone, with triggers and callbacks lost: each request ends, each line comes back, nothing rings twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from floyd.documents import TERMINAL, CallStatus, Status
from floyd.errors import NotAuthenticatedError
from floyd.lifecycle.during_the_call import CallFinished, CancelRequested, DialClaimed, StreamStarted
from floyd.settings import Settings
from functions.sweeping import check_invoker
from standins.phone_network.script import Script
from tests.functions.conftest import ANSWERS, BUSY, FLOYD, Stage

MINUTE = timedelta(minutes=1)


async def sweep_until(stage: Stage, reached: Callable[[], Awaitable[bool]], *, most: int = 40) -> timedelta:
    """Sweep once for every minute that passes; how long it took. A minute is only a number here."""
    for minutes in range(most):
        if await reached():
            return MINUTE * minutes
        await stage.sweep(after=MINUTE * minutes)
    raise AssertionError(f"not reached after {most} minutes")


def silence(stage: Stage) -> None:
    """No callback arrives any more."""
    stage.exchange.faults.suppress_callbacks = True


async def over(stage: Stage, rid: str) -> bool:
    return (await stage.errand(rid)).request.status in {*TERMINAL, Status.WRAPPING}


async def test_the_end_of_a_call_is_found_out(stage: Stage) -> None:
    """Fails if a call whose callbacks are all lost stays "in progress" for days."""
    silence(stage)
    await stage.ring("r1", stage.number(0, BUSY))
    await stage.rings(1)
    took = await sweep_until(stage, lambda: over(stage, "r1"))
    assert took <= 4 * MINUTE
    call = await stage.call("r1")
    assert (call.status, call.end_reason) == (CallStatus.BUSY, "busy")
    assert await stage.store.lines() == []


async def test_a_call_whose_order_was_lost_is_found_by_its_numbers(stage: Stage) -> None:
    """Fails if a phone that rings is given up, or rung again, because two messages were lost."""
    silence(stage)
    stage.exchange.faults.accept_then_drop = 1
    number = stage.number(0)
    await stage.ring("r1", number)
    await stage.rings(1)
    await stage.sweep()
    call = await stage.call("r1")
    assert call.sid in stage.exchange.calls
    assert call.status is CallStatus.RINGING
    assert len(stage.exchange.calls) == 1


async def claimed(stage: Stage, rid: str, index: int = 0) -> None:
    """A dialler was killed after its claim: whether it has ordered nobody knows."""
    await stage.ready(rid, stage.number(index))
    await stage.intend(rid)
    await stage.store.move("tom", rid, DialClaimed(1))


async def test_an_order_of_which_the_carrier_knows_nothing_is_placed_once_more(stage: Stage) -> None:
    """Fails if a dialler that was killed leaves its errand undone, or a copy of the evidence rings again."""
    await claimed(stage, "r1")
    await stage.sweep(after=MINUTE)
    assert (await stage.errand("r1")).request.attempt == 1, "the dialler may be slow"
    await asyncio.gather(*(stage.sweep(after=3 * MINUTE) for _ in range(3)))
    request = (await stage.errand("r1")).request
    assert (request.status, request.attempt) == (Status.DIALING, 2)
    assert await stage.dial("r1", 2) == "rings"
    assert len(await stage.rings(1)) == 1


async def test_an_order_is_unconfirmed_while_the_carrier_is_away_and_not_repeated(stage: Stage) -> None:
    """Fails if Floyd claims to know what it cannot, or rings again without evidence."""
    await claimed(stage, "r1")
    stage.carrier._api_base = "http://127.0.0.1:1"
    await stage.sweep(after=4 * MINUTE)
    assert (await stage.errand("r1")).request.status is Status.DIALING, "a callback may still come"
    await stage.sweep(after=20 * MINUTE)
    assert (await stage.errand("r1")).request.status is Status.UNCONFIRMED
    assert stage.exchange.calls == {}


async def test_nothing_is_concluded_while_the_carrier_does_not_answer(stage: Stage) -> None:
    """Fails if an outage of the carrier's API is taken for "no such call"."""
    silence(stage)
    await stage.ring("r1", stage.number(0))
    await stage.rings(1)
    stage.exchange.faults.on, stage.exchange.faults.status = "fetch", 503
    stage.exchange.faults.status_times = 3
    await stage.sweep(after=3 * MINUTE)
    assert (await stage.errand("r1")).request.status is Status.DIALING


async def test_intents_without_a_dialler_are_written_again_and_end(stage: Stage) -> None:
    """Fails if a request waits for ever for a dialler whose triggers are all lost."""
    await stage.ready("r1", stage.number(0))
    assert (await stage.sweep())["intended"] == 1
    await sweep_until(stage, lambda: over(stage, "r1"))
    request = (await stage.errand("r1")).request
    assert request.status is Status.FAILED
    assert request.attempt > 1, "it must have been tried again"
    assert stage.exchange.calls == {}


async def test_what_is_due_rings_and_what_is_not_waits(stage: Stage) -> None:
    """Fails if a call set for later rings now, or never."""
    later = stage.now + 10 * MINUTE
    await stage.ready("r1", stage.number(0), not_before=later, deadline=later + MINUTE)
    await stage.sweep()
    assert (await stage.errand("r1")).request.status is Status.READY
    await stage.sweep(after=11 * MINUTE)
    assert (await stage.errand("r1")).request.status is Status.DIALING


async def test_a_call_queued_for_too_long_is_cancelled(stage: Stage) -> None:
    """Fails if a phone rings long after anybody expects it."""
    silence(stage)
    stage.exchange.faults.queue_s = 60
    await stage.ring("r1", stage.number(0))
    await stage.sweep(after=11 * MINUTE)
    await sweep_until(stage, lambda: over(stage, "r1"))
    assert stage.exchange.rings == []


async def test_a_cancelled_call_that_still_rings_is_ended(stage: Stage) -> None:
    """Fails if the carrier was out of reach when the person cancelled, and nobody tries again."""
    silence(stage)
    await stage.ring("r1", stage.number(0))
    await stage.rings(1)
    await stage.store.move("tom", "r1", CancelRequested())
    await stage.sweep(after=MINUTE / 2)
    await sweep_until(stage, lambda: over(stage, "r1"))
    assert (await stage.call("r1")).end_reason == "cancelled"


async def test_a_cancelled_talk_has_time_for_a_goodbye(stage: Stage) -> None:
    """Fails if a pass of the sweeper cuts a relay off in mid-goodbye, or a dead relay's call goes on."""
    silence(stage)
    await stage.ring("r1", stage.number(0, ANSWERS))
    await stage.relays[0].streamed(1)
    await stage.store.move("tom", "r1", StreamStarted(1, stage.relays[0].url, 1))
    await stage.store.move("tom", "r1", CancelRequested())
    await stage.sweep(after=MINUTE / 6)
    assert (await stage.errand("r1")).request.status is Status.TALKING
    await stage.sweep(after=MINUTE)
    await sweep_until(stage, lambda: over(stage, "r1"))
    assert (await stage.call("r1")).end_reason == "cancelled"


async def test_a_relay_that_died_with_its_call(stage: Stage) -> None:
    """Fails if a call whose relay never reported its end keeps the request "talking"."""
    silence(stage)
    await stage.ring("r1", stage.number(0, Script(answer_after_s=0.05, patience_s=60)))
    await stage.relays[0].streamed(1)
    await stage.store.move("tom", "r1", StreamStarted(1, stage.relays[0].url, 1))
    sid = str((await stage.call("r1")).sid)
    await stage.carrier.end_call(sid)
    await sweep_until(stage, lambda: over(stage, "r1"), most=80)
    assert (await stage.call("r1")).end_reason == "line_failed"


async def test_a_line_is_freed_when_only_its_release_was_lost(stage: Stage) -> None:
    """Fails if a request that ended well blocks its callee's number until the lock expires."""
    silence(stage)
    number = stage.number(0, ANSWERS)
    await stage.ring("r1", number)
    await stage.relays[0].streamed(1)
    await stage.store.move("tom", "r1", StreamStarted(1, stage.relays[0].url, 1))
    await stage.store.move("tom", "r1", CallFinished(1, "done"))
    await stage.sweep()
    assert len(await stage.store.lines()) == 1, "the goodbye may still be playing"
    await stage.carrier.end_call(str((await stage.call("r1")).sid))
    assert (await stage.sweep())["line freed"] == 1
    assert await stage.store.lines() == []


async def test_calls_that_nobody_stands_for_are_ended(stage: Stage) -> None:
    """Fails if a call outlives every record of it and costs money for hours, or a wanted one is cut."""
    wanted = stage.number(0, ANSWERS)
    await stage.ring("r1", wanted)
    await stage.carrier.place_call(
        to=stage.number(1, ANSWERS), from_=FLOYD, twiml="<Response><Pause length='60'/></Response>", status_callback=""
    )
    await stage.rings(2)
    assert "orphan ended" not in await stage.sweep(), "it may have been placed a moment ago"
    assert (await stage.sweep(after=MINUTE))["orphan ended"] == 1
    await stage.until_status("r1", Status.DIALING, Status.RINGING, Status.TALKING)
    live = [call.to for call in await stage.carrier.live_calls(from_=FLOYD)]
    assert live == [wanted]


async def test_forty_requests_end_with_everything_suppressed(stage: Stage) -> None:
    """Fails if any mixture of lost triggers, lost callbacks and the carrier's faults leaves a request undecided."""
    silence(stage)
    scripts = [BUSY, Script(outcome="failed"), Script(answer_after_s=0.05, patience_s=0.1), None]
    for index in range(40):
        number = stage.number(index, scripts[index % 4])
        await stage.ready(f"r{index}", number)
        if index % 2:
            stage.exchange.faults.accept_then_drop = index % 3 == 0
            await stage.dial(f"r{index}", await stage.intend(f"r{index}"))

    async def all_over() -> bool:
        return all([await over(stage, f"r{index}") for index in range(40)])

    await sweep_until(stage, all_over)
    numbers = [str(ring["number"]) for ring in stage.exchange.rings]
    assert len(numbers) == len(set(numbers)), "no phone may ring twice"


async def test_only_the_scheduler_may_sweep() -> None:
    """Fails if anybody on the internet can make Floyd work, or a laptop cannot sweep."""
    await check_invoker("", Settings(floyd_env="local"))
    production = Settings(floyd_sweep_invoker="sweeper@example.iam.gserviceaccount.com")
    for header in ("", "Bearer ", "Bearer a.b.c", "Basic eDp5"):
        with pytest.raises(NotAuthenticatedError):
            await check_invoker(header, production)


async def test_two_sweepers_at_once_do_no_harm(stage: Stage) -> None:
    """Fails if a slow pass and the next one, run together, ring or end anything twice."""
    await stage.ready("r1", stage.number(0))
    await asyncio.gather(*(stage.sweep() for _ in range(4)))
    errand = await stage.errand("r1")
    assert (errand.request.status, errand.request.attempt) == (Status.DIALING, 1)
    assert await stage.dial("r1") == "rings"
