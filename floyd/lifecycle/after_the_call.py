"""The outcome, calls after no answer, and what the sweeper does when a deadline has passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from floyd.documents import CALL_ENDED, TERMINAL, CallStatus, JobReason, Status
from floyd.lifecycle import limits
from floyd.lifecycle.during_the_call import CANCELLED, intend_again
from floyd.lifecycle.errand import Decision, Errand, Event, JobResult, Updates
from floyd.plans import Outcome

_PLAN_LOST = Outcome(category="vendor_failed", summary="Floyd could not plan this request in time.")
_DIAL_LOST = Outcome(category="vendor_failed", summary="Floyd could not start the call in time. Nobody was called.")
_OUTCOME_LOST = Outcome(
    category="vendor_failed",
    summary="The call took place, but its result could not be worked out. The transcript is complete.",
)
_UNCONFIRMED = Outcome(
    category="unconfirmed",
    summary="Floyd cannot prove whether a call took place, and will not ring again unless you say so.",
)
_UNANSWERED = Outcome(category="needs_answer", summary="Floyd's question was not answered.")
# Half an hour of refused or forgotten starts is a fault that waiting will not cure.
_MAX_LATE_STARTS = 30


@dataclass(frozen=True, slots=True)
class OutcomeFound(JobResult):
    """What the call came to, checked by code. `cost` is in dollars, a decimal string, for this attempt.

    It ends the request, waits for the person's answer, rings back with one that is there already, or rings again later.
    """

    outcome: Outcome
    cost: str = "0"

    @property
    def step(self) -> Status:
        return Status.WRAPPING

    def apply(self, errand: Errand, now: datetime, done: Updates) -> Decision:
        request, category = errand.request, self.outcome.category
        total = str(Decimal(request.cost.amount) + Decimal(self.cost))
        fields: dict[str, Any] = {"cost": request.cost.model_copy(update={"amount": total}), "updates": done}
        asks, unheard = category in ("needs_answer", "needs_approval"), category in ("no_answer", "busy")
        if request.cancel_requested_at is not None and (asks or unheard):
            return errand.end(self.outcome.model_copy(update={"category": "cancelled"}), now, **fields)
        if asks and request.open_questions:
            fields |= {"deadline": now + limits.WAITING_LIMIT, "status_reason": self.outcome.summary}
            return errand.move(Status.WAITING, **fields)
        if asks:
            return errand.plan_again(JobReason.ANSWER, now, **fields)
        if unheard and request.redials < len(limits.REDIAL_AFTER):
            due = now + limits.REDIAL_AFTER[request.redials]
            words = "No answer" if category == "no_answer" else "The line was busy"
            return errand.ready_again(due, f"{words}; Floyd rings again.", redials=request.redials + 1, **fields)
        return errand.end(self.outcome, now, **fields)


@dataclass(frozen=True, slots=True)
class Swept(Event):
    """The sweeper found the deadline passed. `evidence` is what the carrier says about the call, if it was asked:

    `live`: it exists and has not ended. `absent`: no such call. `unknown`: not asked, or no answer.
    A call that has ended is reported by CarrierProgress instead. `attempt`: whose call the evidence is about.
    What may be ringing is moved only on evidence, or when none came for very long.
    """

    evidence: Literal["live", "absent", "unknown"] = "unknown"
    attempt: int | None = None

    def decide(self, errand: Errand, now: datetime) -> Decision:
        request, call = errand.request, errand.call
        if request.status in TERMINAL:
            return errand.ignore("ended already")
        if self.attempt not in (None, request.attempt):
            return errand.ignore("another attempt")
        if now < request.deadline:
            return errand.ignore("the deadline has not passed")
        match request.status:
            case Status.PENDING | Status.PLANNING:
                return _hint(errand, JobReason.NEW if request.attempt == 1 else JobReason.RETRY, now, _PLAN_LOST)
            case Status.WRAPPING:
                return _hint(errand, JobReason.OUTCOME, now, _OUTCOME_LOST)
            case Status.WAITING:
                return errand.end(_UNANSWERED, now)
            case Status.READY:  # Due, and still not dialled.
                if request.hints >= _MAX_LATE_STARTS:
                    return errand.end(_DIAL_LOST, now)
                return errand.move(hints=request.hints + 1, deadline=now + limits.HINT)
            case Status.DIALING if call is not None and call.status is CallStatus.INTENDED:
                if request.hints < limits.MAX_HINTS:
                    return intend_again(errand, call, now)
                closed = {"status": CallStatus.CANCELED, "end_reason": "line_failed", "ended_at": now}
                return errand.end(_DIAL_LOST, now, call=closed)
            case _:
                return self._unheard(errand, now)

    def _unheard(self, errand: Errand, now: datetime) -> Decision:
        """A call that the carrier knows or may know, and no news of its end."""
        request, call = errand.request, errand.call
        held = request.status is Status.TALKING
        if held and call is not None and call.status in CALL_ENDED:
            return errand.wrap_up("line_failed", now)
        if self.evidence == "live":
            return errand.move(deadline=now + limits.RING_LIMIT)
        if self.evidence == "unknown" and now < request.deadline + limits.EVIDENCE_LIMIT:
            return errand.ignore("the carrier has not been heard")
        if held:
            return errand.wrap_up("line_failed", now)
        if self.evidence != "absent" or call is None or call.sid is not None:
            return errand.end(_UNCONFIRMED, now)
        # The order to ring was lost before the carrier took it: order again, a few times, while it is still expected.
        # A call of the lost order that appears later is refused as another attempt's, and so cancelled.
        closed = errand.close_call("never_placed", now)
        if request.cancel_requested_at is not None:
            return errand.end(CANCELLED, now, updates=closed)
        too_late = call.not_after is not None and now > call.not_after
        if too_late or request.redials >= len(limits.REDIAL_AFTER):
            return errand.end(_DIAL_LOST, now, updates=closed)
        reason = "The order to ring was lost; Floyd orders the call again."
        return errand.ready_again(now, reason, redials=request.redials + 1, updates=closed)


def _hint(errand: Errand, reason: JobReason, now: datetime, lost: Outcome) -> Decision:
    """Create the job again, in case its trigger was lost; give up after a few."""
    if errand.request.hints >= limits.MAX_HINTS:
        return errand.end(lost, now)
    again = errand.job(reason, now, again=True)
    return errand.move(hints=errand.request.hints + 1, deadline=now + limits.HINT, creates=again)
