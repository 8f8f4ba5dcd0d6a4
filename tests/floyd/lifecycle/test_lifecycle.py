"""The laws of a request's life, under any order and any number of copies of events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from floyd.documents import (
    CALL_ENDED,
    TERMINAL,
    Call,
    CallStatus,
    JobReason,
    Question,
    Released,
    Request,
    Status,
)
from floyd.lifecycle import Decision, Errand, Event, after_the_call, before_the_call, decide, during_the_call
from floyd.plans import Callee, Category, MandateTerms, Outcome, Plan

START = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
PLAN = Plan(
    needs_call=True,
    goal="g",
    done_when=[],
    callee=Callee(name="c", number="+13125550142", number_source="fact"),
    facts_needed=[],
    facts_missing=[],
    steps=[],
    opening="o",
    voicemail="v",
    mandate=MandateTerms(),
    questions=[],
)
RANK = {status: rank for rank, status in enumerate(Status)}
CATEGORIES: list[Category] = ["done", "no_answer", "busy", "needs_answer", "declined_by_callee", "cancelled"]
ATTEMPTS = st.integers(-1, 0)
EPOCHS = st.integers(-1, 0)


class RequestLife(RuleBasedStateMachine):
    """Throws events at one request, current ones and stale ones, and keeps a model of what must never happen."""

    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        request = Request(text="ring", created_at=START, deadline=START + timedelta(minutes=1))
        self.documents: dict[str, object] = {}
        self.calls: dict[int, Call] = {}
        self.errand = Errand("u", "r", request)
        self.confirmed_cancel = False
        self.claims: list[int] = []
        self.asked = 0

    def happen(self, event: Event) -> Event:
        """Decide, check the laws of this one move, and become what was decided."""
        before = replace(self.errand, question=self.question_of(event))
        decision = decide(before, event, self.now)
        after = decision.errand
        if decision.ignored is not None:
            assert after == before
            return event
        assert after.request.rev == before.request.rev + 1
        old, new = before.request, after.request
        if old.status in TERMINAL and new.status is not old.status:
            evidence = old.status is Status.UNCONFIRMED and isinstance(event, during_the_call.CarrierProgress)
            assert evidence or isinstance(event, before_the_call.Retried)
        if new.attempt == old.attempt:
            # After a call that must ask, the request waits for the answer: the one way back within an attempt.
            bailed = (old.status, new.status) == (Status.WRAPPING, Status.WAITING)
            # Nor does an edit before any call make another attempt.
            edited = isinstance(event, before_the_call.Edited) and before.call is None
            assert RANK[new.status] >= RANK[old.status] or bailed or edited or old.status is Status.UNCONFIRMED
        else:
            assert new.attempt == old.attempt + 1
            assert self.calls.get(old.attempt) is None or not self.may_ring(old.attempt, decision)
        if isinstance(event, during_the_call.DialClaimed):
            assert not self.confirmed_cancel
            assert event.attempt not in self.claims
            self.claims.append(event.attempt)
        for path, document in decision.creates.items():
            assert path not in self.documents, path
            self.documents[path] = document
        for path, fields in decision.updates.items():
            # A job may have been made by a trigger's test stand-in; calls and questions must exist.
            assert path in self.documents or path.startswith("jobs/"), path
            if path.startswith("calls/"):
                number = int(path.removeprefix("calls/"))
                self.calls[number] = self.calls[number].model_copy(update={"status": CallStatus(fields["status"])})
        self.confirmed_cancel = new.status is Status.CANCELLED
        if after.call is not None:
            self.calls[new.attempt] = after.call
        self.errand = Errand("u", "r", new, self.calls.get(new.attempt))
        return event

    def question_of(self, event: Event) -> Question | None:
        """The stored question that an event names, as the store would load it."""
        name = getattr(event, "question_id", None)
        question = self.documents.get(f"questions/{name}")
        assert question is None or isinstance(question, Question)
        if question is not None and name not in self.errand.request.open_questions:
            return question.model_copy(update={"status": "answered"})
        return question

    def may_ring(self, attempt: int, decision: Decision) -> bool:
        """Whether the call of an attempt that is being left may still become live: never after a move on."""
        call = self.calls[attempt]
        closed = any(
            path == f"calls/{attempt}" and CallStatus(fields["status"]) in CALL_ENDED
            for path, fields in decision.updates.items()
        )
        # Unconfirmed is left only by the person's own word.
        unproven = self.errand.request.status is Status.UNCONFIRMED
        held = self.errand.request.status in (Status.WAITING, Status.WRAPPING) or self.errand.request.status in TERMINAL
        return not (call.status in CALL_ENDED or closed or unproven or held)

    @property
    def attempt(self) -> int:
        return self.errand.request.attempt

    @property
    def epoch(self) -> int:
        return self.errand.request.lease.epoch if self.errand.request.lease else 0

    @rule(steps=st.integers(1, 9), branch=st.integers(0, 3))
    def things_go_their_way(self, steps: int, branch: int) -> None:
        """The events of an ordinary errand, so that walks get far; the other rules then disturb it anywhere."""
        for _ in range(steps):
            self.happen(self.natural(branch))

    def natural(self, branch: int) -> Event:
        request, call, attempt = self.errand.request, self.errand.call, self.attempt
        leased = request.lease is not None and request.lease.owner and self.now < request.lease.until
        match request.status:
            case Status.PENDING | Status.PLANNING if not leased:
                return before_the_call.JobClaimed("a", JobReason.NEW, attempt)
            case Status.PLANNING:
                approval = (
                    (f"approval-{attempt}-{request.rev}", Question(text="?", kind="approval", deadline=self.now)),
                )
                asked = approval if branch == 1 else ()
                return before_the_call.Planned(self.epoch, f"new-{attempt}", PLAN, (), MandateTerms(), questions=asked)
            case Status.WAITING:
                return before_the_call.Approved(mandate=MandateTerms(max_amount="80"))
            case Status.READY:
                self.now = max(self.now, request.not_before or self.now)
                return during_the_call.DialDue("+13125550142", "+12125550100")
            case Status.DIALING if call is not None and call.status is CallStatus.INTENDED:
                return during_the_call.DialClaimed(attempt)
            case Status.DIALING if call is not None and call.sid is None:
                return (
                    during_the_call.PostUnknown(attempt)
                    if branch == 2
                    else during_the_call.Posted(attempt, f"CA{attempt}")
                )
            case Status.DIALING:
                status = CallStatus.BUSY if branch == 3 else CallStatus.RINGING
                return during_the_call.CarrierProgress(attempt, f"CA{attempt}", status)
            case Status.RINGING if call is not None:
                return during_the_call.StreamStarted(attempt, "ws://r", call.epoch)
            case Status.TALKING if branch == 1 and not request.open_questions:
                self.asked += 1
                question = Question(text="560?", kind="mandate", offer="560", deadline=self.now)
                return before_the_call.QuestionAsked(attempt, f"q{self.asked}", question)
            case Status.TALKING:
                return during_the_call.CallFinished(attempt, "needs_answer" if branch == 1 else "done")
            case Status.WRAPPING if not leased:
                return before_the_call.JobClaimed("a", JobReason.OUTCOME, attempt)
            case Status.WRAPPING:
                outcome = Outcome(category=CATEGORIES[(3, 0, 1, 2)[(branch + 3) % 4]], summary="s")
                return after_the_call.OutcomeFound(self.epoch, f"outcome-{attempt}", outcome)
            case _:
                return before_the_call.Retried()

    @rule(seconds=st.sampled_from([0, 1, 30, 61, 400, 4000, 700_000]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(target=sent, reason=st.sampled_from(JobReason), back=ATTEMPTS, owner=st.sampled_from("ab"))
    def job_claimed(self, reason: JobReason, back: int, owner: str) -> Event:
        return self.happen(before_the_call.JobClaimed(owner, reason, self.attempt + back))

    @rule(target=sent, back=EPOCHS, missing=st.booleans(), approval=st.booleans(), later=st.booleans())
    def planned(self, back: int, missing: bool, approval: bool, later: bool) -> Event:
        asked: tuple[tuple[str, Question], ...] = ()
        if missing or approval:
            self.asked += 1
            name = f"q{self.asked}" if missing else f"approval-{self.attempt}-{self.errand.request.rev}"
            kind = "fact" if missing else "approval"
            asked = ((name, Question(text="?", kind=kind, key="k", deadline=self.now)),)  # type: ignore[arg-type]
        return self.happen(
            before_the_call.Planned(
                self.epoch + back,
                f"new-{self.attempt}",
                PLAN,
                (),
                MandateTerms(),
                proposed=(Released(key="b", value="c"),) if approval else (),
                questions=asked,
                not_before=self.now + timedelta(hours=1) if later else None,
            )
        )

    @rule(target=sent, back=EPOCHS, retryable=st.booleans())
    def plan_failed(self, back: int, retryable: bool) -> Event:
        return self.happen(before_the_call.PlanFailed(self.epoch + back, f"new-{self.attempt}", "m", retryable))

    @rule(target=sent, back=EPOCHS)
    def answered_from_facts(self, back: int) -> Event:
        return self.happen(before_the_call.AnsweredFromFacts(self.epoch + back, f"new-{self.attempt}", PLAN, "Tuesday"))

    @rule(
        target=sent,
        event=st.sampled_from(
            [
                during_the_call.CancelRequested(),
                before_the_call.Approved(),
                before_the_call.Approved(mandate=MandateTerms(max_amount="80")),
                before_the_call.Retried(),
                before_the_call.Edited(text="ring twice"),
                during_the_call.DialDue("+13125550142", "+12125550100"),
            ]
        ),
    )
    def anytime(self, event: Event) -> Event:
        return self.happen(event)

    @rule(target=sent, back=ATTEMPTS)
    def dial_claimed(self, back: int) -> Event:
        return self.happen(during_the_call.DialClaimed(self.attempt + back))

    @rule(target=sent, back=ATTEMPTS, what=st.integers(0, 4))
    def dialler_speaks(self, back: int, what: int) -> Event:
        attempt = self.attempt + back
        choices: list[Event] = [
            during_the_call.Posted(attempt, f"CA{attempt}"),
            during_the_call.PostUnknown(attempt),
            during_the_call.DialRefused(attempt, "number_invalid", "m"),
            during_the_call.Postponed(attempt, self.now + timedelta(minutes=9), "quiet hours"),
            during_the_call.ResumeGranted(attempt),
        ]
        return self.happen(choices[what])

    @rule(
        target=sent,
        back=ATTEMPTS,
        status=st.sampled_from([s for s in CallStatus if s not in (CallStatus.INTENDED, CallStatus.POSTING)]),
        other=st.booleans(),
    )
    def carrier_speaks(self, back: int, status: CallStatus, other: bool) -> Event:
        attempt = self.attempt + back
        if attempt not in self.claims:
            return after_the_call.Swept()  # A carrier knows only calls that somebody claimed and posted.
        return self.happen(during_the_call.CarrierProgress(attempt, f"CA{attempt}{'x' if other else ''}", status))

    @rule(target=sent, back=ATTEMPTS, epoch=st.integers(1, 3), what=st.integers(0, 2))
    def relay_speaks(self, back: int, epoch: int, what: int) -> Event:
        attempt = self.attempt + back
        if attempt not in self.claims:
            return after_the_call.Swept()
        if what == 0:
            return self.happen(during_the_call.StreamStarted(attempt, "ws://r", epoch))
        if what == 1:
            return self.happen(during_the_call.CallFinished(attempt, "needs_answer"))
        self.asked += 1
        question = Question(text="560?", kind="mandate", offer="560", deadline=self.now)
        return self.happen(before_the_call.QuestionAsked(attempt, f"q{self.asked}", question))

    @rule(target=sent, answer=st.sampled_from(["yes", "no", "cancel it", "Lincoln", "up to 80"]))
    def answered(self, answer: str) -> Event:
        names = self.errand.request.open_questions
        name = names[0] if names else "none"
        return self.happen(before_the_call.QuestionAnswered(name, answer, "app"))

    @rule(target=sent, back=EPOCHS, category=st.sampled_from(CATEGORIES))
    def outcome_found(self, back: int, category: Category) -> Event:
        outcome = Outcome(category=category, summary="s")
        return self.happen(after_the_call.OutcomeFound(self.epoch + back, f"outcome-{self.attempt}", outcome, "0.10"))

    @rule(target=sent, evidence=st.sampled_from(["live", "absent", "unknown"]))
    def swept(self, evidence: str) -> Event:
        return self.happen(after_the_call.Swept(evidence))  # type: ignore[arg-type]

    @rule(event=sent)
    def repeated(self, event: Event) -> None:
        """Any earlier event may come again, however late."""
        if isinstance(event, before_the_call.Retried | before_the_call.Edited | during_the_call.DialDue):
            return  # A person's second wish is a new wish.
        self.happen(event)

    @invariant()
    def at_most_one_live_attempt(self) -> None:
        live = [n for n, call in self.calls.items() if call.status not in CALL_ENDED and n == self.attempt]
        assert len(live) <= 1
        older = [n for n in self.claims if n < self.attempt and self.calls[n].status is CallStatus.INTENDED]
        assert not older

    @invariant()
    def every_unended_state_has_a_deadline_that_the_sweeper_acts_on(self) -> None:
        request = self.errand.request
        if request.status in TERMINAL:
            return
        assert request.deadline >= request.created_at
        very_late = max(request.deadline, self.now) + timedelta(days=1)
        moved = decide(self.errand, after_the_call.Swept("absent"), very_late)
        assert moved.ignored is None

    @invariant()
    def sweeping_alone_ends_it(self) -> None:
        """With every trigger lost and no vendor answering, the sweeper brings any state to an end in bounded time."""
        errand, now = self.errand, self.now
        for _ in range(60):
            if errand.request.status in TERMINAL:
                return
            now = max(now, errand.request.deadline) + timedelta(minutes=16)
            errand = decide(errand, after_the_call.Swept("unknown"), now).errand
        raise AssertionError(f"still {errand.request.status}")


RequestLife.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestRequestLife = RequestLife.TestCase
