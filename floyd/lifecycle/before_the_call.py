"""Planning, the person's decisions, and the way to ready."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from floyd.answers import has_card_number, needs_app, settle
from floyd.documents import BEFORE_DIALING, LIVE, TERMINAL, Call, JobReason, Lease, Question, Released, Status, Wishes
from floyd.facts import filled
from floyd.lifecycle import limits
from floyd.lifecycle.errand import CallEvent, Decision, Errand, Event, JobResult, Updates
from floyd.plans import Category, MandateTerms, Outcome, Plan

_STEP_OF = {
    JobReason.NEW: (Status.PENDING, Status.PLANNING),
    JobReason.ANSWER: (Status.PLANNING,),
    JobReason.RETRY: (Status.PLANNING,),
    JobReason.APPROVAL: (Status.READY,),
    JobReason.OUTCOME: (Status.WRAPPING,),
}
# What a new plan decides afresh.
_UNPLANNED: dict[str, Any] = {"plan": None, "proposed": [], "release": [], "mandate": None, "approved": False}
APPROVAL = "approval-"


@dataclass(frozen=True, slots=True)
class JobClaimed(Event):
    """A worker wants the step that a job stands for. After an accepted claim it holds the errand's lease.

    Not while somebody else holds one, or when the step is over; after too many tries the request ends instead.
    """

    owner: str
    reason: JobReason
    attempt: int

    def decide(self, errand: Errand, now: datetime) -> Decision:
        request, lease = errand.request, errand.request.lease
        if self.attempt != request.attempt:
            return errand.ignore("another attempt")
        if request.status not in _STEP_OF[self.reason]:
            return errand.ignore(f"nothing to do while {request.status.value}")
        if lease is not None and lease.owner and now < lease.until:
            return errand.ignore("leased to another worker")
        if request.tries >= limits.MAX_TRIES and request.status is not Status.WRAPPING:
            summary = "Floyd could not plan this request: every try ended without a result."
            return errand.end(Outcome(category="vendor_failed", summary=summary), now)
        return errand.move(
            Status.PLANNING if request.status is Status.PENDING else None,
            lease=Lease(owner=self.owner, epoch=(lease.epoch if lease else 0) + 1, until=now + limits.LEASE),
            tries=request.tries + 1,
            deadline=request.deadline if request.status is Status.READY else now + limits.LEASE,
        )


@dataclass(frozen=True, slots=True)
class Planned(JobResult):
    """The plan is frozen. With questions the request waits for the person, without it is ready from `not_before` on.

    `proposed`: facts with share `ask` that the approval question is about.
    """

    plan: Plan
    release: tuple[Released, ...]
    mandate: MandateTerms
    proposed: tuple[Released, ...] = ()
    questions: tuple[tuple[str, Question], ...] = ()
    not_before: datetime | None = None

    def apply(self, errand: Errand, now: datetime, done: Updates) -> Decision:
        frozen = {"plan": self.plan, "release": list(self.release), "mandate": self.mandate}
        fields: dict[str, Any] = frozen | {"proposed": list(self.proposed), "updates": done}
        if not self.questions:
            return _ready(errand, now, self.not_before, **fields)
        asked = {f"questions/{name}": question for name, question in self.questions}
        names = [name for name, _ in self.questions]
        return errand.move(
            Status.WAITING, open_questions=names, deadline=now + limits.WAITING_LIMIT, creates=asked, **fields
        )


def _ready(errand: Errand, now: datetime, not_before: datetime | None, **fields: Any) -> Decision:
    """Ready to ring; a dry run has reached its end here."""
    if errand.request.dry_run:
        summary = "Dry run: this is the plan. Nobody was called."
        return errand.end(Outcome(category="answered_without_call", summary=summary), now, **fields | {"creates": None})
    return errand.move(
        Status.READY, not_before=not_before, deadline=max(not_before or now, now) + limits.HINT, **fields
    )


@dataclass(frozen=True, slots=True)
class AnsweredFromFacts(JobResult):
    """No call is needed: `text` answers the person."""

    plan: Plan
    text: str

    def apply(self, errand: Errand, now: datetime, done: Updates) -> Decision:
        outcome = Outcome(category="answered_without_call", summary=self.text)
        return errand.end(outcome, now, plan=self.plan, updates=done)


@dataclass(frozen=True, slots=True)
class PlanFailed(JobResult):
    """Planning failed. A retryable failure is tried again by a fresh job; otherwise `message` is the last word."""

    message: str
    retryable: bool
    category: Category = "vendor_failed"

    def apply(self, errand: Errand, now: datetime, done: Updates) -> Decision:
        request = errand.request
        if not self.retryable or request.tries >= limits.MAX_TRIES:
            return errand.end(Outcome(category=self.category, summary=self.message), now, updates=done)
        assert request.lease is not None
        released = request.lease.model_copy(update={"owner": "", "until": now})
        job = errand.job(JobReason(self.job.split("-", 1)[0]), now, again=True)
        return errand.move(lease=released, deadline=now + limits.HINT, creates=job, updates=done)


@dataclass(frozen=True, slots=True)
class JobFinished(JobResult):
    """A job did its work without moving the request (the approval job prepares sound); the worker's lease is over."""

    @property
    def step(self) -> None:
        return None

    def apply(self, errand: Errand, now: datetime, done: Updates) -> Decision:
        assert errand.request.lease is not None
        lease = errand.request.lease.model_copy(update={"owner": ""})
        return errand.move(lease=lease, tries=0, updates=done)


