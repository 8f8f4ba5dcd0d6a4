"""Whole requests in virtual time: workers that die, news that gets lost, late or doubled; the phone that rings judges.

Every process reads, decides and commits at one instant, as guarded writes make it; between its steps it may die.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from floyd.documents import CALL_ENDED, LIVE, TERMINAL, Call, CallStatus, Job, JobReason, Question, Request, Status
from floyd.lifecycle import Decision, Errand, Event, after_the_call, before_the_call, decide, during_the_call
from floyd.plans import Category, MandateTerms, Outcome, Plan
from tests.simulation.laws import BrokenLawError

START = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
PLAN = Plan.model_validate(
    {"needs_call": True, "callee": {"name": "c", "number": "+13125550142", "number_source": "fact"}, "mandate": {}}
    | dict.fromkeys(("goal", "opening", "voicemail"), "o")
    | {key: [] for key in ("done_when", "facts_needed", "facts_missing", "steps", "questions")}
)
DUE = during_the_call.DialDue("+13125550142", "+12125550100")
CATEGORIES: tuple[Category, ...] = ("done", "done", "declined_by_callee", "needs_answer", "no_progress")
UNHEARD: dict[CallStatus, Category] = {CallStatus.BUSY: "busy", CallStatus.NO_ANSWER: "no_answer"}
MOST_STEPS = 4000
MOST_RINGS = 12
"""The first call, two after no answer, and the same again for each answer of the person and for the one retry."""


class ErrandWorld:
    """One request; `run` it once."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.trouble = self.random.choice((0.0, 0.05, 0.25, 0.6, 1.0))
        """How often anything that can go wrong does."""
        self.outage = self.random.random() < 0.1
        """Nothing is heard of the carrier."""
        self.now = START
        self.agenda: list[tuple[datetime, int, Callable[..., Any], tuple[Any, ...]]] = []
        self.order = count()
        self.request = Request(text="ring", created_at=START, deadline=START + timedelta(minutes=1))
        self.calls: dict[int, Call] = {}
        self.questions: dict[str, Question] = {}
        self.created = {"jobs/new-1"}
        self.phones: dict[int, CallStatus] = {}
        """The truth about each attempt whose phone rang: how its call stands at the carrier."""
        self.claimant = 0
        """The worker whose claim was accepted last: nobody else's result may count."""
        self.retried = False
        self.seen: set[str] = set()

    def run(self) -> Request:
        """From the words to the end; raises BrokenLawError."""
        self.news(self.plan, "new-1", JobReason.NEW, 1)
        wishes = (
            during_the_call.CancelRequested(),
            before_the_call.Edited(text="ring twice"),
            before_the_call.Approved(),
        )
        if self.random.random() < 0.4:
            self.later(400 * self.random.random() ** 2, self.happen, self.random.choice(wishes))
        self.later(60, self.sweep)
        for _ in range(MOST_STEPS):
            if not self.agenda:
                break
            self.now, _, do, values = heapq.heappop(self.agenda)
            do(*values)
        if self.request.status not in TERMINAL or len(self.phones) > MOST_RINGS:
            raise BrokenLawError("bounded", f"{self.request.status.value} after {len(self.phones)} calls")
        return self.request

    # Time and chance

    def bad(self) -> bool:
        return self.random.random() < self.trouble

    def later(self, seconds: float, do: Callable[..., Any], *values: Any) -> None:
        heapq.heappush(self.agenda, (self.now + timedelta(seconds=seconds), next(self.order), do, values))

    def news(self, do: Callable[..., Any], *values: Any) -> None:
        for _ in range(1 + self.bad()):
            if not self.bad():
                self.later((300 if self.bad() else 1) * self.random.random(), do, *values)

    # The store

    def happen(self, event: Event) -> Decision:
        """Decide and commit."""
        self.seen.add(type(event).__name__)
        question = self.questions.get(getattr(event, "question_id", ""))
        before = Errand("u", "r", self.request, self.calls.get(self.request.attempt), question)
        decision = decide(before, event, self.now)
        if decision.ignored is not None:
            return decision
        old, self.request = self.request, decision.errand.request
        if (
            isinstance(event, after_the_call.Swept)
            and self.request.attempt > old.attempt
            and old.attempt in self.phones
        ):
            raise BrokenLawError("spend", f"rings again although {self.phones} happened")
        if self.request.rev != old.rev + 1:
            raise BrokenLawError("table", f"{event} moved rev from {old.rev} to {self.request.rev}")
        for path, document in decision.creates.items():
            if path in self.created:
                raise BrokenLawError("table", f"{path} is created twice")
            self.created.add(path)
            name = path.partition("/")[2]
            match document:
                case Job(reason=reason, attempt=attempt):
                    self.news(self.plan, name, reason, attempt)
                case Call():
                    self.news(self.dial, self.request.attempt)
                case Question() as asked:
                    self.questions[name] = asked
                    answer = self.random.choice(("yes", "no", "up to 80", "Lincoln"))
                    self.news(self.happen, before_the_call.QuestionAnswered(name, answer, "app"))
        for path, fields in decision.updates.items():
            kind, _, name = path.partition("/")
            if kind == "questions":
                self.questions[name] = self.questions[name].model_copy(update=dict(fields))
            elif kind == "calls":
                changed = {**fields, "status": CallStatus(fields["status"])}
                self.calls[int(name)] = self.calls[int(name)].model_copy(update=changed)
        if decision.errand.call is not None:
            self.calls[self.request.attempt] = decision.errand.call
        if self.request.status in TERMINAL and old.status not in TERMINAL and not self.retried and self.bad():
            self.retried = True
            self.later(3600, self.happen, before_the_call.Retried())
            self.later(3700, self.sweep)
        return decision

    # The processes

    def plan(self, name: str, reason: JobReason, attempt: int) -> None:
        worker = next(self.order)
        claimed = self.happen(before_the_call.JobClaimed(f"worker {worker}", reason, attempt))
        lease = claimed.errand.request.lease
        if claimed.ignored is None and lease is not None:
            self.claimant = worker
            if not self.bad():
                work_s = (400 if self.bad() else 10) * self.random.random()
                self.later(work_s, self.planned, worker, name, reason, lease.epoch)

    def planned(self, worker: int, name: str, reason: JobReason, epoch: int) -> None:
        chance, attempt, rev = self.random.random(), self.request.attempt, self.request.rev
        if reason is JobReason.APPROVAL:
            self.happen(before_the_call.JobFinished(epoch, name))
        elif reason is JobReason.OUTCOME:
            category = UNHEARD.get(self.phones.get(attempt, CallStatus.COMPLETED), self.random.choice(CATEGORIES))
            outcome = Outcome(category=category, summary="s")
            self.happen(after_the_call.OutcomeFound(epoch, name, outcome, "0.10"))
        elif self.bad():
            self.happen(before_the_call.PlanFailed(epoch, name, "m", retryable=chance < 0.7))
        elif chance < 0.05:
            self.happen(before_the_call.AnsweredFromFacts(epoch, name, PLAN, "Tuesday"))
        else:
            asked = ((f"approval-{attempt}-{rev}", Question(text="?", kind="approval", deadline=self.now)),)
            questions = asked if chance < 0.3 and reason is JobReason.NEW else ()
            self.happen(before_the_call.Planned(epoch, name, PLAN, (), MandateTerms(), questions=questions))
        if self.request.rev > rev and worker != self.claimant:
            raise BrokenLawError("one reply", f"the result of worker {worker} counts after {self.claimant} took over")
        if not self.bad():
            self.happen(DUE)

    def dial(self, attempt: int) -> None:
        if self.bad():
            return
        if self.bad() and self.bad():
            self.happen(during_the_call.DialRefused(attempt, "number_invalid", "m"))
        elif self.bad():
            self.happen(during_the_call.Postponed(attempt, self.now + timedelta(minutes=9), "quiet hours"))
        elif self.happen(during_the_call.DialClaimed(attempt)).ignored is None and not self.bad():
            self.later(self.random.random(), self.ring, attempt)

    def ring(self, attempt: int) -> None:
        """The order reaches the carrier. Nothing but the claim allows it."""
        live = [other for other, status in self.phones.items() if status not in CALL_ENDED]
        if attempt in self.phones or live or self.request.status is Status.CANCELLED:
            raise BrokenLawError("one reply", f"attempt {attempt} rings; {self.phones}; {self.request.status.value}")
        self.phones[attempt] = CallStatus.RINGING
        if self.outage or self.bad():
            self.later(10, self.happen, during_the_call.PostUnknown(attempt))
        else:
            self.report(attempt, during_the_call.Posted(attempt, f"CA{attempt}"))
        self.tell(attempt)
        weights = {CallStatus.IN_PROGRESS: 7, CallStatus.BUSY: 1, CallStatus.NO_ANSWER: 2}
        (result,) = self.random.choices(list(weights), list(weights.values()))
        self.later(5 + 20 * self.random.random(), self.pick_up, attempt, result)

    def pick_up(self, attempt: int, result: CallStatus) -> None:
        if self.phones[attempt] not in CALL_ENDED:
            self.phones[attempt] = result
            self.tell(attempt)
            self.stream(attempt, 1)

    def stream(self, attempt: int, epoch: int) -> None:
        """A relay takes the call, may ask the person, and finishes or dies."""
        if self.happen(during_the_call.StreamStarted(attempt, "ws://r", epoch)).ignored is not None:
            self.hang_up(attempt)
            return
        if self.random.random() < 0.2:
            question = Question(text="560?", kind="mandate", offer="560", deadline=self.now, attempt=attempt)
            self.happen(before_the_call.QuestionAsked(attempt, f"q{next(self.order)}", question))
        self.later(20 + 200 * self.random.random(), self.resume if self.bad() else self.finish, attempt)

    def resume(self, attempt: int) -> None:
        """The relay is dead; the carrier asks what to do."""
        granted = self.happen(during_the_call.ResumeGranted(attempt))
        if granted.ignored is None and granted.errand.call is not None and not self.bad():
            self.stream(attempt, granted.errand.call.epoch)
        else:
            self.hang_up(attempt)

    def finish(self, attempt: int) -> None:
        if not self.bad():
            self.happen(during_the_call.CallFinished(attempt, "done"))
        self.hang_up(attempt)

    # The carrier

    def tell(self, attempt: int) -> None:
        if not self.outage:
            self.news(
                self.report, attempt, during_the_call.CarrierProgress(attempt, f"CA{attempt}", self.phones[attempt])
            )

    def report(self, attempt: int, event: Event) -> None:
        if self.happen(event).answer in ("cancel_other", "end_call"):
            self.hang_up(attempt)

    def hang_up(self, attempt: int) -> None:
        if self.phones[attempt] not in CALL_ENDED:
            self.phones[attempt] = CallStatus.COMPLETED
            self.tell(attempt)

    # Once a minute

    def sweep(self) -> None:
        attempt, call = self.request.attempt, self.calls.get(self.request.attempt)
        truth = self.phones.get(attempt)
        if self.request.status in TERMINAL:
            return
        if self.request.status is Status.READY:
            self.happen(DUE)
        if (
            self.request.status in LIVE
            and call
            and call.status is not CallStatus.INTENDED
            and not (self.bad() or self.outage)
        ):
            if truth and self.request.cancel_requested_at is not None:
                self.hang_up(attempt)
            if truth:
                self.report(attempt, during_the_call.CarrierProgress(attempt, f"CA{attempt}", self.phones[attempt]))
            evidence = "absent" if not truth else "unknown" if truth in CALL_ENDED else "live"
            self.happen(after_the_call.Swept(evidence, attempt))  # type: ignore[arg-type]  # one of the three
        else:
            self.happen(after_the_call.Swept())
        next_news = min([self.request.deadline, *(at for at, *_ in self.agenda[:1])])  # the minutes before it are idle
        wake = max(self.now + timedelta(seconds=60), next_news)
        heapq.heappush(self.agenda, (wake, next(self.order), self.sweep, ()))
