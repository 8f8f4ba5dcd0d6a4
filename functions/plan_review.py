"""What code makes of a model's plan: which number, which facts, what the person must say first. Pure.

A model's plan is a proposal. The number is taken from where the plan says it is, never from the plan; a fact is said
only if the person allows it; money, first contacts and anything told only on a yes wait for the person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from floyd.answers import fact_key
from floyd.documents import Call, Fact, Person, Place, Question, Released, Request, Turn
from floyd.facts import ReleaseSet, filled, release
from floyd.lifecycle.before_the_call import APPROVAL
from floyd.lifecycle.limits import WAITING_LIMIT
from floyd.money import Money, find_amounts
from floyd.plans import Callee, MandateTerms, Plan

# More questions at once are not answered; what is missing still will be asked after these.
MOST_QUESTIONS = 4
# A number of a country's own: enough to tell that two ways of writing mean the same line.
COMPARED_DIGITS = 10
_WRITTEN_NUMBER = re.compile(r"[+(]?\d[\d\s().\u2010-\u2015/-]{5,}\d")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when a request is planned. `calls` and `turns` are those of earlier attempts."""

    person: Person
    facts: Sequence[Fact]
    places: Sequence[Place]
    questions: Sequence[Question]
    calls: Sequence[tuple[int, Call]] = ()
    turns: Sequence[tuple[int, Turn]] = ()

    @property
    def answered(self) -> list[Question]:
        return [question for question in self.questions if question.status == "answered" and question.answer]


@dataclass(frozen=True, slots=True)
class Found:
    """A number as written where it was found; `first_contact` if nobody has ever confirmed it."""

    number: str
    first_contact: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The plan as it may be carried out, and the questions that the person must answer first."""

    plan: Plan
    release: tuple[Released, ...]
    proposed: tuple[Released, ...]
    mandate: MandateTerms
    questions: tuple[tuple[str, Question], ...]


def find_number(plan: Plan, request: Request, known: Known) -> Found | None:
    """The number that the plan means, read from its source. None: it must be looked up or asked for."""
    if request.plan is not None and request.plan.callee.number:
        return Found(request.plan.callee.number)
    wanted, source = plan.callee.number or "", plan.callee.number_source
    # Ringing somebody is not telling anybody, so a fact may serve unless it may never be used.
    usable = {fact.key: fact.value for fact in known.facts if fact.share != "never"}
    texts: dict[str, Iterable[str]] = {
        "request": [request.text, *(question.answer or "" for question in known.answered)],
        "fact": usable.values(),
        "place": [place.number for place in known.places],
    }
    # A hidden value is written {key}.
    written = usable.get(wanted.strip("{} ")) if source == "fact" else None
    written = written or _same_number(wanted, texts.get(source, ()))
    asked = (question.answer or "" for question in known.answered if question.key == number_key(plan.callee))
    told = (match[0] for answer in asked if (match := _WRITTEN_NUMBER.search(answer)))
    written = written or next(told, None)
    return Found(written) if written else None


def _same_number(wanted: str, texts: Iterable[str]) -> str | None:
    """The number as written in one of the texts, if it is the wanted one."""
    digits = _digits(wanted)[-COMPARED_DIGITS:]
    written = (match[0] for text in texts for match in _WRITTEN_NUMBER.finditer(text))
    return next((each for each in written if len(digits) >= 7 and _digits(each)[-COMPARED_DIGITS:] == digits), None)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def number_key(callee: Callee) -> str:
    """The key under which the callee's number is asked for."""
    words = re.findall(r"[a-z0-9]+", callee.name.casefold())
    return "_".join([*words[:4], "number"])


def review(plan: Plan, request: Request, known: Known, found: Found | None, now: datetime) -> Reviewed:
    """Settle release set and mandate, fill the texts, and ask what must be asked. `found.number` is E.164 by now."""
    facts = _released(plan, request, known)
    mandate = _mandate(plan, request, known)
    callee = plan.callee.model_copy(update={"number": found.number if found else None})
    if found is not None and found.name:
        callee = callee.model_copy(update={"name": found.name})
    plan = plan.model_copy(update={"callee": callee, "mandate": mandate})
    questions = _missing(plan, facts, found, request, now)
    if not questions:
        questions = _approval(plan, request, known, facts, found=found, now=now)
    if not questions:
        plan = filled(plan, facts.allowed)
    return Reviewed(plan, facts.allowed, facts.proposed, mandate, questions)


