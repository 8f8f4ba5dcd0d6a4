"""What a call came to: a model reads the transcript, code believes only what the callee's words show."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import get_args

from floyd import lines
from floyd.documents import Disclosure, Place, Question, Request, Task, Turn
from floyd.errors import VendorError
from floyd.lifecycle import Errand
from floyd.lifecycle.events import OutcomeFound
from floyd.plans import Category, FoundFact, FoundTask, Outcome, OutcomeDraft
from floyd.store import Store
from functions.evidence import check_claims, errand_began, supported_facts, supported_tasks, told
from functions.model import Model
from functions.prompts import OUTCOME_RULES, outcome_content

log = logging.getLogger(__name__)

# Below the lease of 60 s, with time to write the result down.
BUDGET_S = 50.0
TRIES = 3
PAUSE_S = 1.0

CATEGORIES: frozenset[str] = frozenset(get_args(Category))
# End reasons that are themselves the outcome: the relay or the carrier knows better than anybody who reads the words.
DECIDED_BY_CODE: frozenset[str] = frozenset(
    {
        "no_answer",
        "busy",
        "do_not_call",
        "cancelled",
        "number_invalid",
        "hold_limit",
        "voicemail_left",
        "voicemail_no_message",
        "refused_by_policy",
    }
)
# Categories that only code may give.
CODE_ONLY: frozenset[str] = DECIDED_BY_CODE | {"answered_without_call", "needs_answer", "needs_approval"}
# Categories that say that the callee agreed to something: without a proved claim nobody may be told so.
NEEDS_PROOF: frozenset[str] = frozenset({"done", "done_differently", "call_back_promised"})
# What is said when there is nothing to read.
SILENT: dict[str, str] = {
    "no_answer": "Nobody answered.",
    "busy": "The line was busy.",
    "cancelled": "You cancelled the call.",
    "line_failed": "The call could not be connected.",
    "number_invalid": "The number does not exist.",
    "do_not_call": "They asked not to be called again, and they will not be.",
    "voicemail_left": "A message was left on the voicemail.",
    "voicemail_no_message": "A voicemail answered; no message was left.",
    "vendor_failed": "A technical fault ended the call.",
    "needs_answer": "Floyd needs your answer before it can go on.",
    "needs_approval": "Floyd needs your approval before it can go on.",
    "refused_by_policy": "The operator has stopped all calls.",
    "no_progress": "The talk went round in circles.",
    "time_limit": "The call reached its time limit.",
    "cost_limit": "The call reached its cost limit.",
    "wrong_number": "A machine answered: a fax or a modem.",
    "hold_limit": "Floyd was kept on hold for too long.",
    "unconfirmed": "The call ended without a clear answer.",
}


@dataclass(frozen=True, slots=True)
class Concluded:
    """An outcome with what it leaves behind."""

    outcome: Outcome
    tasks: tuple[FoundTask, ...] = ()


async def conclude(errand: Errand, job: str, *, epoch: int, store: Store, model: Model, now: datetime) -> str:
    """Work out the outcome of the present attempt and write it down. Safe to repeat: everything has a fixed name."""
    uid, rid, request, call = errand.uid, errand.rid, errand.request, errand.call
    assert call is not None
    turns = await store.turns(uid, rid, request.attempt)
    questions = [question for _, question in await store.questions(uid, rid)]
    reason = call.end_reason or "line_failed"
    draft, dollars = await _draft(errand, reason, turns, model)
    name = (await store.person(uid)).name
    own_lines = (*lines.disclosure(name), *lines.stock(name))
    concluded = judge_outcome(request, reason, turns, questions, draft, own_lines=own_lines)
    outcome = concluded.outcome
    await store.note_result(
        uid,
        rid,
        request.attempt,
        tasks=[
            Task(title=task.title, due=task.due, kind=task.kind, request=rid, turn=task.turn)
            for task in concluded.tasks
        ],
        disclosures=[
            Disclosure(fact=key, to=call.to, request=rid, turn=seq, at=turns_at(turns, seq, now))
            for key, seq in told(request.release, turns)
        ],
        proposed=[_proposed(fact, now) for fact in outcome.facts],
        place=await _place(errand, outcome, store),
    )
    cost = Decimal(call.cost.amount) + dollars
    moved = await store.move(uid, rid, OutcomeFound(epoch, job, outcome, str(cost)))
    return moved.decision.ignored or outcome.category


async def _draft(
    errand: Errand, reason: str, turns: Sequence[tuple[int, Turn]], model: Model
) -> tuple[OutcomeDraft | None, Decimal]:
    """The model's reading; None when nothing was said, or when the model cannot be had."""
    if not any(turn.speaker == "callee" and turn.heard for _, turn in turns):
        return None, Decimal(0)
    content = outcome_content(errand.request, reason, turns)
    try:
        async with asyncio.timeout(BUDGET_S):
            for left in reversed(range(TRIES)):
                try:
                    asked = await model.ask("outcome", OUTCOME_RULES, content, OutcomeDraft, person=errand.uid)
                    return asked.answer, asked.dollars
                except VendorError as error:
                    log.warning("an outcome was not read", extra={"rid": errand.rid, "code": error.code})
                    if not error.retryable or not left:
                        break
                await asyncio.sleep(PAUSE_S * (TRIES - left))
    except TimeoutError:
        log.warning("an outcome was not read in time", extra={"rid": errand.rid})
    # The transcript is the result then; nothing is claimed.
    return None, Decimal(0)


