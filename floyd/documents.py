"""Every Firestore document that clients may rely on, as a value. Field names and meanings are public.

Times are aware datetimes (Firestore timestamps), money is `{amount: decimal string, currency}`, every document has
`v: 1`.
`to_store` gives what Firestore takes; `from_store` refuses what is not ours.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from floyd.plans import MandateTerms, Outcome, Plan


class Status(StrEnum):
    """Where a request stands. The order of the members up to WRAPPING is the order of ranks within one attempt."""

    PENDING = "pending"
    PLANNING = "planning"
    WAITING = "waiting"
    READY = "ready"
    DIALING = "dialing"
    RINGING = "ringing"
    TALKING = "talking"
    WRAPPING = "wrapping"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNCONFIRMED = "unconfirmed"


TERMINAL = frozenset({Status.DONE, Status.FAILED, Status.CANCELLED, Status.UNCONFIRMED})
BEFORE_DIALING = frozenset({Status.PENDING, Status.PLANNING, Status.WAITING, Status.READY})
LIVE = frozenset({Status.DIALING, Status.RINGING, Status.TALKING})


class Document(BaseModel):
    """A value that knows its stored form. Unknown fields are kept out; later versions may add some."""

    model_config = ConfigDict(extra="ignore", use_enum_values=False)

    v: Literal[1] = 1

    @classmethod
    def from_store(cls, data: dict[str, Any] | None) -> Self:
        return cls.model_validate(data or {})

    def to_store(self) -> dict[str, Any]:
        """Absent optional fields are left out, so a reader sees either a value or nothing."""
        stored = self.model_dump(mode="python", exclude_none=True)
        return {key: value.value if isinstance(value, StrEnum) else value for key, value in stored.items()}


class Cost(BaseModel):
    """Dollars spent, as decimal strings, in total and by vendor kind."""

    amount: str = "0"
    currency: str = "USD"
    parts: dict[str, str] = Field(default_factory=dict)


class Person(Document):
    """`users/{uid}`. `number` comes only from the token's phone_number claim."""

    name: str = ""
    number: str = ""
    time_zone: str = "America/New_York"
    locale: str = "en-US"
    retention_days: int = 30
    limits: dict[str, int] = Field(default_factory=dict)


class Fact(Document):
    """`users/{uid}/facts/{id}`. `share`: always = when the errand needs it, ask = a yes per errand, never."""

    key: str
    value: str
    category: str = "other"
    share: Literal["always", "ask", "never"] = "ask"
    source: str = "person"
    expires_at: datetime | None = None


class Released(BaseModel):
    """One fact that this errand may speak, as frozen before dialling."""

    key: str
    value: str


class Wishes(BaseModel):
    """What the person decided about this errand in so many words; it outlives a new plan.

    `release`: exactly these fact keys may be spoken. `mandate`: exactly this far may Floyd agree. Absent: code decides.
    """

    release: list[str] | None = None
    mandate: MandateTerms | None = None


class Lease(BaseModel):
    """Who works on the request now. `epoch` rises with each new lease and fences off a worker that slept."""

    owner: str
    epoch: int
    until: datetime


class Request(Document):
    """`users/{uid}/requests/{rid}`."""

    text: str
    language: str = "en-US"
    status: Status = Status.PENDING
    status_reason: str = ""
    rev: int = 0
    attempt: int = 1
    created_at: datetime
    deadline: datetime
    not_before: datetime | None = None
    plan: Plan | None = None
    release: list[Released] = Field(default_factory=list)
    mandate: MandateTerms | None = None
    outcome: Outcome | None = None
    cost: Cost = Field(default_factory=Cost)
    # Server's own bookkeeping on the same document, so that one guarded write moves everything.
    # `said`: digest of the words first sent, so that a repeated POST is recognised after an edit.
    said: str = ""
    lease: Lease | None = None
    # Jobs created again because a trigger was lost; workers that took the present step; calls after no answer, a busy
    # line or a lost order.
    hints: int = 0
    tries: int = 0
    redials: int = 0
    open_questions: list[str] = Field(default_factory=list)
    # Facts with share `ask` that the plan needs: released by the person's approval, and by nothing else.
    proposed: list[Released] = Field(default_factory=list)
    wishes: Wishes = Field(default_factory=Wishes)
    dry_run: bool = False
    cancel_requested_at: datetime | None = None
    approved: bool = False
    trace: str = ""


