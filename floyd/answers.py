"""What a person's answer settles: by code, because a model must not widen what a person allowed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from floyd.documents import Question, Released
from floyd.english import patterns
from floyd.money import find_amounts
from floyd.plans import MandateTerms

# A text message can be forged by whoever took over a number; more money than this needs the app.
SMS_MANDATE_LIMIT = Decimal("100")

_SAYS = patterns("answers")
_CARD = re.compile(r"(?<!\d)\d(?:[ .-]?\d){12,18}(?!\d)")

Verdict = Literal["yes", "no", "abandon", "words"]


@dataclass(frozen=True, slots=True)
class Settled:
    """`verdict` is the answer's kind; release set and mandate are as they stand after it."""

    verdict: Verdict
    release: list[Released]
    mandate: MandateTerms | None


def _plain(answer: str) -> str:
    return answer.casefold().replace("\u2019", "'")


def verdict(answer: str) -> Verdict:
    """Yes, no, "drop the whole thing", or anything else in words. Only the first words count."""
    said = re.sub(r"^[\W_]+", "", _plain(answer))
    kinds: tuple[Verdict, ...] = ("abandon", "yes", "no")
    return next((kind for kind in kinds if _SAYS[kind].match(said)), "words")


def has_card_number(answer: str) -> bool:
    """Whether a payment card's number stands in an answer: 13 to 19 digits with the check digit of ISO/IEC 7812."""
    found = (enumerate(reversed(re.sub(r"\D", "", run))) for run in _CARD.findall(answer))
    sums = (sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in run) for run in found)
    return any(each % 10 == 0 for each in sums)


def fact_key(question: Question) -> str:
    """The snake_case name under which an answer of kind `fact` is released."""
    quoted = re.search(r'"([^"]+)"', question.text)
    words = re.findall(r"[a-z0-9]+", (quoted[1] if quoted else question.text).casefold())
    return question.key or "_".join(words[:6]) or "answer"


def settle(question: Question, answer: str, release: Sequence[Released], mandate: MandateTerms | None) -> Settled:
    """Apply an answer. A fact joins the release set of this request; an amount becomes the limit of the mandate.

    "Yes" to an offer allows exactly that offer. Where a spoken amount has several readings the smallest counts, unless
    one of them is the offer: an answer never allows more than its most careful reader would take it to.
    """
    kind = verdict(answer)
    if question.kind == "fact":
        # A bare yes or no is passed on as an answer; it is no value that could be told or kept from anybody.
        if kind == "abandon" or (kind in ("yes", "no") and len(answer.split()) == 1):
            return Settled(kind, list(release), mandate)
        key = fact_key(question)
        kept = [fact for fact in release if fact.key != key]
        return Settled(kind, [*kept, Released(key=key, value=answer.strip())], mandate)
    terms = mandate or MandateTerms()
    amount = _amount(question, answer, kind, terms.currency)
    if amount is not None:
        terms = terms.model_copy(update={"max_amount": str(amount)})
    elif kind == "yes" and question.kind == "mandate" and question.offer is None:
        terms = terms.model_copy(update={"promises": [*terms.promises, question.text]})
    return Settled(kind, list(release), terms)


def needs_app(question: Question, answer: str, mandate: MandateTerms | None) -> bool:
    """Whether this answer, come by SMS, would allow more money than a text message may.

    An approval question carries the plan's amount as its offer when spending is what it asks for.
    """
    if question.kind == "approval" and verdict(answer) == "yes" and question.offer is not None:
        return (_amount(question, answer, "yes", "USD") or Decimal(0)) > SMS_MANDATE_LIMIT
    settled = settle(question, answer, (), mandate).mandate
    before, after = (Decimal(terms.max_amount) if terms else Decimal(0) for terms in (mandate, settled))
    return after > max(before, SMS_MANDATE_LIMIT)


def _amount(question: Question, answer: str, kind: Verdict, currency: str) -> Decimal | None:
    """The new limit that an answer sets, or None."""
    try:
        offer = Decimal(question.offer) if question.offer else None
    except InvalidOperation:
        offer = None
    # "560 is too much" names the offer and allows nothing; "no more than 560" allows it.
    declined = _SAYS["declines"].search(_SAYS["limit"].sub("", _plain(answer)))
    refused = offer if declined else None
    named = [
        money.amount
        for mention in find_amounts(answer, currency=currency, price_context=True)
        for money in mention.readings[: 1 if offer is None else None]
        if money.currency == currency and (refused is None or money.amount < refused)
    ]
    if named:
        return offer if offer in named else min(named)
    return offer if kind == "yes" else None
