"""Planning, the person's decisions, and the way to ready."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from floyd.answers import has_card_number, needs_app, settle
from floyd.documents import BEFORE_DIALING, LIVE, TERMINAL, JobReason, Lease, Status, Wishes
from floyd.facts import filled
from floyd.lifecycle import events
from floyd.lifecycle.errand import (
    HINT,
    LEASE,
    MAX_TRIES,
    WAITING_LIMIT,
    Create,
    Decision,
    Errand,
    Update,
    end,
    ignore,
    job,
    move,
    next_attempt,
    plain_outcome,
    status_for,
)

_STEP_OF = {
    JobReason.NEW: (Status.PENDING, Status.PLANNING),
    JobReason.ANSWER: (Status.PLANNING,),
    JobReason.RETRY: (Status.PLANNING,),
    JobReason.APPROVAL: (Status.READY,),
    JobReason.OUTCOME: (Status.WRAPPING,),
}
# What a new plan decides afresh.
_UNPLANNED: dict[str, Any] = {"plan": None, "proposed": [], "release": [], "mandate": None, "approved": False}


def job_claimed(errand: Errand, event: events.JobClaimed, now: datetime) -> Decision:
    """Give the worker a lease, unless somebody else holds one or the step is over."""
    request = errand.request
    if event.attempt != request.attempt:
        return ignore(errand, "another attempt")
    if request.status not in _STEP_OF[event.reason]:
        return ignore(errand, f"nothing to do while {request.status.value}")
    lease = request.lease
    if lease is not None and lease.owner and now < lease.until:
        return ignore(errand, "leased to another worker")
    if request.tries >= MAX_TRIES and request.status is not Status.WRAPPING:
        summary = "Floyd could not plan this request: every try ended without a result."
        return end(errand, Status.FAILED, plain_outcome("vendor_failed", summary), now)
    fields: dict[str, Any] = {
        "lease": Lease(owner=event.owner, epoch=(lease.epoch if lease else 0) + 1, until=now + LEASE),
        "tries": request.tries + 1,
        "deadline": now + LEASE,
    }
    if request.status is Status.PENDING:
        fields["status"] = Status.PLANNING
    if request.status is Status.READY:
        fields["deadline"] = request.deadline
    return move(errand, **fields)


def lease_lost(errand: Errand, epoch: int) -> str | None:
    """Why a worker's result is refused, or None. An expired lease counts only once somebody else took it over."""
    lease = errand.request.lease
    if lease is None or lease.epoch != epoch or not lease.owner:
        return "the lease has passed on"
    return None


def _not_planning(errand: Errand, epoch: int) -> str | None:
    """Why a planner's result is refused, or None."""
    if errand.request.status is not Status.PLANNING:
        return f"nothing to plan while {errand.request.status.value}"
    return lease_lost(errand, epoch)


def job_done(job: str, now: datetime) -> Update:
    return Update(f"jobs/{job}", {"done_at": now})


def planned(errand: Errand, event: events.Planned, now: datetime) -> Decision:
    """Freeze the plan; wait for the person if there are questions."""
    if lost := _not_planning(errand, event.epoch):
        return ignore(errand, lost)
    fields: dict[str, Any] = {
        "plan": event.plan,
        "release": list(event.release),
        "mandate": event.mandate,
        "proposed": list(event.proposed),
        "updates": (job_done(event.job, now),),
    }
    if event.questions:
        names = [name for name, _ in event.questions]
        return move(
            errand,
            Status.WAITING,
            open_questions=names,
            deadline=now + WAITING_LIMIT,
            creates=tuple(Create(f"questions/{name}", question) for name, question in event.questions),
            **fields,
        )
    return _ready(errand, now, not_before=event.not_before, **fields)


