"""The outcome, calls after no answer, and what the sweeper does when a deadline has passed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from floyd.documents import CALL_ENDED, TERMINAL, Call, CallStatus, Cost, JobReason, Status
from floyd.lifecycle import events
from floyd.lifecycle.before_the_call import job_done, lease_lost
from floyd.lifecycle.during_the_call import CANCELLED, intend_again
from floyd.lifecycle.errand import (
    EVIDENCE_LIMIT,
    HINT,
    MAX_HINTS,
    REDIAL_AFTER,
    RING_LIMIT,
    WAITING_LIMIT,
    Decision,
    Errand,
    close_call,
    end,
    ignore,
    job,
    move,
    next_attempt,
    plain_outcome,
    ready_again,
    status_for,
    wrap_up,
)
from floyd.plans import Outcome


def outcome_found(errand: Errand, event: events.OutcomeFound, now: datetime) -> Decision:
    """End, wait for the person's answer, ring back with an answer that is there already, or ring again later."""
    request = errand.request
    if lost := lease_lost(errand, event.epoch):
        return ignore(errand, lost)
    if request.status is not Status.WRAPPING:
        return ignore(errand, f"nothing to wrap up while {request.status.value}")
    fields: dict[str, Any] = {"cost": _added(request.cost, event.cost), "updates": (job_done(event.job, now),)}
    category = event.outcome.category
    if request.cancel_requested_at is not None and category in ("needs_answer", "needs_approval", "no_answer", "busy"):
        cancelled = event.outcome.model_copy(update={"category": "cancelled"})
        return end(errand, Status.CANCELLED, cancelled, now, **fields)
    if category in ("needs_answer", "needs_approval"):
        if request.open_questions:
            reason = event.outcome.summary
            return move(errand, Status.WAITING, deadline=now + WAITING_LIMIT, status_reason=reason, **fields)
        return next_attempt(errand, JobReason.ANSWER, now, **fields)
    if category in ("no_answer", "busy") and request.redials < len(REDIAL_AFTER):
        due = now + REDIAL_AFTER[request.redials]
        words = "No answer" if category == "no_answer" else "The line was busy"
        return ready_again(errand, due, f"{words}; Floyd rings again.", redials=request.redials + 1, **fields)
    return end(errand, status_for(category), event.outcome, now, **fields)


def _added(cost: Cost, amount: str) -> Cost:
    return cost.model_copy(update={"amount": str(Decimal(cost.amount) + Decimal(amount))})


def swept(errand: Errand, event: events.Swept, now: datetime) -> Decision:
    """Act on a passed deadline. What may be ringing is moved only on evidence, or when none came for very long."""
    request = errand.request
    if request.status in TERMINAL:
        return ignore(errand, "ended already")
    if event.attempt not in (None, request.attempt):
        return ignore(errand, "another attempt")
    if now < request.deadline:
        return ignore(errand, "the deadline has not passed")
    match request.status:
        case Status.PENDING | Status.PLANNING:
            return _hint(errand, JobReason.NEW if request.attempt == 1 else JobReason.RETRY, now, _PLAN_LOST)
        case Status.WRAPPING:
            return _hint(errand, JobReason.OUTCOME, now, _OUTCOME_LOST)
        case Status.WAITING:
            return end(errand, Status.FAILED, plain_outcome("needs_answer", "Floyd's question was not answered."), now)
        case Status.READY:
            return _overdue(errand, now)
        case Status.DIALING if errand.call is not None and errand.call.status is CallStatus.INTENDED:
            if request.hints >= MAX_HINTS:
                call = {"status": CallStatus.CANCELED, "end_reason": "line_failed", "ended_at": now}
                return end(errand, Status.FAILED, _DIAL_LOST, now, call=call)
            return intend_again(errand, now, request.hints + 1)
        case _:
            return _unheard(errand, event, now)


_PLAN_LOST = plain_outcome("vendor_failed", "Floyd could not plan this request in time.")
_DIAL_LOST = plain_outcome("vendor_failed", "Floyd could not start the call in time. Nobody was called.")
_OUTCOME_LOST = plain_outcome(
    "vendor_failed", "The call took place, but its result could not be worked out. The transcript is complete."
)
_UNCONFIRMED = plain_outcome(
    "unconfirmed", "Floyd cannot prove whether a call took place, and will not ring again unless you say so."
)
# Half an hour of refused or forgotten starts is a fault that waiting will not cure.
_MAX_LATE_STARTS = 30


def _hint(errand: Errand, reason: JobReason, now: datetime, lost: Outcome) -> Decision:
    """Create the job again, in case its trigger was lost; give up after a few."""
    hints = errand.request.hints + 1
    if hints > MAX_HINTS:
        return end(errand, status_for(lost.category), lost, now)
    return move(errand, hints=hints, deadline=now + HINT, creates=(job(errand, reason, now, again=True),))


def _overdue(errand: Errand, now: datetime) -> Decision:
    """Ready, due, and still not dialled."""
    hints = errand.request.hints + 1
    if hints > _MAX_LATE_STARTS:
        return end(errand, Status.FAILED, _DIAL_LOST, now)
    return move(errand, hints=hints, deadline=now + HINT)


def _unheard(errand: Errand, event: events.Swept, now: datetime) -> Decision:
    """A call that the carrier knows or may know, and no news of its end."""
    request, call = errand.request, errand.call
    held = request.status is Status.TALKING
    if held and call is not None and call.status in CALL_ENDED:
        return wrap_up(errand, "line_failed", now)
    if event.evidence == "live":
        return move(errand, deadline=now + RING_LIMIT)
    if event.evidence == "unknown" and now < request.deadline + EVIDENCE_LIMIT:
        return ignore(errand, "the carrier has not been heard")
    if held:
        return wrap_up(errand, "line_failed", now)
    if event.evidence == "absent" and call is not None and call.sid is None:
        return _never_placed(errand, call, now)
    return end(errand, Status.UNCONFIRMED, _UNCONFIRMED, now)


def _never_placed(errand: Errand, call: Call, now: datetime) -> Decision:
    """The order to ring was lost before the carrier took it: order again, a few times, while it is still expected.

    A call of the lost order that appears later is refused as another attempt's, and so cancelled.
    """
    closed = (close_call(errand, "never_placed", now),)
    if errand.request.cancel_requested_at is not None:
        return end(errand, Status.CANCELLED, CANCELLED, now, updates=closed)
    too_late = call.not_after is not None and now > call.not_after
    if too_late or errand.request.redials >= len(REDIAL_AFTER):
        return end(errand, Status.FAILED, _DIAL_LOST, now, updates=closed)
    reason = "The order to ring was lost; Floyd orders the call again."
    return ready_again(errand, now, reason, redials=errand.request.redials + 1, updates=closed)
