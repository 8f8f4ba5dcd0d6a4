"""Calls under way: ask the carrier about them, believe what it says, pass the person's answer on, end them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from floyd.carrier import Carrier, CarrierCall
from floyd.documents import CALL_ENDED, Call, Status
from floyd.errors import VendorError
from floyd.lifecycle import Errand
from floyd.lifecycle.events import CarrierProgress
from floyd.prices import DOLLARS_PER_MINUTE
from floyd.relays import RelayDirectory
from floyd.settings import Settings
from floyd.store import InboxCommand, Store, line_holder

log = logging.getLogger(__name__)

Evidence = Literal["live", "absent", "unknown"]
# A call that was ordered a moment ago may be missing from the carrier's list, so an empty one is asked for again.
LOOKS_S = (0.0, 2.0)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the functions that speak with the carrier work with."""

    store: Store
    carrier: Carrier
    relays: RelayDirectory
    settings: Settings
    now: datetime


async def apply_progress(uid: str, rid: str, event: CarrierProgress, store: Store, carrier: Carrier) -> None:
    """Apply the carrier's word on a call, end a call that should not be, and free the line of one that is over."""
    moved = await store.move(uid, rid, event)
    if moved.decision.answer in ("cancel_other", "end_call"):
        try:
            await carrier.cancel_call(event.sid)
        except VendorError as error:
            log.warning("a call that nobody wants may ring on until the sweeper ends it: %s", error)
    call = await store.call(uid, rid, event.attempt)
    if event.status in CALL_ENDED and call is not None and call.sid == event.sid:
        minutes = Decimal(event.duration_s or 0) / 60
        cost = max(Decimal(call.cost.amount), minutes * DOLLARS_PER_MINUTE)
        await store.release_line(call.from_, call.to, line_holder(uid, rid, event.attempt), cost=cost)


async def ask_carrier(
    errand: Errand, call: Call, store: Store, carrier: Carrier, *, looks_s: Sequence[float] = LOOKS_S
) -> Evidence:
    """What the carrier says about this call; whatever it says is applied to the request.

    `looks_s`: waits before each look at its list. `absent`: none of them found the call.
    """
    try:
        found = await _find_call(errand, call, carrier, looks_s)
    except VendorError as error:
        log.warning("the carrier does not say what became of a call: %s", error)
        return "unknown"
    if found is None:
        return "absent"
    event = CarrierProgress(errand.request.attempt, found.sid, found.status, found.duration_s)
    await apply_progress(errand.uid, errand.rid, event, store, carrier)
    return "unknown" if found.ended else "live"


async def _find_call(errand: Errand, call: Call, carrier: Carrier, looks_s: Sequence[float]) -> CarrierCall | None:
    """By its id, or when the order's answer was lost by its numbers, which no other call can share meanwhile."""
    if call.sid is not None:
        return await carrier.fetch_call(call.sid)
    for wait_s in looks_s:
        await asyncio.sleep(wait_s)
        since = call.intent_at or errand.request.created_at
        if found := await carrier.list_calls(to=call.to, from_=call.from_, since=since):
            first, *others = reversed(found)
            for other in others:
                await carrier.cancel_call(other.sid)
            return first
    return None


async def pass_on(errand: Errand, question: str, answer: str, *, store: Store, now: datetime) -> None:
    """Tell the relay that holds the call what the person answered."""
    if errand.call is None or not errand.call.relay_url:
        return
    command = InboxCommand(
        kind="answer",
        uid=errand.uid,
        rid=errand.rid,
        attempt=errand.request.attempt,
        question=question,
        answer=answer,
        created_at=now,
    )
    await store.tell_relay(errand.call.relay_url, f"answer-{errand.rid}-{question}", command)


async def end_call(errand: Errand, *, store: Store, carrier: Carrier | None, now: datetime) -> None:
    """End a call that the person no longer wants: its relay says goodbye, or the carrier stops the ringing.

    The wish is written down already; what cannot be reached now is ended by the dialler or the sweeper.
    """
    call = errand.call
    if call is None:
        return
    if errand.request.status is Status.TALKING and call.relay_url:
        attempt = errand.request.attempt
        command = InboxCommand(kind="hang_up", uid=errand.uid, rid=errand.rid, attempt=attempt, created_at=now)
        await store.tell_relay(call.relay_url, f"hang-up-{errand.rid}-{attempt}", command)
    elif call.sid is not None and carrier is not None:
        try:
            await carrier.cancel_call(call.sid)
        except VendorError as error:
            log.warning("the carrier could not be asked to end a call", extra={"rid": errand.rid, "code": error.code})