def _ready(errand: Errand, now: datetime, *, not_before: datetime | None, **fields: Any) -> Decision:
    """Ready to ring; a dry run has reached its end here."""
    if errand.request.dry_run:
        summary = "Dry run: this is the plan. Nobody was called."
        fields.pop("creates", None)
        return end(errand, Status.DONE, plain_outcome("answered_without_call", summary), now, **fields)
    due = max(not_before or now, now)
    return move(errand, Status.READY, not_before=not_before, deadline=due + HINT, **fields)


def answered_from_facts(errand: Errand, event: events.AnsweredFromFacts, now: datetime) -> Decision:
    if lost := _not_planning(errand, event.epoch):
        return ignore(errand, lost)
    outcome = plain_outcome("answered_without_call", event.text)
    return end(errand, Status.DONE, outcome, now, plan=event.plan, updates=(job_done(event.job, now),))


def plan_failed(errand: Errand, event: events.PlanFailed, now: datetime) -> Decision:
    """Try again by a fresh job while tries are left, else end with the reason."""
    request = errand.request
    if lost := _not_planning(errand, event.epoch):
        return ignore(errand, lost)
    done = (job_done(event.job, now),)
    if event.retryable and request.tries < MAX_TRIES:
        reason = JobReason(event.job.split("-", 1)[0])
        released = request.lease.model_copy(update={"owner": "", "until": now}) if request.lease else None
        return move(
            errand, lease=released, deadline=now + HINT, creates=(job(errand, reason, now, again=True),), updates=done
        )
    return end(errand, status_for(event.category), plain_outcome(event.category, event.message), now, updates=done)


def edited(errand: Errand, event: events.Edited, now: datetime) -> Decision:
    """Plan again with the person's new words or wishes; what they decided before stays decided."""
    request = errand.request
    if request.status not in BEFORE_DIALING:
        return ignore(errand, f"too late: {request.status.value}", answer="conflict")
    # Wishes were about the old words.
    wishes = Wishes() if event.text and event.text != request.text else request.wishes
    if event.release is not None:
        wishes = wishes.model_copy(update={"release": list(event.release)})
    if event.mandate is not None:
        wishes = wishes.model_copy(update={"mandate": event.mandate})
    expired = tuple(Update(f"questions/{name}", {"status": "expired"}) for name in request.open_questions)
    return next_attempt(
        errand,
        JobReason.NEW,
        now,
        text=event.text or request.text,
        wishes=wishes,
        not_before=event.not_before or request.not_before,
        open_questions=[],
        updates=expired,
        **_UNPLANNED,
    )


def approved(errand: Errand, event: events.Approved, now: datetime) -> Decision:
    """The yes that the plan, or after a call the callee's offer, was waiting for."""
    request = errand.request
    if request.status is Status.WAITING and errand.call is not None and event.mandate is not None:
        return next_attempt(errand, JobReason.ANSWER, now, mandate=event.mandate, **_answered_all(errand, "approved"))
    name = approval_name(request.attempt)
    if request.status is not Status.WAITING or name not in request.open_questions:
        return ignore(errand, f"nothing to approve while {request.status.value}", answer="conflict")
    release = list(event.release) if event.release is not None else [*request.release, *request.proposed]
    return _after_yes(errand, now, release=release, mandate=event.mandate or request.mandate)


def approval_name(attempt: int) -> str:
    """The one approval question of an attempt."""
    return f"approval-{attempt}"


def _answered_all(errand: Errand, answer: str) -> dict[str, Any]:
    """Close every open question with one answer."""
    fields = {"status": "answered", "answer": answer, "via": "app"}
    return {
        "open_questions": [],
        "updates": tuple(Update(f"questions/{name}", fields) for name in errand.request.open_questions),
    }


def _after_yes(errand: Errand, now: datetime, **fields: Any) -> Decision:
    """Everything is allowed: the texts get their values, the request is ready, and a job prepares the sound."""
    plan = errand.request.plan
    return _ready(
        errand,
        now,
        **{
            "not_before": errand.request.not_before,
            "approved": True,
            "plan": filled(plan, fields["release"]) if plan is not None else None,
            "proposed": [],
            "creates": (job(errand, JobReason.APPROVAL, now),),
        }
        | _answered_all(errand, "yes")
        | fields,
    )


