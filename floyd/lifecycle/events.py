"""Everything that can happen to a request, in the past tense. `attempt` and `epoch` say whom a fact is about.

An event about another attempt, or from a worker whose lease has passed on, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from floyd.documents import CallStatus, JobReason, Question, Released
from floyd.plans import Category, MandateTerms, Outcome, Plan


class Event:
    """Any of them."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class JobClaimed(Event):
    """A worker wants the step that a job stands for. It holds the lease named in the errand after an accepted claim."""

    owner: str
    reason: JobReason
    attempt: int


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """The plan is frozen. With questions the request waits for the person, without it is ready from `not_before` on.

    `proposed`: facts with share `ask` that the approval question is about. `job`: the job that this finishes.
    """

    epoch: int
    job: str
    plan: Plan
    release: tuple[Released, ...]
    mandate: MandateTerms
    proposed: tuple[Released, ...] = ()
    questions: tuple[tuple[str, Question], ...] = ()
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class AnsweredFromFacts(Event):
    """No call is needed: `text` answers the person."""

    epoch: int
    job: str
    plan: Plan
    text: str


@dataclass(frozen=True, slots=True)
class PlanFailed(Event):
    """Planning failed. A retryable failure is tried again by a fresh job; otherwise `message` is the last word."""

    epoch: int
    job: str
    message: str
    retryable: bool
    category: Category = "vendor_failed"


@dataclass(frozen=True, slots=True)
class JobFinished(Event):
    """A job did its work without moving the request (the approval job prepares sound)."""

    epoch: int
    job: str


@dataclass(frozen=True, slots=True)
class Edited(Event):
    """The person changed the request before dialling; absent means unchanged. It is planned again."""

    text: str | None = None
    release: tuple[str, ...] | None = None
    mandate: MandateTerms | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class CancelRequested(Event):
    """The person no longer wants the call."""


@dataclass(frozen=True, slots=True)
class Approved(Event):
    """The person approved the plan, possibly with another release set (facts with their values) or mandate."""

    release: tuple[Released, ...] | None = None
    mandate: MandateTerms | None = None


@dataclass(frozen=True, slots=True)
class QuestionAsked(Event):
    """The relay asks the person something during a live call."""

    attempt: int
    question_id: str
    question: Question


@dataclass(frozen=True, slots=True)
class QuestionAnswered(Event):
    """The person answered, in the app or by SMS."""

    question_id: str
    answer: str
    via: Literal["app", "sms"]


@dataclass(frozen=True, slots=True)
class Retried(Event):
    """The person wants a request that has ended to be tried again."""


@dataclass(frozen=True, slots=True)
class DialDue(Event):
    """It is time to ring: `to` from `from_`, both E.164."""

    to: str
    from_: str


@dataclass(frozen=True, slots=True)
class DialClaimed(Event):
    """A dialler wants to be the one that rings. Only after an accepted claim may it talk to the carrier."""

    attempt: int


@dataclass(frozen=True, slots=True)
class DialRefused(Event):
    """Code or the carrier definitely refused to place the call; the phone has not rung."""

    attempt: int
    category: Category
    message: str


@dataclass(frozen=True, slots=True)
class Postponed(Event):
    """The call may not be placed yet (quiet hours, no room, dialling stopped); the phone has not rung."""

    attempt: int
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Posted(Event):
    """The carrier accepted the call under this id."""

    attempt: int
    sid: str


@dataclass(frozen=True, slots=True)
class PostUnknown(Event):
    """The carrier was asked to ring and its answer was lost: a call may exist."""

    attempt: int


@dataclass(frozen=True, slots=True)
class CarrierProgress(Event):
    """Signed evidence from the carrier, in any order and any number of copies."""

    attempt: int
    sid: str
    status: CallStatus
    duration_s: int | None = None


@dataclass(frozen=True, slots=True)
class ResumeGranted(Event):
    """The stream broke and the carrier asks what to do: one more stream, under the next epoch."""

    attempt: int


@dataclass(frozen=True, slots=True)
class StreamStarted(Event):
    """A relay holds the call's sound, with a token of this epoch."""

    attempt: int
    relay_url: str
    epoch: int


@dataclass(frozen=True, slots=True)
class CallFinished(Event):
    """The conversation is over; `end_reason` is the relay's word for why."""

    attempt: int
    end_reason: str


@dataclass(frozen=True, slots=True)
class OutcomeFound(Event):
    """What the call came to, checked by code. `cost` is in dollars, a decimal string, for this attempt."""

    epoch: int
    job: str
    outcome: Outcome
    cost: str = "0"


@dataclass(frozen=True, slots=True)
class Swept(Event):
    """The sweeper found the deadline passed. `evidence` is what the carrier says about the call, if it was asked:

    `live`: it exists and has not ended. `absent`: no such call. `unknown`: not asked, or no answer.
    A call that has ended is reported by CarrierProgress instead. `attempt`: whose call the evidence is about.
    """

    evidence: Literal["live", "absent", "unknown"] = "unknown"
    attempt: int | None = None
