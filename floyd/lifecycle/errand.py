"""The errand that an event is about, the decision that follows, and the moves that several rules share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from floyd.documents import CALL_ENDED, Call, CallStatus, Document, Job, JobReason, Question, Request, Status
from floyd.lifecycle.limits import HINT
from floyd.lines import WAITING
from floyd.plans import SUCCEEDED, Outcome

CALL_RANK = {status: len(CallStatus) if status in CALL_ENDED else rank for rank, status in enumerate(CallStatus)}


# By path below the request's document: documents that must not exist yet, and fields to set on those that do; they
# change only together with the request.
Creates = Mapping[str, Document]
Updates = dict[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Decision:
    """What an event does. `ignored` says why nothing changes; `answer` is a word for whoever brought the event."""

    errand: Errand
    creates: Creates = field(default_factory=dict)
    updates: Updates = field(default_factory=dict)
    ignored: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """A request, the call of its present attempt, and the question that the event is about, if any."""

    uid: str
    rid: str
    request: Request
    call: Call | None = None
    question: Question | None = None

    def ignore(self, why: str, answer: str | None = None) -> Decision:
        return Decision(self, ignored=why, answer=answer)

    def move(
        self,
        status: Status | None = None,
        *,
        call: Mapping[str, Any] | None = None,
        creates: Creates | None = None,
        updates: Updates | None = None,
        answer: str | None = None,
        **fields: Any,
    ) -> Decision:
        """Change the request (always: `rev` is the one guard for all its documents) and, with `call`, its call.

        A new status clears the counters of the step and its lease; a new attempt has no call yet.
        """
        request = self.request
        changed: dict[str, Any] = {"rev": request.rev + 1}
        if status is not None:
            changed |= {"status": status, "status_reason": "", "hints": 0, "tries": 0}
            if request.lease is not None:
                # The epoch must outlive the lease, or a worker that slept could come back under the same number.
                changed["lease"] = request.lease.model_copy(update={"owner": "", "until": request.created_at})
        moved = request.model_copy(update=changed | fields)
        after = self.call if moved.attempt == request.attempt else None
        if call is not None:
            assert after is not None
            after = after.model_copy(update=dict(call))
        return Decision(replace(self, request=moved, call=after), creates or {}, updates or {}, answer=answer)

    def job(self, reason: JobReason, now: datetime, *, attempt: int | None = None, again: bool = False) -> Creates:
        """The document whose creation wakes `plan`; by its name two causes make one job.

        `again`: the same job under another name, because the first one was lost, failed, or is about older words.
        """
        attempt = attempt or self.request.attempt
        name = f"{reason.value}-{attempt}" + (f"-{self.request.rev}" if again else "")
        return {f"jobs/{name}": Job(reason=reason, created_at=now, attempt=attempt)}

    def plan_again(self, reason: JobReason, now: datetime, *, same_attempt: bool = False, **fields: Any) -> Decision:
        """Begin planning again: as the next attempt, unless nothing of this one has rung or been intended."""
        attempt = self.request.attempt + (not same_attempt)
        job = self.job(reason, now, attempt=attempt, again=same_attempt)
        fields = {"redials": 0, "cancel_requested_at": None, "deadline": now + HINT} | fields
        return self.move(Status.PLANNING, attempt=attempt, creates=job, **fields)

    def ready_again(self, not_before: datetime, reason: str, **fields: Any) -> Decision:
        """Begin the next attempt with the same frozen plan, to ring from `not_before` on."""
        fields |= {"not_before": not_before, "deadline": not_before + HINT, "status_reason": reason}
        return self.move(Status.READY, attempt=self.request.attempt + 1, **fields)

    def close_call(self, end_reason: str, now: datetime) -> Updates:
        """Close the present attempt's call, which has not rung, because another attempt takes its place."""
        fields = {"status": CallStatus.CANCELED.value, "end_reason": end_reason, "ended_at": now}
        return {f"calls/{self.request.attempt}": fields}

    def close_questions(self, status: str, **fields: str) -> Updates:
        return {f"questions/{name}": {"status": status} | fields for name in self.request.open_questions}

    def end(self, outcome: Outcome, now: datetime, **rest: Any) -> Decision:
        """Reach a state that only the person (or, from `unconfirmed`, the carrier) can undo. Open questions expire."""
        status = Status.DONE if outcome.category in SUCCEEDED else Status.FAILED
        if outcome.category in ("cancelled", "unconfirmed"):
            status = Status(outcome.category)
        # A question that the event itself answered ends as answered, not as expired.
        rest["updates"] = self.close_questions("expired") | rest.get("updates", {})
        fields: dict[str, Any] = {"status_reason": outcome.summary, "open_questions": [], "deadline": now}
        return self.move(status, outcome=outcome, **fields | rest)

    def wrap_up(self, end_reason: str, now: datetime, **call: Any) -> Decision:
        """The call is over: its outcome is worked out next. A wish to cancel stands above every other reason.

        Whether to go on waiting on hold is no question any more.
        """
        assert self.call is not None
        left = [name for name in self.request.open_questions if f"-{WAITING}" not in name]
        moot = {f"questions/{name}": {"status": "expired"} for name in self.request.open_questions if name not in left}
        reason = end_reason if self.request.cancel_requested_at is None else "cancelled"
        call = {"end_reason": reason, "ended_at": self.call.ended_at or now} | call
        fields: dict[str, Any] = {"open_questions": left, "updates": moot, "deadline": now + HINT}
        return self.move(Status.WRAPPING, call=call, creates=self.job(JobReason.OUTCOME, now), **fields)


class Event:
    """Anything that can happen to a request, named in the past tense, with the rule of what it does."""

    __slots__ = ()

    def decide(self, errand: Errand, now: datetime) -> Decision:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class CallEvent(Event):
    """Something about the call of one attempt; about any other than the present one it changes nothing."""

    attempt: int

    def decide(self, errand: Errand, now: datetime) -> Decision:
        if self.attempt != errand.request.attempt or errand.call is None:
            return errand.ignore("another attempt", self.if_stale)
        return self.apply(errand, errand.call, now)

    @property
    def if_stale(self) -> str | None:
        """What whoever brought it must do about a call that nobody expects."""
        return None

    def apply(self, errand: Errand, call: Call, now: datetime) -> Decision:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class JobResult(Event):
    """What a worker brings back from `job`. An expired lease counts only once somebody else took it over."""

    epoch: int
    job: str

    def decide(self, errand: Errand, now: datetime) -> Decision:
        lease = errand.request.lease
        if lease is None or lease.epoch != self.epoch or not lease.owner:
            return errand.ignore("the lease has passed on")
        if self.step is not None and errand.request.status is not self.step:
            return errand.ignore(f"not {self.step.value} but {errand.request.status.value}")
        return self.apply(errand, now, {f"jobs/{self.job}": {"done_at": now}})

    @property
    def step(self) -> Status | None:
        """Where the request must stand; None: anywhere."""
        return Status.PLANNING

    def apply(self, errand: Errand, now: datetime, done: Updates) -> Decision:
        """`done` closes the job."""
        raise NotImplementedError
