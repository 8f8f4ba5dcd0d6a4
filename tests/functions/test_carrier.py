"""What the carrier says, signed, over sockets: progress in any order, broken streams, people who ring back."""

from __future__ import annotations

import asyncio
import random
from typing import NamedTuple
from urllib.parse import urlencode

import pytest

from floyd.documents import CallStatus, Person, Status
from floyd.lifecycle.during_the_call import CancelRequested, StreamStarted
from floyd.relays import shard_id
from floyd.signatures import sign, token_digest
from floyd.store import line_holder
from functions.carrier import Incoming, receive
from tests.functions.conftest import ACCOUNT, ANSWERS, BUSY, FLOYD, TOKEN, Stage

STRANGER = "+13125550177"


def post(stage: Stage, route: str, form: dict[str, str], *, token: str = TOKEN, prefix: str = "/carrier") -> Incoming:
    """A form as Twilio would send it."""
    signature = sign(token, stage.settings.floyd_carrier_url + route, form.items())
    return Incoming("POST", prefix + route, "", signature, urlencode(form).encode())


class Told(NamedTuple):
    status: int
    body: str


async def send(stage: Stage, route: str, form: dict[str, str]) -> Told:
    answer = await receive(post(stage, route, form), stage.parts)
    return Told(answer.status_code, bytes(answer.body).decode())


def progress(sid: str, status: str, number: int = 0) -> dict[str, str]:
    return {"AccountSid": ACCOUNT, "CallSid": sid, "CallStatus": status, "SequenceNumber": str(number)}


async def test_forged_requests_change_nothing(stage: Stage) -> None:
    """Fails if anybody but Twilio can move a call, or learns from the answer what exists."""
    await stage.ring("r1", stage.number(0))
    before = await stage.until_status("r1", Status.RINGING)
    sid = str((await stage.call("r1")).sid)
    route, form = "/calls/tom/r1/1/status", progress(sid, "completed")
    genuine = post(stage, route, form)
    random_, forged = random.Random(69), []
    for _ in range(100):
        place = random_.randrange(len(genuine.signature) - 1)
        flipped = "A" if genuine.signature[place] != "A" else "B"
        forged.append(genuine.signature[:place] + flipped + genuine.signature[place + 1 :])
    attempts = [Incoming("POST", genuine.path, "", signature, genuine.body) for signature in ["", *forged]]
    attempts += [
        post(stage, route, form, token="somebody-elses"),
        Incoming("POST", genuine.path, "x=1", genuine.signature, genuine.body),
        Incoming("POST", genuine.path.replace("r1", "r2"), "", genuine.signature, genuine.body),
        Incoming("POST", genuine.path, "", genuine.signature, genuine.body + b"&CallStatus=busy"),
        Incoming("POST", genuine.path, "", genuine.signature, b"\xff\xfe"),
        Incoming("GET", genuine.path, "", genuine.signature, b""),
    ]
    for attempt in attempts:
        assert (await receive(attempt, stage.parts)).status_code == 403
    assert (await stage.errand("r1")).request == before.request


async def test_signed_requests_about_nothing(stage: Stage) -> None:
    """Fails if a strange but genuine request crashes the function or creates something."""
    assert (await send(stage, "/calls/tom/none/1/status", progress("CA1", "ringing"))).status == 404
    assert (await send(stage, "/nowhere", {})).status == 404
    other = progress("CA1", "ringing") | {"AccountSid": "AC" + "9" * 32}
    assert (await send(stage, "/calls/tom/r1/1/status", other)).status == 404
    assert (await send(stage, "/calls/tom/r1/1/status", progress("CA1", "dancing"))).status == 204


async def test_a_proxy_may_cut_off_the_path_of_our_address(stage: Stage) -> None:
    """Fails if genuine requests are refused where the platform hides the function's name from it."""
    await stage.ring("r1", stage.number(0))
    form = progress(str((await stage.call("r1")).sid), "ringing")
    for prefix in ("/carrier", ""):
        incoming = post(stage, "/calls/tom/r1/1/status", form, prefix=prefix)
        assert (await receive(incoming, stage.parts)).status_code == 204


async def test_any_person_can_be_named_in_an_address(stage: Stage) -> None:
    """Fails if the callbacks of people whose id has unusual characters are lost."""
    await stage.ring("r1", stage.number(0), uid="an:odd id+1%2F")
    await stage.until_status("r1", Status.RINGING, uid="an:odd id+1%2F")