@dataclass(frozen=True, slots=True)
class Edited(Event):
    """The person changed the request before dialling; absent means unchanged, and what they decided stays decided.

    It is planned again, in the same attempt if this one has made no call.
    """

    text: str | None = None
    release: tuple[str, ...] | None = None
    mandate: MandateTerms | None = None
    not_before: datetime | None = None

    def decide(self, errand: Errand, now: datetime) -> Decision:
        request = errand.request
        if request.status not in BEFORE_DIALING:
            return errand.ignore(f"too late: {request.status.value}", "conflict")
        # Wishes were about the old words.
        wishes = Wishes() if self.text and self.text != request.text else request.wishes
        if self.release is not None:
            wishes = wishes.model_copy(update={"release": list(self.release)})
        if self.mandate is not None:
            wishes = wishes.model_copy(update={"mandate": self.mandate})
        return errand.plan_again(
            JobReason.NEW,
            now,
            same_attempt=errand.call is None,
            text=self.text or request.text,
            wishes=wishes,
            not_before=self.not_before or request.not_before,
            open_questions=[],
            updates=errand.close_questions("expired"),
            **_UNPLANNED,
        )


@dataclass(frozen=True, slots=True)
class Approved(Event):
    """The yes that the plan, or after a call the callee's offer, was waiting for; possibly with another release set
    (facts with their values) or mandate."""

    release: tuple[Released, ...] | None = None
    mandate: MandateTerms | None = None

    def decide(self, errand: Errand, now: datetime) -> Decision:
        request = errand.request
        asked = any(name.startswith(APPROVAL) for name in request.open_questions)
        if request.status is Status.WAITING and errand.call is not None and self.mandate is not None:
            answered = errand.close_questions("answered", answer="approved", via="app")
            fields: dict[str, Any] = {"mandate": self.mandate, "open_questions": [], "updates": answered}
            return errand.plan_again(JobReason.ANSWER, now, **fields)
        if request.status is not Status.WAITING or not asked:
            return errand.ignore(f"nothing to approve while {request.status.value}", "conflict")
        release = list(self.release) if self.release is not None else [*request.release, *request.proposed]
        return _after_yes(errand, now, release=release, mandate=self.mandate or request.mandate)


