"""Calls under way: join them to a relay, believe what the carrier says, pass the person's answer on, end them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from urllib.parse import quote

from floyd import twiml
from floyd.carrier import CarrierCall
from floyd.documents import CALL_ENDED, Call, Status
from floyd.errors import VendorError
from floyd.lifecycle import Errand
from floyd.lifecycle.during_the_call import CarrierProgress
from floyd.prices import DOLLARS_PER_MINUTE
from floyd.relays import in_order
from floyd.signatures import new_token, token_digest
from floyd.store import InboxCommand, StreamToken, line_holder
from functions.parts import Parts

log = logging.getLogger(__name__)

Evidence = Literal["live", "absent", "unknown"]
# A call that was ordered a moment ago may be missing from the carrier's list, so an empty one is asked for again.
LOOKS_S = (0.0, 2.0)
# A room is kept until the phone has been answered: 45 s of ringing, up to 5 more at the carrier, and some in its queue.
ROOM_KEPT = timedelta(seconds=75)
# Each may take 8 s to wake, and the carrier or the event that is being served does not wait for many.
WOKEN_AT_MOST = 2


def carrier_url(errand: Errand, route: str, parts: Parts) -> str:
    """The public address of one of this call's own webhooks: `status`, `stream` or `resume`."""
    uid, attempt = quote(errand.uid, safe=""), errand.request.attempt
    return f"{parts.settings.floyd_carrier_url}/calls/{uid}/{errand.rid}/{attempt}/{route}"


async def find_room(holder: str, parts: Parts, *, not_at: str | None = None) -> str | None:
    """Reserve a room at a relay that is awake; its origin, or None. `not_at`: a relay to be tried last.

    Raises VendorError when relays cannot be listed.
    """
    urls = in_order(await parts.relays.urls(), await parts.store.relays(), parts.now)
    for url in sorted(urls, key=lambda each: each == not_at)[:WOKEN_AT_MOST]:
        if await parts.store.reserve_room(url, holder, parts.now + ROOM_KEPT):
            if await parts.relays.is_ready(url):
                return url
            await parts.store.free_room(url, holder)
    return None


async def stream_twiml(errand: Errand, relay_url: str, parts: Parts, *, not_after: datetime) -> str:
    """Mint a token for the call's present epoch and write the instructions that carry it to `relay_url`."""
    assert errand.call is not None
    token = new_token()
    bound_to = StreamToken(
        uid=errand.uid,
        rid=errand.rid,
        attempt=errand.request.attempt,
        epoch=errand.call.epoch,
        account_sid=parts.settings.twilio_account_sid,
        not_after=not_after,
    )
    await parts.store.keep_token(token_digest(token), bound_to)
    urls = {"stream_callback": carrier_url(errand, "stream", parts), "resume_url": carrier_url(errand, "resume", parts)}
    return twiml.stream(relay_url, token, **urls)


async def apply_progress(uid: str, rid: str, event: CarrierProgress, parts: Parts) -> None:
    """Apply the carrier's word on a call, end a call that should not be, and free the line of one that is over."""
    moved = await parts.store.move(uid, rid, event)
    if moved.answer in ("cancel_other", "end_call"):
        try:
            await parts.carrier.cancel_call(event.sid)
        except VendorError as error:
            log.warning("a call that nobody wants may ring on until the sweeper ends it: %s", error)
    call = await parts.store.call(uid, rid, event.attempt)
    if event.status in CALL_ENDED and call is not None and call.sid == event.sid:
        cost = max(Decimal(call.cost.amount), Decimal(event.duration_s or 0) / 60 * DOLLARS_PER_MINUTE)
        await parts.store.release_line(call.from_, call.to, line_holder(uid, rid, event.attempt), cost=cost)


async def ask_carrier(errand: Errand, call: Call, parts: Parts, *, looks_s: Sequence[float] = LOOKS_S) -> Evidence:
    """What the carrier says about this call; whatever it says is applied to the request.

    `looks_s`: waits before each look at its list. `absent`: none of them found the call.
    """
    try:
        found = await _find_call(errand, call, parts, looks_s)
    except VendorError as error:
        log.warning("the carrier does not say what became of a call: %s", error)
        return "unknown"
    if found is None:
        return "absent"
    event = CarrierProgress(errand.request.attempt, found.sid, found.status, found.duration_s)
    await apply_progress(errand.uid, errand.rid, event, parts)
    return "unknown" if found.ended else "live"


async def _find_call(errand: Errand, call: Call, parts: Parts, looks_s: Sequence[float]) -> CarrierCall | None:
    """By its id, or when the order's answer was lost by its numbers, which no other call can share meanwhile."""
    if call.sid is not None:
        return await parts.carrier.fetch_call(call.sid)
    for wait_s in looks_s:
        await asyncio.sleep(wait_s)
        since = call.created_at or errand.request.created_at
        if found := await parts.carrier.list_calls(to=call.to, from_=call.from_, since=since):
            # Read after the list: only while no later attempt was intended can none of its calls be in there.
            newest = await parts.store.load(errand.uid, errand.rid, attempt=errand.request.attempt)
            if newest.request.attempt != errand.request.attempt:
                return None
            first, *others = reversed(found)
            for other in others:
                await parts.carrier.cancel_call(other.sid)
            return first
    return None


async def pass_on(errand: Errand, question: str, answer: str, parts: Parts) -> None:
    """Tell the relay that holds the call what the person answered."""
    await _tell_relay(errand, f"answer-{errand.rid}-{question}", "answer", parts, question=question, answer=answer)


async def _tell_relay(errand: Errand, name: str, kind: str, parts: Parts, **fields: str) -> bool:
    """Put a command into the inbox of the call's relay; False when no relay holds it."""
    if errand.call is None or not errand.call.relay_url:
        return False
    whose = {"uid": errand.uid, "rid": errand.rid, "attempt": errand.request.attempt, "created_at": parts.now}
    command = InboxCommand.model_validate({"kind": kind} | whose | fields)
    await parts.store.tell_relay(errand.call.relay_url, name, command)
    return True


async def end_call(errand: Errand, parts: Parts) -> None:
    """End a call that the person no longer wants: its relay says goodbye, or the carrier stops the ringing.

    The wish is written down already; what cannot be reached now is ended by the dialler or the sweeper.
    """
    name = f"hang-up-{errand.rid}-{errand.request.attempt}"
    if errand.request.status is Status.TALKING and await _tell_relay(errand, name, "hang_up", parts):
        return
    if errand.call is not None and errand.call.sid is not None:
        try:
            await parts.carrier.cancel_call(errand.call.sid)
        except VendorError as error:
            log.warning("the carrier could not be asked to end a call", extra={"rid": errand.rid, "code": error.code})