async def test_copies_in_any_order_end_in_the_truth(stage: Stage) -> None:
    """Fails if callbacks that come late, double or reversed bring a finished call back to life."""
    stage.exchange.faults.duplicate_callbacks, stage.exchange.faults.reorder_callbacks = 2, True
    await stage.ring("r1", stage.number(0, BUSY))
    errand = await stage.until_status("r1", Status.WRAPPING)
    assert errand.call is not None
    assert (errand.call.status, errand.call.end_reason) == (CallStatus.BUSY, "busy")
    sid = str(errand.call.sid)
    for status in ("ringing", "in-progress", "initiated", "completed", "busy"):
        await send(stage, "/calls/tom/r1/1/status", progress(sid, status, 9))
    after = await stage.errand("r1")
    assert after.request.status is Status.WRAPPING
    assert after.call is not None
    assert after.call.status is CallStatus.BUSY


async def test_a_finished_call_gives_its_line_back_once(stage: Stage) -> None:
    """Fails if a call that is over blocks its number, or copies of its end cost the day's money twice."""
    number = stage.number(0, BUSY)
    await stage.ring("r1", number)
    await stage.until_status("r1", Status.WRAPPING)
    sid = str((await stage.call("r1")).sid)
    for copy in range(3):
        form = progress(sid, "completed", copy) | {"CallDuration": "60"}
        await send(stage, "/calls/tom/r1/1/status", form)
    assert await stage.store.lines() == []
    assert await stage.ring("r2", number) == "rings"


async def test_a_second_call_for_one_attempt_is_cancelled(stage: Stage) -> None:
    """Fails if a duplicate, however it came about, goes on ringing beside the first."""
    number = stage.number(0)
    await stage.ring("r1", number)
    await stage.until_status("r1", Status.RINGING)
    call = await stage.call("r1")
    other = await stage.carrier.place_call(
        to=number, from_=FLOYD, twiml="<Response/>", status_callback="http://x.test/"
    )
    sid = next(sid for sid in stage.exchange.calls if sid != call.sid)
    assert other is not None
    await send(stage, "/calls/tom/r1/1/status", progress(sid, "initiated"))
    duplicate = await stage.carrier.fetch_call(sid)
    assert duplicate is not None
    assert duplicate.status is CallStatus.CANCELED
    assert (await stage.call("r1")).sid == call.sid


async def test_a_call_that_was_cancelled_meanwhile_is_ended(stage: Stage) -> None:
    """Fails if a phone goes on ringing for somebody who no longer wants the call."""
    await stage.ring("r1", stage.number(0))
    await stage.until_status("r1", Status.RINGING)
    moved = await stage.store.move("tom", "r1", CancelRequested())
    assert moved.answer == "end_call"
    sid = str((await stage.call("r1")).sid)
    await send(stage, "/calls/tom/r1/1/status", progress(sid, "in-progress", 7))
    errand = await stage.until_status("r1", Status.WRAPPING)
    assert errand.call is not None
    assert errand.call.end_reason == "cancelled"


async def talking(stage: Stage) -> str:
    """A call that has been answered and talks through the first relay; its id."""
    await stage.ring("r1", stage.number(0, ANSWERS))
    await stage.relays[0].streamed(1)
    token = await stage.store.use_token(token_digest(stage.relays[0].tokens[0]), call_sid="CA", used_by="test")
    assert token is not None
    assert (token.uid, token.rid, token.attempt, token.epoch, token.account_sid) == ("tom", "r1", 1, 1, ACCOUNT)
    await stage.store.move("tom", "r1", StreamStarted(1, stage.relays[0].url, token.epoch))
    return str((await stage.call("r1")).sid)


async def test_a_broken_stream_goes_on_at_another_relay(stage: Stage) -> None:
    """Fails if a relay that dies takes the call with it, or the old stream's token would still open one."""
    await talking(stage)
    first = stage.relays[0].tokens[0]
    await stage.relays[0].streams[0].close()
    await stage.relays[1].streamed(1)
    call = await stage.call("r1")
    assert (call.epoch, call.hops) == (2, 1)
    second = await stage.store.use_token(token_digest(stage.relays[1].tokens[0]), call_sid="CA", used_by="test")
    assert second is not None
    assert second.epoch == 2
    assert await stage.store.use_token(token_digest(first), call_sid="CA", used_by="thief") is None
    started = await stage.store.move("tom", "r1", StreamStarted(1, stage.relays[0].url, 1))
    assert started.ignored, "a stream of the old epoch must stay shut out"
    kept = (await stage.store.relays())[shard_id(stage.relays[1].url)].reserved
    assert list(kept) == [line_holder("tom", "r1", 1, 2)], "what the relay frees when the stream begins"


