"""From the intent to ring until the carrier and the relay say that it is over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from floyd.documents import BEFORE_DIALING, CALL_ENDED, LIVE, TERMINAL, Call, CallStatus, Status
from floyd.lifecycle import events
from floyd.lifecycle.errand import (
    ABSENT_AFTER,
    CALL_RANK,
    DIAL_WINDOW,
    HINT,
    MAX_HOPS,
    RELAY_GRACE,
    RING_LIMIT,
    TALK_LIMIT,
    Create,
    Decision,
    Errand,
    close_call,
    end,
    ignore,
    move,
    plain_outcome,
    ready_again,
    status_for,
    wrap_up,
)

# Why a call ended, when only the carrier's final status tells.
REASON_OF = {
    CallStatus.BUSY: "busy",
    CallStatus.NO_ANSWER: "no_answer",
    CallStatus.FAILED: "line_failed",
    CallStatus.CANCELED: "cancelled",
    CallStatus.COMPLETED: "line_failed",
    CallStatus.REFUSED: "line_failed",
}


CANCELLED = plain_outcome("cancelled", "You cancelled this request.")


def cancel_requested(errand: Errand, event: events.CancelRequested, now: datetime) -> Decision:
    """Stop at once while no phone can have rung; later, note the wish and say that the call must be ended."""
    request, call = errand.request, errand.call
    if request.status in TERMINAL or request.status is Status.WRAPPING:
        return ignore(errand, f"too late: {request.status.value}", answer=request.status.value)
    unrung = request.status is Status.DIALING and call is not None and call.status is CallStatus.INTENDED
    if request.status in BEFORE_DIALING or unrung:
        closed = (close_call(errand, "cancelled", now),) if unrung else ()
        return end(errand, Status.CANCELLED, CANCELLED, now, answer="cancelled", updates=closed)
    if request.cancel_requested_at is not None:
        return ignore(errand, "cancelled already", answer="end_call")
    return move(errand, cancel_requested_at=now, answer="end_call")


def dial_due(errand: Errand, event: events.DialDue, now: datetime) -> Decision:
    """Write down the intent to ring: creating the call document is what makes the dialler act."""
    request = errand.request
    if request.status is not Status.READY:
        return ignore(errand, f"not ready: {request.status.value}")
    if request.not_before is not None and now < request.not_before:
        return ignore(errand, "not yet")
    return _intend(errand, event.to, event.from_, now)


def _intend(errand: Errand, to: str, from_: str, now: datetime, **fields: Any) -> Decision:
    attempt = fields.get("attempt", errand.request.attempt)
    call = Call.model_validate(
        {"to": to, "from": from_, "epoch": 1, "intent_at": now, "created_at": now, "not_after": now + DIAL_WINDOW}
    )
    decision = move(errand, Status.DIALING, deadline=now + HINT, creates=(Create(f"calls/{attempt}", call),), **fields)
    return Decision(Errand(errand.uid, errand.rid, decision.errand.request, call), decision.creates, decision.updates)


def intend_again(errand: Errand, now: datetime, hints: int) -> Decision:
    """The trigger of an intent was lost and nobody claimed it: the same intent as a fresh attempt."""
    assert errand.call is not None
    closed = (close_call(errand, "never_claimed", now),)
    attempt = errand.request.attempt + 1
    return _intend(errand, errand.call.to, errand.call.from_, now, attempt=attempt, hints=hints, updates=closed)


_STALE = "another attempt"


def _present(errand: Errand, attempt: int) -> Call | None:
    """The present call if the event is about it."""
    return errand.call if attempt == errand.request.attempt else None


def dial_claimed(errand: Errand, event: events.DialClaimed, now: datetime) -> Decision:
    """Exactly one claim succeeds per attempt, and none after a confirmed cancel or when the intent is old."""
    call = _present(errand, event.attempt)
    if call is None:
        return ignore(errand, _STALE)
    if errand.request.status is not Status.DIALING or call.status is not CallStatus.INTENDED:
        return ignore(errand, "claimed already")
    if errand.request.cancel_requested_at is not None:
        return ignore(errand, "cancelled")
    if call.not_after is not None and now > call.not_after:
        return ignore(errand, "the intent is too old")
    return move(errand, call={"status": CallStatus.POSTING}, deadline=now + RING_LIMIT)


def _no_phone_rang(errand: Errand, attempt: int) -> str | None:
    """Why "nobody was rung" cannot be true of this attempt, or None."""
    call = _present(errand, attempt)
    if call is None:
        return _STALE
    rung = call.sid is not None or call.status not in (CallStatus.INTENDED, CallStatus.POSTING)
    return "a call exists" if errand.request.status is not Status.DIALING or rung else None


def dial_refused(errand: Errand, event: events.DialRefused, now: datetime) -> Decision:
    if impossible := _no_phone_rang(errand, event.attempt):
        return ignore(errand, impossible)
    call = {"status": CallStatus.REFUSED, "end_reason": event.category, "ended_at": now}
    outcome = plain_outcome(event.category, event.message)
    return end(errand, status_for(event.category), outcome, now, call=call)


def postponed(errand: Errand, event: events.Postponed, now: datetime) -> Decision:
    """Not yet. An intent that was written already is closed, and the next attempt carries the errand on."""
    if errand.request.status is Status.READY and event.attempt == errand.request.attempt:
        return move(errand, not_before=event.until, deadline=event.until + HINT, status_reason=event.reason)
    if impossible := _no_phone_rang(errand, event.attempt):
        return ignore(errand, impossible)
    if errand.request.cancel_requested_at is not None:
        return end(errand, Status.CANCELLED, CANCELLED, now, updates=(close_call(errand, "cancelled", now),))
    return ready_again(errand, event.until, event.reason, updates=(close_call(errand, "postponed", now),))


def posted(errand: Errand, event: events.Posted, now: datetime) -> Decision:
    """The carrier has the call. A wish to cancel that came meanwhile is for the caller of this to carry out."""
    call = _present(errand, event.attempt)
    if call is None:
        return ignore(errand, _STALE, answer="cancel_other")
    unwanted = errand.request.cancel_requested_at is not None or errand.request.status in TERMINAL
    wanted = "end_call" if unwanted else None
    if call.sid is not None and call.sid != event.sid:
        return ignore(errand, "another call was first", answer="cancel_other")
    if call.sid == event.sid or call.status in CALL_ENDED:
        return ignore(errand, "known already", answer=wanted)
    changed: dict[str, Any] = {"sid": event.sid}
    if CALL_RANK[call.status] < CALL_RANK[CallStatus.QUEUED]:
        changed["status"] = CallStatus.QUEUED
    return move(errand, call=changed, deadline=max(errand.request.deadline, now + RING_LIMIT), answer=wanted)


def post_unknown(errand: Errand, event: events.PostUnknown, now: datetime) -> Decision:
    call = _present(errand, event.attempt)
    if call is None or call.status is not CallStatus.POSTING:
        return ignore(errand, "evidence came first")
    return move(errand, call={"status": CallStatus.UNKNOWN}, deadline=now + ABSENT_AFTER)


def carrier_progress(errand: Errand, event: events.CarrierProgress, now: datetime) -> Decision:
    """Apply evidence by rank, so that order and copies do not matter; the first call id of an attempt is the call."""
    request, call = errand.request, errand.call
    final = event.status in CALL_ENDED
    if event.attempt != request.attempt or call is None:
        return ignore(errand, _STALE, answer=None if final else "cancel_other")
    if call.sid is not None and call.sid != event.sid:
        return ignore(errand, "another call was first", answer=None if final else "cancel_other")
    if request.status is Status.UNCONFIRMED:
        return _confirm(errand, event, now)
    if request.status in TERMINAL:
        return ignore(errand, "ended already", answer=None if final else "end_call")
    if call.sid == event.sid and CALL_RANK[event.status] <= CALL_RANK[call.status]:
        return ignore(errand, "known already")
    changed: dict[str, Any] = {"sid": event.sid}
    if CALL_RANK[event.status] > CALL_RANK[call.status]:
        changed["status"] = event.status
    if event.status is CallStatus.IN_PROGRESS:
        changed["answered_at"] = call.answered_at or now
    if final:
        return _line_closed(errand, event, changed, now)
    wanted = "end_call" if request.cancel_requested_at is not None else None
    rings = event.status in (CallStatus.RINGING, CallStatus.IN_PROGRESS) and request.status is Status.DIALING
    if rings:
        return move(errand, Status.RINGING, call=changed, deadline=now + RING_LIMIT, answer=wanted)
    return move(errand, call=changed, deadline=max(request.deadline, now + RING_LIMIT), answer=wanted)


def _line_closed(errand: Errand, event: events.CarrierProgress, changed: dict[str, Any], now: datetime) -> Decision:
    """The carrier says that the call is over. While a relay holds it, its own account follows within seconds."""
    request = errand.request
    changed["ended_at"] = now
    if request.status is Status.TALKING:
        return move(errand, call=changed, deadline=now + RELAY_GRACE)
    if errand.call is not None and errand.call.end_reason is not None:
        return move(errand, call=changed)  # What the call came to is being worked out, or already known.
    return wrap_up(errand, REASON_OF[event.status], now, changed)


def _confirm(errand: Errand, event: events.CarrierProgress, now: datetime) -> Decision:
    """Late evidence about a call of which nothing was known: the one way out of `unconfirmed` without the person."""
    if event.status not in CALL_ENDED:
        return ignore(errand, "not ended yet", answer="end_call")
    reason = "cancelled" if errand.request.cancel_requested_at is not None else REASON_OF[event.status]
    category, summary = {
        "busy": ("busy", "The line was busy; nobody was spoken to."),
        "no_answer": ("no_answer", "It rang, and nobody answered."),
        "cancelled": ("cancelled", "The call was cancelled before anybody was spoken to."),
    }.get(reason, ("line_failed", "The carrier reports that the call ended without a conversation."))
    call = {"sid": event.sid, "status": event.status, "ended_at": now, "end_reason": reason}
    outcome = plain_outcome(category, summary)  # type: ignore[arg-type]  # the literals above are categories
    return end(errand, status_for(outcome.category), outcome, now, call=call)


def resume_granted(errand: Errand, event: events.ResumeGranted, now: datetime) -> Decision:
    """One more stream for a call that is still wanted; the epoch shuts the old stream out."""
    call = _present(errand, event.attempt)
    if call is None or not _wanted(errand):
        return ignore(errand, "the call is not wanted any more")
    if call.hops >= MAX_HOPS:
        return ignore(errand, "the line broke too often")
    return move(errand, call={"hops": call.hops + 1, "epoch": call.epoch + 1})


def _wanted(errand: Errand) -> bool:
    request, call = errand.request, errand.call
    ended = call is None or call.status in CALL_ENDED
    return request.status in LIVE and request.cancel_requested_at is None and not ended


def stream_started(errand: Errand, event: events.StreamStarted, now: datetime) -> Decision:
    """A relay asks whether the call is still wanted; only an accepted event lets it speak."""
    request, call = errand.request, _present(errand, event.attempt)
    if call is None:
        return ignore(errand, _STALE)
    if event.epoch != call.epoch:
        return ignore(errand, "another epoch")
    if not _wanted(errand):
        return ignore(errand, "the call is not wanted any more")
    changed: dict[str, Any] = {"relay_url": event.relay_url, "answered_at": call.answered_at or now}
    if CALL_RANK[call.status] < CALL_RANK[CallStatus.IN_PROGRESS]:
        changed["status"] = CallStatus.IN_PROGRESS
    if request.status is Status.TALKING:
        return move(errand, call=changed)
    return move(errand, Status.TALKING, call=changed, deadline=now + TALK_LIMIT)


def call_finished(errand: Errand, event: events.CallFinished, now: datetime) -> Decision:
    """The relay's word on why the conversation ended."""
    if _present(errand, event.attempt) is None:
        return ignore(errand, _STALE)
    if errand.request.status not in LIVE:
        return ignore(errand, f"not live: {errand.request.status.value}")
    return wrap_up(errand, event.end_reason, now)