def question_asked(errand: Errand, event: events.QuestionAsked, now: datetime) -> Decision:
    """Keep the relay's question; the call goes on."""
    request = errand.request
    if event.attempt != request.attempt or request.status not in LIVE:
        return ignore(errand, "the call is not live")
    if errand.question is not None:
        return ignore(errand, "asked already")
    names = [*request.open_questions, event.question_id]
    stamped = {"attempt": event.attempt, "created_at": event.question.created_at or now}
    question = event.question.model_copy(update=stamped)
    return move(errand, open_questions=names, creates=(Create(f"questions/{event.question_id}", question),))


def question_answered(errand: Errand, event: events.QuestionAnswered, now: datetime) -> Decision:
    """Settle the answer by code, then go on: tell the relay, ring back, plan again, become ready, or stop."""
    request, question = errand.request, errand.question
    if question is None or question.status != "open" or event.question_id not in request.open_questions:
        return ignore(errand, "the question is closed", answer="closed")
    if has_card_number(event.answer):
        return ignore(errand, "card numbers are passed on to nobody", answer="card_number")
    if event.via == "sms" and needs_app(question, event.answer, request.mandate):
        return ignore(errand, "too much money for a text message", answer="needs_app")
    settled = settle(question, event.answer, request.release, request.mandate)
    left = [name for name in request.open_questions if name != event.question_id]
    closing = {"status": "answered", "answer": event.answer, "via": event.via}
    fields: dict[str, Any] = {
        "open_questions": left,
        "release": settled.release,
        "mandate": settled.mandate,
        "updates": (Update(f"questions/{event.question_id}", closing),),
    }
    if request.status is not Status.WAITING:
        # A live call hears of it from whoever brought the answer; while it wraps up, OutcomeFound sees nothing open.
        live = request.status in LIVE
        if settled.verdict == "abandon":
            return move(errand, cancel_requested_at=now, answer="end_call" if live else None, **fields)
        return move(errand, answer="live" if live else None, **fields)
    # After a call "no" is the answer that the callee waits for, and "no, 60 at most" is a narrower yes.
    against = question.kind == "approval" and settled.verdict == "no" and errand.call is None
    if settled.verdict == "abandon" or (against and settled.mandate == request.mandate):
        outcome = plain_outcome("cancelled", "You decided against this call.")
        return end(errand, Status.CANCELLED, outcome, now, updates=fields["updates"])
    if left:
        return move(errand, **fields)
    if errand.call is not None:
        return next_attempt(errand, JobReason.ANSWER, now, **fields)
    if question.kind == "approval" and settled.verdict == "yes":
        return _after_yes(errand, now, **fields | {"release": [*settled.release, *request.proposed]})
    return next_attempt(errand, JobReason.ANSWER, now, **fields | {"plan": None, "proposed": [], "mandate": None})


def retried(errand: Errand, event: events.Retried, now: datetime) -> Decision:
    """Begin again from the person's words."""
    request = errand.request
    if request.status not in TERMINAL:
        return ignore(errand, f"not ended: {request.status.value}", answer="conflict")
    return next_attempt(errand, JobReason.RETRY, now, outcome=None, not_before=None, **_UNPLANNED)


def job_finished(errand: Errand, event: events.JobFinished, now: datetime) -> Decision:
    """The step's work is done without a change of status; the worker gives its lease back."""
    if lost := lease_lost(errand, event.epoch):
        return ignore(errand, lost)
    assert errand.request.lease is not None
    lease = errand.request.lease.model_copy(update={"owner": ""})
    return move(errand, lease=lease, tries=0, updates=(job_done(event.job, now),))