async def test_the_redirect_and_the_report_of_one_break_repair_it_once(stage: Stage) -> None:
    """Fails if two repairs of the same break cut each other off."""
    sid = await talking(stage)
    stage.exchange.faults.suppress_callbacks = True
    form = {"AccountSid": ACCOUNT, "CallSid": sid}
    answers = await asyncio.gather(
        *(send(stage, "/calls/tom/r1/1/resume", form) for _ in range(4)),
        send(stage, "/calls/tom/r1/1/stream", form | {"StreamEvent": "stream-error"}),
    )
    bodies = [answer.body for answer in answers[:4]]
    assert sum("<Connect>" in body for body in bodies) <= 1
    assert all("<Connect>" in body or "<Pause" in body for body in bodies)
    assert (await stage.call("r1")).epoch == 2


async def test_a_call_that_has_ended_is_not_resumed(stage: Stage) -> None:
    """Fails if somebody who has heard the goodbye is talked to again, or a stranger's call is connected."""
    sid = await talking(stage)
    wrong = await send(stage, "/calls/tom/r1/1/resume", {"AccountSid": ACCOUNT, "CallSid": "CA" + "9" * 32})
    assert "<Say>" in wrong.body
    assert "<Hangup" in wrong.body
    await stage.store.move("tom", "r1", CancelRequested())
    cancelled = await send(stage, "/calls/tom/r1/1/resume", {"AccountSid": ACCOUNT, "CallSid": sid})
    assert "<Connect>" not in cancelled.body
    await send(stage, "/calls/tom/r1/1/status", progress(sid, "completed", 9))
    errand = await stage.errand("r1")
    await stage.store.put("users/tom/requests/r1", errand.request.model_copy(update={"status": Status.DONE}).to_store())
    over = await send(stage, "/calls/tom/r1/1/resume", {"AccountSid": ACCOUNT, "CallSid": sid})
    assert "<Say>" not in over.body
    assert "<Hangup" in over.body


async def test_with_no_relay_left_the_callee_hears_a_goodbye(stage: Stage) -> None:
    """Fails if somebody is left on a silent line because every relay is gone."""
    sid = await talking(stage)
    for relay in stage.relays:
        relay.ready = False
    answer = await send(stage, "/calls/tom/r1/1/resume", {"AccountSid": ACCOUNT, "CallSid": sid})
    assert "<Say>" in answer.body
    assert "<Hangup" in answer.body


async def test_somebody_who_rings_back_learns_who_rang_and_can_key_it_away(stage: Stage) -> None:
    """Fails if a callee cannot find out who called, or their opt-out does not stop the next call."""
    number = stage.number(0, BUSY)
    await stage.store.put("users/tom", Person(name="Tom Baker"))
    await stage.ring("r1", number)
    await stage.until_status("r1", Status.WRAPPING)
    heard = await send(stage, "/inbound", {"From": number, "To": FLOYD, "CallSid": "CA1"})
    assert "for Tom Baker" in heard.body
    assert "AI assistant" in heard.body
    assert "<Gather" in heard.body
    keyed = await send(stage, "/inbound", {"From": number, "To": FLOYD, "CallSid": "CA1", "Digits": "9"})
    assert "<Hangup" in keyed.body
    await stage.ring("r2", number)
    outcome = (await stage.errand("r2")).request.outcome
    assert outcome is not None
    assert outcome.category == "do_not_call"
    unknown = await send(stage, "/inbound", {"From": STRANGER, "To": FLOYD, "CallSid": "CA2"})
    assert "no record" in unknown.body


@pytest.mark.parametrize("field", ["CallSid", "SequenceNumber", "AccountSid"])
async def test_missing_fields_are_survived(stage: Stage, field: str) -> None:
    """Fails if a genuine but incomplete form crashes the function."""
    await stage.ring("r1", stage.number(0))
    form = progress(str((await stage.call("r1")).sid), "ringing")
    del form[field]
    assert (await send(stage, "/calls/tom/r1/1/status", form)).status in {204, 404}


async def test_old_replays_find_their_mark(stage: Stage) -> None:
    """Fails if a recorded webhook, sent again, does anything."""
    await stage.ring("r1", stage.number(0))
    recorded = post(stage, "/calls/tom/r1/1/status", progress(str((await stage.call("r1")).sid), "ringing", 1))
    await receive(recorded, stage.parts)
    rev = (await stage.errand("r1")).request.rev
    for _ in range(3):
        assert (await receive(recorded, stage.parts)).status_code == 204
    assert (await stage.errand("r1")).request.rev == rev
