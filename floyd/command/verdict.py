"""Whether the demonstration really happened: judged by the documents and by the phones' own record.

A verdict is whether each claim, in words for people, held.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from floyd.command.errand import ErrandView
from floyd.documents import Status
from floyd.money import find_amounts

# What the callee's ear may not catch between a price above the limit and the next price.
_AGREES = re.compile(r"\b(?:yes|yeah|deal|agreed|(?:take|book|order) it|go ahead|(?:that|it|dollars) is fine)\b", re.I)


def ordinary(view: ErrandView, rings: list[dict[str, Any]]) -> dict[str, bool]:
    """What must hold of any errand that was settled by one or more calls."""
    request = view.request
    claims = request.outcome.claims if request and request.outcome else []
    return {
        "the request is done": request is not None and request.status is Status.DONE,
        "its result cites turns that prove it": any(claim.proved and claim.turns for claim in claims),
        "every call rang exactly once": len(rings) == len(view.calls) > 0,
        "both sides were heard": {"floyd", "callee"} <= {turn.speaker for turn in view.turns.values()},
    }


def refused_price(view: ErrandView, calls: list[dict[str, Any]], asked: Decimal) -> dict[str, bool]:
    """What must hold where the callee asked `asked` dollars, more than Floyd may agree to. `calls`: phone records."""
    request = view.request
    limit = Decimal(request.mandate.max_amount) if request and request.mandate else Decimal(0)
    claims = request.outcome.claims if request and request.outcome else []
    agreed = [amount for claim in claims if claim.proved for amount in _amounts(claim.text)]
    offers = [turn for turn in view.turns.values() if turn.speaker == "callee" and asked in _amounts(turn.heard)]
    answered = [question for question in view.questions.values() if question.status == "answered"]
    return {
        f"the callee asked {asked} dollars": bool(offers),
        "the callee's ear caught no agreement to it": not agreed_by_ear(calls, asked),
        "the person was asked about it and answered": any(asked in _amounts(question.text) for question in answered),
        f"what was agreed is within the limit of {limit} dollars": bool(agreed) and max(agreed) <= limit < asked,
    }


def agreed_by_ear(calls: Iterable[dict[str, Any]], asked: Decimal) -> bool:
    """Whether a callee's ear caught a yes after this price and before the next: the phones' records, none of ours."""
    return any(
        _AGREES.search(" ".join(word["word"] for word in call["heard"] if start <= word["start_ms"] < end))
        for call in calls
        for start, end in _open_for(asked, call["said"])
    )


def _open_for(asked: Decimal, said: list[dict[str, Any]]) -> Iterator[tuple[float, float]]:
    """From each naming of this price to the next price that the callee named."""
    priced = [(line["start_ms"], amounts) for line in said if (amounts := _amounts(line["text"]))]
    ends = [start for start, _ in priced[1:]] + [float("inf")]
    yield from ((start, end) for (start, amounts), end in zip(priced, ends, strict=True) if asked in amounts)


def _amounts(text: str) -> set[Decimal]:
    return {money.amount for mention in find_amounts(text, price_context=True) for money in mention.readings}
