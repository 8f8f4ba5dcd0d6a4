"""The value that a decision is about, the decision itself, and the few moves that several rules share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from floyd.documents import CALL_ENDED, Call, CallStatus, Document, Job, JobReason, Question, Request, Status
from floyd.plans import Category, CheckedClaim, Outcome

LEASE = timedelta(seconds=60)
# A lost trigger is noticed after this long; the sweeper runs every minute.
HINT = timedelta(seconds=60)
MAX_HINTS = 3
MAX_TRIES = 3
# A question older than a week is about something else by now.
WAITING_LIMIT = timedelta(days=7)
# An intent to ring that is older than this would surprise everybody.
DIAL_WINDOW = timedelta(minutes=10)
# The carrier's default ring limit (60 s) and time for its callbacks (90 s).
RING_LIMIT = timedelta(seconds=150)
# A call that the carrier's list still lacks so long after the order's answer was lost was never placed.
ABSENT_AFTER = timedelta(seconds=5)
# The longest call a relay may hold (60 min) and time to wrap up.
TALK_LIMIT = timedelta(minutes=65)
# Between the carrier's "completed" and the relay's own account of the call.
RELAY_GRACE = timedelta(seconds=20)
# Without any evidence from the carrier a call counts as lost this long after its deadline.
EVIDENCE_LIMIT = timedelta(minutes=15)
# No answer or busy: the second call 5 minutes after the first, the third 20 minutes after the second.
REDIAL_AFTER = (timedelta(minutes=5), timedelta(minutes=20))
MAX_HOPS = 5

SUCCEEDED: frozenset[Category] = frozenset(
    {"done", "done_differently", "answered_without_call", "voicemail_left", "call_back_promised"}
)


@dataclass(frozen=True, slots=True)
class Errand:
    """A request, the call of its present attempt, and the question that the event is about, if any."""

    uid: str
    rid: str
    request: Request
    call: Call | None = None
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """A document that must not exist yet; `path` is relative to the request's document."""

    path: str
    document: Document


@dataclass(frozen=True, slots=True)
class Update:
    """Fields to set on an existing document below the request; such documents change only together with the request."""

    path: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """What an event does. `ignored` says why nothing changes; `answer` is a word for whoever brought the event."""

    errand: Errand
    creates: tuple[Create, ...] = ()
    updates: tuple[Update, ...] = ()
    ignored: str | None = None
    answer: str | None = None


def ignore(errand: Errand, why: str, answer: str | None = None) -> Decision:
    """Nothing changes."""
    return Decision(errand, ignored=why, answer=answer)


def move(
    errand: Errand,
    status: Status | None = None,
    *,
    call: Mapping[str, Any] | None = None,
    creates: tuple[Create, ...] = (),
    updates: tuple[Update, ...] = (),
    answer: str | None = None,
    **fields: Any,
) -> Decision:
    """Change the request (always: `rev` is the one guard for all its documents) and, with `call`, its call.

    A new status clears the counters of the step and its lease.
    """
    request = errand.request
    changed: dict[str, Any] = {"rev": request.rev + 1}
    if status is not None:
        changed |= {"status": status, "status_reason": "", "hints": 0, "tries": 0}
        if request.lease is not None:
            # The epoch must outlive the lease, or a worker that slept could come back under the same number.
            changed["lease"] = request.lease.model_copy(update={"owner": "", "until": request.created_at})
    changed |= fields
    after = replace(errand, request=request.model_copy(update=changed))
    if call is not None:
        assert errand.call is not None
        after = replace(after, call=errand.call.model_copy(update=dict(call)))
    return Decision(after, creates, updates, answer=answer)


def job(errand: Errand, reason: JobReason, now: datetime, *, attempt: int | None = None, again: bool = False) -> Create:
    """The document whose creation wakes `plan`. Its name is fixed, so that two causes make one job.

    `again`: the same job under another name, because the first one's trigger was lost or its try failed.
    """
    attempt = errand.request.attempt if attempt is None else attempt
    name = f"{reason.value}-{attempt}" + (f"-{errand.request.rev}" if again else "")
    return Create(f"jobs/{name}", Job(reason=reason, created_at=now, attempt=attempt))


def next_attempt(errand: Errand, reason: JobReason, now: datetime, **fields: Any) -> Decision:
    """Begin the next attempt at planning."""
    attempt = errand.request.attempt + 1
    decision = move(
        errand,
        Status.PLANNING,
        attempt=attempt,
        deadline=now + HINT,
        creates=(job(errand, reason, now, attempt=attempt),),
        **{"redials": 0, "cancel_requested_at": None} | fields,
    )
    return replace(decision, errand=replace(decision.errand, call=None))


def close_call(errand: Errand, end_reason: str, now: datetime) -> Update:
    """Close the present attempt's call, which has not rung, because another attempt takes its place."""
    fields = {"status": CallStatus.CANCELED.value, "end_reason": end_reason, "ended_at": now}
    return Update(f"calls/{errand.request.attempt}", fields)


def ready_again(errand: Errand, not_before: datetime, reason: str, **fields: Any) -> Decision:
    """Begin the next attempt with the same frozen plan, to ring from `not_before` on."""
    decision = move(
        errand,
        Status.READY,
        attempt=errand.request.attempt + 1,
        not_before=not_before,
        deadline=not_before + HINT,
        **{"status_reason": reason} | fields,
    )
    return replace(decision, errand=replace(decision.errand, call=None))


def end(errand: Errand, status: Status, outcome: Outcome, now: datetime, **rest: Any) -> Decision:
    """Reach a state that only the person (or, from `unconfirmed`, the carrier) can undo. Open questions expire."""
    expired = tuple(Update(f"questions/{name}", {"status": "expired"}) for name in errand.request.open_questions)
    fields: dict[str, Any] = {"status_reason": outcome.summary, "open_questions": [], "deadline": now} | rest
    # Updates apply in order: a question that the event itself answered ends as answered, not as expired.
    fields["updates"] = expired + tuple(fields.get("updates", ()))
    return move(errand, status, outcome=outcome, **fields)


def plain_outcome(category: Category, summary: str, claims: tuple[CheckedClaim, ...] = ()) -> Outcome:
    """An outcome that code reached without a model."""
    return Outcome(category=category, summary=summary, claims=list(claims))


def status_for(category: Category) -> Status:
    """The final status that a category means."""
    if category in SUCCEEDED:
        return Status.DONE
    if category == "cancelled":
        return Status.CANCELLED
    return Status.UNCONFIRMED if category == "unconfirmed" else Status.FAILED


def wrap_up(errand: Errand, end_reason: str, now: datetime, call: Mapping[str, Any] | None = None) -> Decision:
    """The call is over: its outcome is worked out next. The person's wish to cancel stands above every other reason."""
    assert errand.call is not None
    if errand.request.cancel_requested_at is not None:
        end_reason = "cancelled"
    fields: dict[str, Any] = {"end_reason": end_reason, "ended_at": errand.call.ended_at or now} | dict(call or {})
    return move(
        errand, Status.WRAPPING, call=fields, creates=(job(errand, JobReason.OUTCOME, now),), deadline=now + HINT
    )


CALL_RANK = {status: rank for rank, status in enumerate(CallStatus) if status not in CALL_ENDED} | dict.fromkeys(
    CALL_ENDED, len(CallStatus)
)
