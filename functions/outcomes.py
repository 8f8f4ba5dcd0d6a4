"""What a call came to: a model reads the transcript, code believes only what the callee's words show."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import get_args

from floyd import lines
from floyd.documents import Disclosure, Place, Question, Request, Task, Turn
from floyd.errors import VendorError
from floyd.lifecycle import Errand
from floyd.lifecycle.after_the_call import OutcomeFound
from floyd.plans import Agreed, Asks, Category, Decided, FoundTask, Outcome, OutcomeDraft
from functions.evidence import check_claims, errand_began, supported_facts, supported_tasks, told
from functions.parts import Parts
from functions.prompts import OUTCOME_RULES, WORDS, outcome_content

log = logging.getLogger(__name__)

# Below the lease of 60 s, with time to write the result down.
BUDGET_S = 50.0
TRIES = 3

# Categories that only code may give.
CODE_ONLY = frozenset({*get_args(Decided), *get_args(Asks), "answered_without_call"})
# What is said when there is nothing to read.
SILENT: dict[str, str] = WORDS["summaries"]


async def conclude(errand: Errand, job: str, epoch: int, parts: Parts) -> str:
    """Work out the outcome of the present attempt and write it down. Safe to repeat: everything has a fixed name."""
    uid, rid, request, call, store, now = errand.uid, errand.rid, errand.request, errand.call, parts.store, parts.now
    assert call is not None
    turns = await store.turns(uid, rid, request.attempt)
    questions = [question for _, question in await store.questions(uid, rid)]
    reason = call.end_reason or "line_failed"
    draft, dollars = await _draft(errand, reason, turns, parts)
    name = (await store.person(uid)).name
    own_lines = (*lines.disclosure(name), *lines.stock(name))
    outcome, tasks = judge_outcome(request, reason, turns, questions, draft, own_lines=own_lines)
    await store.note_result(
        uid,
        rid,
        request.attempt,
        tasks=[Task(**task.model_dump(), request=rid) for task in tasks],
        disclosures=[
            Disclosure(fact=key, to=call.to, request=rid, turn=seq, at=turns_at(turns, seq, now))
            for key, seq in told(request.release, turns)
        ],
        # A fact learnt in a call is proposed, never kept by itself: a stranger said it.
        proposed=[{"kind": "proposed_fact", "at": now} | fact.model_dump() for fact in outcome.facts],
        place=await _place(errand, outcome, parts),
    )
    cost = Decimal(call.cost.amount) + dollars
    moved = await store.move(uid, rid, OutcomeFound(epoch, job, outcome, str(cost)))
    return moved.ignored or outcome.category


async def _draft(
    errand: Errand, reason: str, turns: Sequence[tuple[int, Turn]], parts: Parts
) -> tuple[OutcomeDraft | None, Decimal]:
    """The model's reading; None when nothing was said, or when the model cannot be had."""
    if not any(turn.speaker == "callee" and turn.heard for _, turn in turns):
        return None, Decimal(0)
    content = outcome_content(errand.request, reason, turns)
    try:
        async with asyncio.timeout(BUDGET_S):
            for left in reversed(range(TRIES)):
                try:
                    return await parts.model.ask("outcome", OUTCOME_RULES, content, OutcomeDraft, person=errand.uid)
                except VendorError as error:
                    log.warning("an outcome was not read", extra={"rid": errand.rid, "code": error.code})
                    if not error.retryable or not left:
                        break
                await asyncio.sleep(parts.pause_s * (TRIES - left))
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
) -> tuple[Outcome, list[FoundTask]]:
    """What may be said of the call, and the tasks it leaves. Pure.

    The end reason stands above the model, and the callee's words above both.
    """
    by_seq = dict(turns)
    claims = check_claims(draft.claims, by_seq, own_lines) if draft else []
    began = errand_began(by_seq, own_lines)
    agreed = any(claim.proved and max(claim.turns) > began for claim in claims)
    category = judge_category(request, reason, questions, draft.category if draft else None, agreed=agreed)
    summary = draft.summary if draft and category == draft.category else ""
    facts = supported_facts(draft.facts, by_seq) if draft else []
    tasks = supported_tasks(draft.tasks, by_seq) if draft else []
    summary = summary or _plain_summary(category, draft)
    return Outcome(category=category, summary=summary, claims=claims, facts=facts), tasks


def judge_category(
    request: Request, reason: str, questions: Sequence[Question], proposed: Category | None, *, agreed: bool
) -> Category:
    """The category, from the closed list and in keeping with why the call ended.

    `agreed`: the callee's own words prove a claim, and came after they had heard what it was about.
    """
    if reason in get_args(Decided):
        return reason  # type: ignore[return-value]  # all of them are categories
    if reason in get_args(Asks):
        asked = [question for question in questions if question.attempt == request.attempt]
        if asked:
            return "needs_approval" if all(each.kind != "fact" for each in asked) else "needs_answer"
        return "no_progress"
    if proposed is None:
        return reason if reason in {*get_args(Category)} - {*CODE_ONLY, *get_args(Agreed)} else "unconfirmed"  # type: ignore[return-value]
    if proposed in CODE_ONLY or (proposed in get_args(Agreed) and not agreed):
        return "unconfirmed"
    return proposed


def _plain_summary(category: Category, draft: OutcomeDraft | None) -> str:
    """Words for a category that is not the model's own; a summary that goes with another category would mislead."""
    if category == "unconfirmed" and draft is not None:
        return "The call took place, but nothing the callee said confirms a result. The transcript shows what was said."
    return SILENT.get(category, SILENT["unconfirmed"])


def turns_at(turns: Sequence[tuple[int, Turn]], seq: int, now: datetime) -> datetime:
    """When a turn took place; now if it does not say."""
    return next((turn.at for number, turn in turns if number == seq and turn.at is not None), now)


async def _place(errand: Errand, outcome: Outcome, parts: Parts) -> Place | None:
    """What to remember of whom was called; nothing of a call that nobody answered."""
    request, call = errand.request, errand.call
    if call is None or request.plan is None or call.answered_at is None or not request.plan.callee.number:
        return None
    callee = request.plan.callee
    known = (place for place in await parts.store.places(errand.uid) if place.number == callee.number)
    place = next(known, Place(name=callee.name, number=callee.number or ""))
    # Counted by attempt, so that a repeated job does not count a call twice.
    if place.last_call_at == call.answered_at:
        return None
    changed = {"calls": place.calls + 1, "last_call_at": call.answered_at, "last_outcome": outcome.category}
    return place.model_copy(update=changed)