def _after_yes(errand: Errand, now: datetime, **fields: Any) -> Decision:
    """Everything is allowed: the texts get their values, the request is ready, and a job prepares the sound."""
    plan = errand.request.plan
    settled: dict[str, Any] = {
        "approved": True,
        "plan": filled(plan, fields["release"]) if plan is not None else None,
        "proposed": [],
        "open_questions": [],
        "updates": errand.close_questions("answered", answer="yes", via="app"),
        "creates": errand.job(JobReason.APPROVAL, now, again=True),
    }
    return _ready(errand, now, errand.request.not_before, **settled | fields)


@dataclass(frozen=True, slots=True)
class QuestionAsked(CallEvent):
    """The relay asks the person something during a live call, which goes on."""

    question_id: str
    question: Question

    def apply(self, errand: Errand, call: Call, now: datetime) -> Decision:
        if errand.request.status not in LIVE:
            return errand.ignore("the call is not live")
        if errand.question is not None:
            return errand.ignore("asked already")
        stamped = {"attempt": self.attempt, "created_at": self.question.created_at or now}
        question = {f"questions/{self.question_id}": self.question.model_copy(update=stamped)}
        return errand.move(open_questions=[*errand.request.open_questions, self.question_id], creates=question)


@dataclass(frozen=True, slots=True)
class QuestionAnswered(Event):
    """The person answered. Code settles it; then the relay is told, Floyd rings back, plans again, rings, or stops."""

    question_id: str
    answer: str
    via: Literal["app", "sms"]

    def decide(self, errand: Errand, now: datetime) -> Decision:
        request, question = errand.request, errand.question
        if question is None or question.status != "open" or self.question_id not in request.open_questions:
            return errand.ignore("the question is closed", "closed")
        if has_card_number(self.answer):
            return errand.ignore("card numbers are passed on to nobody", "card_number")
        if self.via == "sms" and needs_app(question, self.answer, request.mandate):
            return errand.ignore("too much money for a text message", "needs_app")
        settled = settle(question, self.answer, request.release, request.mandate)
        left = [name for name in request.open_questions if name != self.question_id]
        closing = {"status": "answered", "answer": self.answer, "via": self.via}
        closed: Updates = {f"questions/{self.question_id}": closing}
        fields: dict[str, Any] = {"open_questions": left, "updates": closed}
        fields |= {"release": settled.release, "mandate": settled.mandate}
        if request.status is not Status.WAITING:
            # A live call hears of it from whoever brought it; while it wraps up, OutcomeFound sees nothing open.
            live = request.status in LIVE
            if settled.verdict == "abandon":
                return errand.move(cancel_requested_at=now, answer="end_call" if live else None, **fields)
            return errand.move(answer="live" if live else None, **fields)
        # After a call "no" is the answer that the callee waits for, and "no, 60 at most" is a narrower yes.
        against = question.kind == "approval" and settled.verdict == "no" and errand.call is None
        if settled.verdict == "abandon" or (against and settled.mandate == request.mandate):
            outcome = Outcome(category="cancelled", summary="You decided against this call.")
            return errand.end(outcome, now, updates=closed)
        if left:
            return errand.move(**fields)
        if errand.call is not None:
            return errand.plan_again(JobReason.ANSWER, now, **fields)
        if question.kind == "approval" and settled.verdict == "yes":
            return _after_yes(errand, now, **fields | {"release": [*settled.release, *request.proposed]})
        fields |= {"plan": None, "proposed": [], "mandate": None}
        return errand.plan_again(JobReason.ANSWER, now, **fields)


@dataclass(frozen=True, slots=True)
class Retried(Event):
    """The person wants a request that has ended to be tried again, from their words on."""

    def decide(self, errand: Errand, now: datetime) -> Decision:
        if errand.request.status not in TERMINAL:
            return errand.ignore(f"not ended: {errand.request.status.value}", "conflict")
        return errand.plan_again(JobReason.RETRY, now, outcome=None, not_before=None, **_UNPLANNED)
