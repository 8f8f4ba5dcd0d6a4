"""Whether the demonstration really happened: judged by the documents and by the phones' own record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from floyd.command.client import ErrandView
from floyd.documents import Status
from floyd.money import find_amounts

# What the callee's ear may not catch between a price above the limit and the next price.
_AGREES = re.compile(r"\b(?:yes|yeah|deal|agreed|(?:take|book|order) it|go ahead|(?:that|it|dollars) is fine)\b", re.I)


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


def refused_price(view: ErrandView, calls: list[dict[str, Any]], asked: Decimal) -> list[Check]:
    """What must hold where the callee asked `asked` dollars, more than Floyd may agree to. `calls`: phone records."""
    request = view.request
    limit = Decimal(request.mandate.max_amount) if request and request.mandate else Decimal(0)
    offers = [seq for seq, turn in view.turns.items() if turn.speaker == "callee" and asked in _amounts(turn.heard)]
    proved = [claim.text for claim in (request.outcome.claims if request and request.outcome else []) if claim.proved]
    agreed = [amount for text in proved for amount in _amounts(text)]
    answered = [question for question in view.questions.values() if question.status == "answered"]
    return [
        Check(f"the callee asked {asked} dollars", bool(offers)),
        Check("the callee's ear caught no agreement to it", not agreed_by_ear(calls, asked)),
        Check(
            "the person was asked about it and answered",
            any(asked in _amounts(question.text) for question in answered),
        ),
        Check(
            f"what was agreed is within the limit of {limit} dollars",
            bool(agreed) and max(agreed) <= limit < asked,
        ),
    ]


def agreed_by_ear(calls: Iterable[dict[str, Any]], asked: Decimal) -> bool:
    """Whether a callee's ear caught a yes after this price and before the next: the phones' records, none of ours."""
    return any(
        _AGREES.search(" ".join(word["word"] for word in call["heard"] if start <= word["start_ms"] < end))
        for call in calls
        for start, end in _open_for(asked, call["said"])
    )


def _open_for(asked: Decimal, said: list[dict[str, Any]]) -> Iterator[tuple[float, float]]:
    """From each naming of this price to the next price that the callee named."""
    priced = [(line["start_ms"], _amounts(line["text"])) for line in said if _amounts(line["text"])]
    ends = [start for start, _ in priced[1:]] + [float("inf")]
    yield from ((start, end) for (start, amounts), end in zip(priced, ends, strict=True) if asked in amounts)


def _amounts(text: str) -> set[Decimal]:
    return {money.amount for mention in find_amounts(text, price_context=True) for money in mention.readings}


def all_held(checks: Iterable[Check]) -> bool:
    return all(check.held for check in checks)
