"""Reaching a call that is under way, over the store and the phone network's stand-in."""

from __future__ import annotations

from dataclasses import replace

from floyd.carrier import Carrier
from floyd.documents import CallStatus, Status
from floyd.lifecycle.during_the_call import CancelRequested, DialClaimed, PostUnknown, StreamStarted
from functions.dialing import order_again
from functions.live_calls import ask_carrier, end_call, pass_on
from tests.functions.conftest import ACCOUNT, ANSWERS, BUSY, FLOYD, TOKEN, Stage


async def talking(stage: Stage) -> None:
    stage.exchange.faults.suppress_callbacks = True
    await stage.ring("r1", stage.number(0, ANSWERS))
    await stage.relays[0].streamed(1)
    await stage.store.move("tom", "r1", StreamStarted(1, stage.relays[0].url, 1))


async def test_an_answer_is_left_at_the_relay_that_holds_the_call_once(stage: Stage) -> None:
    """If this fails the callee waits for an answer that was given, or hears it twice."""
    await talking(stage)
    errand = await stage.errand("r1")
    for _ in range(2):
        await pass_on(errand, "q1", "yes", stage.parts)
    ((_, command),) = await stage.store.inbox(stage.relays[0].url)
    assert (command.kind, command.rid, command.question, command.answer) == ("answer", "r1", "q1", "yes")


async def test_a_talk_ends_with_a_goodbye_and_a_ringing_phone_falls_silent(stage: Stage) -> None:
    """If this fails a cancelled call is cut off in mid-word, or a phone rings on."""
    await talking(stage)
    await end_call(await stage.errand("r1"), stage.parts)
    ((_, command),) = await stage.store.inbox(stage.relays[0].url)
    assert command.kind == "hang_up"
    await stage.ring("r2", stage.number(1))
    await stage.rings(2)
    sid = str((await stage.call("r2")).sid)
    # A process without an account leaves it to the sweeper.
    await end_call(await stage.errand("r2"), replace(stage.parts, carrier=Carrier("", "")))
    assert stage.exchange.calls[sid].status != "canceled"
    await end_call(await stage.errand("r2"), stage.parts)
    assert stage.exchange.calls[sid].status == "canceled"


async def test_the_carriers_word_is_applied_and_an_outage_proves_nothing(stage: Stage) -> None:
    """If this fails a call that ended goes on in the books, or an outage is taken for "no such call"."""
    stage.exchange.faults.suppress_callbacks = True
    await stage.ring("r1", stage.number(0, BUSY))
    await stage.rings(1)
    call = await stage.call("r1")
    found = await stage.carrier.fetch_call(str(call.sid))
    while found is not None and not found.ended:
        found = await stage.carrier.fetch_call(str(call.sid))
    assert await ask_carrier(await stage.errand("r1"), call, stage.parts) == "unknown"
    assert (await stage.call("r1")).status is CallStatus.BUSY
    assert await stage.store.lines() == []
    away = Carrier(ACCOUNT, TOKEN, api_base="http://127.0.0.1:1")
    assert await ask_carrier(await stage.errand("r1"), call, replace(stage.parts, carrier=away)) == "unknown"
    await away.close()


async def test_of_two_calls_for_one_order_the_first_is_adopted_and_the_other_ended(stage: Stage) -> None:
    """If this fails a callee talks to Floyd twice at the same time."""
    stage.exchange.faults.suppress_callbacks = True
    number = stage.number(0)
    await stage.ready("r1", number)
    await stage.intend("r1")
    await stage.store.move("tom", "r1", DialClaimed(1))
    words = "<Response><Pause length='60'/></Response>"
    placed = [await stage.carrier.place_call(to=number, from_=FLOYD, twiml=words, status_callback="") for _ in range(2)]
    sids = [getattr(each, "sid", "") for each in placed]
    evidence = await ask_carrier(await stage.errand("r1"), await stage.call("r1"), stage.parts)
    assert evidence == "live"
    adopted = (await stage.call("r1")).sid
    assert adopted in sids
    (other,) = set(sids) - {adopted}
    assert stage.exchange.calls[other].status in ("canceled", "completed")
    await stage.store.move("tom", "r1", CancelRequested())
    assert (await stage.errand("r1")).request.status in (Status.DIALING, Status.RINGING)


async def test_who_looks_too_late_for_a_lost_order_leaves_the_call_that_replaced_it_alone(stage: Stage) -> None:
    """If this fails the dialler and the sweeper, looking for the same order, end the second attempt of each other."""
    stage.exchange.faults.suppress_callbacks = True
    number = stage.number(0)
    await stage.ready("r1", number)
    await stage.intend("r1")
    for event in (DialClaimed(1), PostUnknown(1)):
        await stage.store.move("tom", "r1", event)
    errand, call = await stage.errand("r1"), await stage.call("r1")
    await order_again(errand, stage.parts, errand.request.deadline)
    assert (await stage.errand("r1")).request.attempt == 2
    words = "<Response><Pause length='60'/></Response>"
    placed = await stage.carrier.place_call(to=number, from_=FLOYD, twiml=words, status_callback="")
    assert await ask_carrier(errand, call, stage.parts) == "absent"
    assert stage.exchange.calls[getattr(placed, "sid", "")].status not in ("canceled", "completed")