class JobReason(StrEnum):
    NEW = "new"
    ANSWER = "answer"
    APPROVAL = "approval"
    RETRY = "retry"
    OUTCOME = "outcome"


class Job(Document):
    """`jobs/{id}`: a reason to run `plan`. Its creation is the trigger."""

    reason: JobReason
    created_at: datetime
    done_at: datetime | None = None
    attempt: int = 1


class Question(Document):
    """`questions/{id}`: something only the person can answer."""

    text: str
    choices: list[str] = Field(default_factory=list)
    kind: Literal["fact", "approval", "mandate"]
    status: Literal["open", "answered", "expired"] = "open"
    answer: str | None = None
    via: Literal["app", "sms"] | None = None
    deadline: datetime
    # Which fact the answer becomes, or which amount (decimal string) the callee offered.
    key: str | None = None
    offer: str | None = None
    attempt: int = 1
    created_at: datetime | None = None


class CallStatus(StrEnum):
    """Where one attempt stands at the carrier. INTENDED and POSTING are ours, the rest follow Twilio."""

    INTENDED = "intended"
    POSTING = "posting"
    UNKNOWN = "unknown"
    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    CANCELED = "canceled"
    REFUSED = "refused"


CALL_ENDED = frozenset(map(CallStatus, ("completed", "busy", "no-answer", "failed", "canceled", "refused")))


class Gap(BaseModel):
    """Milliseconds of one reply's stages, each counted from the callee's end of speech."""

    turn: int
    asked_ms: float | None = None
    """The model was asked; before `endpoint_ms` when that was done ahead of the turn's end, perhaps before 0."""
    endpoint_ms: float | None = None
    final_ms: float | None = None
    token_ms: float | None = None
    clause_ms: float | None = None
    audio_ms: float | None = None
    frame_ms: float | None = None


class Call(Document):
    """`calls/{attempt}`: the intent to ring and then what became of it."""

    to: str
    from_: str = Field(alias="from")
    status: CallStatus = CallStatus.INTENDED
    sid: str | None = None
    relay_url: str | None = None
    epoch: int = 0
    line: str = "unknown"
    held_s: float = 0.0  # on hold so far
    not_after: datetime | None = None
    created_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    gaps: list[Gap] = Field(default_factory=list)
    cost: Cost = Field(default_factory=Cost)
    hops: int = 0

    model_config = ConfigDict(extra="ignore", populate_by_name=True, serialize_by_alias=True)


class Turn(Document):
    """`turns/{seq}`: all one party said until the other took the floor. For Floyd `heard` is what reached the ear."""

    call: int
    speaker: Literal["callee", "floyd", "person"]
    planned: str | None = None
    sent: str | None = None
    heard: str
    start_ms: int
    end_ms: int
    cut: bool = False
    at: datetime | None = None
    expires_at: datetime | None = None


class Live(Document):
    """`live/now`: the newest interim words; disposable, written at most once a second."""

    seq: int = 0
    speaker: str = ""
    interim: str = ""
    line: str = "unknown"
    line_since: datetime | None = None
    updated_at: datetime
    expires_at: datetime | None = None


class Place(Document):
    """`users/{uid}/places/{hash}`: somebody Floyd has rung for this person, and what helps next time."""

    name: str
    number: str
    notes: str = ""
    calls: int = 0
    last_call_at: datetime | None = None
    last_outcome: str = ""


class Task(Document):
    """`users/{uid}/tasks/{id}`: what somebody promised in a call."""

    title: str
    due: str | None = None
    kind: Literal["promise", "appointment", "follow_up"]
    request: str
    turn: int
    done: bool = False


class Disclosure(Document):
    """`users/{uid}/disclosures/{id}`: which fact was spoken to whom, in which turn."""

    fact: str
    to: str
    request: str
    turn: int
    at: datetime
