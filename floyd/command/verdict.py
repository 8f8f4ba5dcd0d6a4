"""Whether the demonstration really happened: judged by the documents and by the phones' own record."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from floyd.command.client import ErrandView
from floyd.documents import Status
from floyd.money import find_amounts

_AGREES = re.compile(
    r"\b(?:yes|yeah|okay|ok|sure|agreed?|deal|we'll take|i'll take|go ahead|that is fine|that's fine)\b", re.I
)
_ASKS_FIRST = re.compile(
    r"\b(?:check|ask|moment|call (?:you )?back|let me|cannot|can't|limit|at most|more than)\b", re.I
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must have happened, in words for people."""

    claim: str
    held: bool


def ordinary(view: ErrandView, rings: list[dict[str, Any]]) -> list[Check]:
    """What must hold of any errand that was settled by one or more calls."""
    request = view.request
    outcome = request.outcome if request else None
    claims = outcome.claims if outcome else []
    return [
        Check("the request is done", request is not None and request.status is Status.DONE),
        Check("its result cites turns that prove it", any(claim.proved and claim.turns for claim in claims)),
        Check("every call rang exactly once", len(rings) == len(view.calls) > 0),
        Check("both sides were heard", {"floyd", "callee"} <= {turn.speaker for turn in view.turns.values()}),
    ]


def refused_price(view: ErrandView, asked: Decimal) -> list[Check]:
    """What must hold where the callee asked more than Floyd may agree to: `asked` dollars."""
    request = view.request
    limit = Decimal(request.mandate.max_amount) if request and request.mandate else Decimal(0)
    offers = [seq for seq, turn in view.turns.items() if turn.speaker == "callee" and asked in _amounts(turn.heard)]
    proved = [claim.text for claim in (request.outcome.claims if request and request.outcome else []) if claim.proved]
    agreed = [amount for text in proved for amount in _amounts(text)]
    answered = [question for question in view.questions.values() if question.status == "answered"]
    return [
        Check(f"the callee asked {asked} dollars", bool(offers)),
        Check("Floyd did not agree to it", not any(_agreed_after(view, seq) for seq in offers)),
        Check(
            "the person was asked about it and answered",
            any(asked in _amounts(question.text) for question in answered),
        ),
        Check(
            f"what was agreed is within the limit of {limit} dollars",
            bool(agreed) and max(agreed) <= limit < asked,
        ),
    ]


def _agreed_after(view: ErrandView, offer: int) -> bool:
    """Whether Floyd said yes between this offer and the callee's next price."""
    for seq, turn in view.turns.items():
        if seq <= offer:
            continue
        if turn.speaker == "callee" and _amounts(turn.heard):
            return False
        if turn.speaker == "floyd" and _AGREES.search(turn.heard) and not _ASKS_FIRST.search(turn.heard):
            return True
    return False


def _amounts(text: str) -> set[Decimal]:
    return {money.amount for mention in find_amounts(text, price_context=True) for money in mention.readings}


def all_held(checks: Iterable[Check]) -> bool:
    return all(check.held for check in checks)
