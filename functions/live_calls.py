"""Reaching a call that is under way: pass the person's answer on, or end it."""

from __future__ import annotations

import logging
from datetime import datetime

from floyd.carrier import Carrier
from floyd.documents import Status
from floyd.errors import VendorError
from floyd.lifecycle import Errand
from floyd.store import InboxCommand, Store

log = logging.getLogger(__name__)


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