def judge_outcome(
    request: Request,
    reason: str,
    turns: Sequence[tuple[int, Turn]],
    questions: Sequence[Question],
    draft: OutcomeDraft | None,
    *,
    own_lines: Sequence[str],
) -> Concluded:
    """What may be said of the call. Pure. The end reason stands above the model, and the callee's words above both."""
    by_seq = dict(turns)
    claims = check_claims(draft.claims, by_seq, own_lines) if draft else []
    began = errand_began(by_seq, own_lines)
    agreed = any(claim.proved and max(claim.turns) > began for claim in claims)
    category = judge_category(request, reason, questions, draft.category if draft else None, agreed=agreed)
    summary = draft.summary if draft else ""
    if draft is None or category != draft.category or not summary:
        summary = _plain_summary(category, draft)
    facts = supported_facts(draft.facts, by_seq) if draft else []
    tasks = supported_tasks(draft.tasks, by_seq) if draft else []
    return Concluded(Outcome(category=category, summary=summary, claims=claims, facts=facts), tuple(tasks))


def judge_category(
    request: Request, reason: str, questions: Sequence[Question], proposed: Category | None, *, agreed: bool
) -> Category:
    """The category, from the closed list and in keeping with why the call ended.

    `agreed`: the callee's own words prove a claim, and came after they had heard what it was about.
    """
    if reason in DECIDED_BY_CODE:
        return reason  # type: ignore[return-value]  # all of them are categories
    if reason in ("needs_answer", "needs_approval"):
        asked = [question for question in questions if question.attempt == request.attempt]
        if asked:
            return "needs_approval" if all(each.kind != "fact" for each in asked) else "needs_answer"
        return "no_progress"
    if proposed is None:
        return reason if reason in CATEGORIES and reason not in CODE_ONLY | NEEDS_PROOF else "unconfirmed"  # type: ignore[return-value]
    if proposed in CODE_ONLY or (proposed in NEEDS_PROOF and not agreed):
        return "unconfirmed"
    return proposed


def _plain_summary(category: Category, draft: OutcomeDraft | None) -> str:
    """Words for a category that is not the model's own; a summary that goes with another category would mislead."""
    if category == "unconfirmed" and draft is not None:
        return "The call took place, but nothing the callee said confirms a result. The transcript shows what was said."
    return SILENT.get(category, SILENT["unconfirmed"])


def _proposed(fact: FoundFact, now: datetime) -> dict[str, object]:
    """A fact learnt in a call is proposed, never kept by itself: a stranger said it."""
    return {"kind": "proposed_fact", "key": fact.key, "value": fact.value, "turn": fact.turn, "at": now}


def turns_at(turns: Sequence[tuple[int, Turn]], seq: int, now: datetime) -> datetime:
    """When a turn took place; now if it does not say."""
    return next((turn.at for number, turn in turns if number == seq and turn.at is not None), now)


async def _place(errand: Errand, outcome: Outcome, store: Store) -> Place | None:
    """What to remember of whom was called; nothing of a call that nobody answered."""
    request, call = errand.request, errand.call
    if call is None or request.plan is None or call.answered_at is None or not request.plan.callee.number:
        return None
    number = request.plan.callee.number
    known = next((place for place in await store.places(errand.uid) if place.number == number), None)
    place = known or Place(name=request.plan.callee.name, number=number)
    # Counted by attempt, so that a repeated job does not count a call twice.
    if place.last_call_at == call.answered_at:
        return None
    return place.model_copy(
        update={"calls": place.calls + 1, "last_call_at": call.answered_at, "last_outcome": outcome.category}
    )