def _released(plan: Plan, request: Request, known: Known) -> ReleaseSet:
    told = [
        Released(key=fact_key(question), value=question.answer)
        for question in known.answered
        if question.kind == "fact" and question.answer and question.key != number_key(plan.callee)
    ]
    facts = release(plan, known.facts, answered=told, wished=request.wishes.release)
    if request.plan is None:
        return facts
    # After a call: what was released stays so, and what the callee may still ask is asked for in the call.
    kept = [fact for fact in request.release if fact.key not in {each.key for each in facts.allowed}]
    return replace(facts, allowed=(*facts.allowed, *kept), missing=())


def _mandate(plan: Plan, request: Request, known: Known) -> MandateTerms:
    """The person's own word stands above the plan's, and what they have answered stays settled."""
    if request.wishes.mandate is not None and request.plan is None:
        return request.wishes.mandate
    if request.plan is not None and request.mandate is not None:
        return request.mandate
    amount = re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,4})?", plan.mandate.max_amount)
    usable = amount and re.fullmatch("[A-Z]{3}", plan.mandate.currency)
    return plan.mandate if usable else plan.mandate.model_copy(update={"max_amount": "0", "currency": "USD"})


def _missing(
    plan: Plan, facts: ReleaseSet, found: Found | None, request: Request, now: datetime
) -> tuple[tuple[str, Question], ...]:
    """One question per missing fact, the number first."""
    who = plan.callee.name or "the person to call"
    asked = [(number_key(plan.callee), f"What is the phone number of {who}?")] if found is None else []
    asked += [
        (key, f"What is the {key.replace('_', ' ')}?")
        for key in facts.missing
        if not (found is None and key.endswith("number") and "phone" in key)
    ]
    return tuple(
        (f"fact-{request.attempt}-{request.rev}-{index}", _question(text, "fact", now, request.attempt, key=key))
        for index, (key, text) in enumerate(asked[:MOST_QUESTIONS], 1)
    )


def _approval(
    plan: Plan, request: Request, known: Known, facts: ReleaseSet, *, found: Found | None, now: datetime
) -> tuple[tuple[str, Question], ...]:
    """One question for everything that needs a yes and has none yet."""
    parts: list[str] = []
    spending = not request.approved and not _stated(plan.mandate, request, known)
    if found is not None and found.first_contact and not request.approved:
        parts.append(f"ring {plan.callee.name} at {found.number} for the first time")
    if facts.proposed:
        parts.append(f"tell them your {', '.join(fact.key.replace('_', ' ') for fact in facts.proposed)}")
    if spending:
        parts.append(f"spend up to {Money.of(plan.mandate.max_amount, plan.mandate.currency)}")
    if plan.mandate.promises and not request.approved and request.wishes.mandate is None and request.plan is None:
        parts.append(f"promise: {'; '.join(plan.mandate.promises)}")
    if not parts:
        return ()
    text = f"May Floyd {_listed(parts)}?"
    offer = plan.mandate.max_amount if spending else None
    question = _question(text, "approval", now, request.attempt, offer=offer, choices=["yes", "no"])
    return ((f"{APPROVAL}{request.attempt}-{request.rev}", question),)


def _stated(mandate: MandateTerms, request: Request, known: Known) -> bool:
    """Whether the person named this much money, or more, in words of their own."""
    amount = Decimal(mandate.max_amount)
    if amount == 0 or request.wishes.mandate is not None or request.plan is not None:
        return True
    said = [request.text, *(question.answer or "" for question in known.answered)]
    named = [
        mention.readings[0].amount
        for text in said
        for mention in find_amounts(text, currency=mandate.currency, price_context=True)
        if mention.readings[0].currency == mandate.currency
    ]
    return any(amount <= each for each in named)


def _question(text: str, kind: Literal["fact", "approval"], now: datetime, attempt: int, **more: Any) -> Question:
    deadline = now + WAITING_LIMIT
    return Question(text=text, kind=kind, attempt=attempt, created_at=now, deadline=deadline, **more)


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
