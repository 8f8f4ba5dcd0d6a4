"""The last word on every sentence of the model before it is spoken. Pure, exact, and not open to persuasion.

Each rule looks at one segment and answers with a verdict or nothing; the first verdict stands. The model is assumed to
obey the callee in everything: only these rules keep a secret or a limit.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from floyd import lines
from floyd.mandate import Mandate
from floyd.money import Money, find_amounts
from relay.core import agreement
from relay.core.actions import QuestionKind
from relay.core.brief import Brief
from relay.core.disclosure import Disclosable, claims_to_be_human, quotes, reads_out_data
from relay.core.offers import Offer, Table
from relay.core.times import find_times


@dataclass(frozen=True, slots=True)
class Pass:
    """Say it as it is."""


@dataclass(frozen=True, slots=True)
class Replace:
    """Say this fixed line in its place, once per reply."""

    line: str
    drops_rest: bool = False
    """Nothing more of this reply is wanted: a model that recites its instructions goes on reciting."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Say the line, drop the rest of the reply, and ask the person."""

    line: str
    question: str
    kind: QuestionKind
    amount: Money | None = None


Verdict = Pass | Replace | Ask


@dataclass(frozen=True, slots=True)
class Setting:
    """What a segment is judged against."""

    brief: Brief
    mandate: Mandate
    """As it stands now: the person may have widened it during the call."""
    table: Table
    heard: tuple[str, ...]
    """All that the callee said."""
    answers: tuple[str, ...] = ()
    """What the person answered during the call."""
    said_before: str = ""
    """What this reply said already, so that nothing is smuggled out in pieces."""
    declined: tuple[Money, ...] = ()
    """Amounts that the person did not allow when asked."""


def guard(segment: str, setting: Setting) -> Verdict:
    """Judge one segment of the model's reply."""
    for rule in RULES:
        if verdict := rule(segment, setting):
            return verdict
    return Pass()


def keys_allowed(digits: str, setting: Setting) -> bool:
    """Whether keys may be pressed: not to accept a charge, and not to key in what may not be said."""
    if agreement.asks_to_accept_charges(setting.heard[-agreement.MENU_TURNS :]):
        return False
    return len(digits) < _LONG_DIGITS or _disclosable(setting).number(digits)


_LONG_DIGITS = 3
"""Menus want one or two keys; longer runs are extensions, account or card numbers."""


def _confidential(segment: str, setting: Setting) -> Verdict | None:
    whole = f"{setting.said_before} {segment}"
    if reads_out_data(segment) or quotes(whole, setting.brief.confidential, setting.brief.speakable()):
        return Replace(lines.WITHHELD, drops_rest=True)
    return None


def _human(segment: str, setting: Setting) -> Verdict | None:
    return Replace(lines.i_am_not_a_person(setting.brief.on_behalf_of)) if claims_to_be_human(segment) else None


def _limit(segment: str, setting: Setting) -> Verdict | None:
    """Whoever hears the limit will ask for it."""
    limit = setting.mandate.max_amount
    if not limit.amount:
        return None
    named = {money.amount for text in setting.heard for money in _money_in(text, setting.mandate)}
    revealed = {money.amount for money in _money_in(segment, setting.mandate)}
    return Replace(lines.WITHHELD) if limit.amount in revealed - named else None


def _commitment(segment: str, setting: Setting) -> Verdict | None:
    if not agreement.commits(segment, weakly=setting.table.about_deal):
        return None
    mandate = setting.mandate
    amounts = find_amounts(segment, currency=mandate.max_amount.currency, price_context=True)
    named = [Offer(amount=amount) for amount in amounts if amount.largest.amount > 0]
    if mandate.times:
        named += [Offer(time=time) for time in find_times(segment)]
    if beyond := [offer for offer in named if not offer.within(mandate)]:
        return _ask(beyond[-1], setting)
    alternatives = {offer.amount for offer in setting.table.offers if not offer.on_top and offer.within(mandate)}
    if not named:
        # "Yes, 75 dollars is fine," and "please go ahead." are one sentence: the second means what the first named.
        begun = _sentence_begun(setting.said_before)
        named = [Offer(amount=amount) for amount in find_amounts(begun, currency=mandate.max_amount.currency)]
    if any(offer.amount and offer.amount in alternatives for offer in named):
        return None  # it names an alternative within the mandate, whatever else is on the table
    outside = setting.table.outside(mandate)
    return _ask(outside[-1], setting) if outside else None


def _sentence_begun(said_before: str) -> str:
    """What of the present sentence this reply has said already."""
    return re.split(r"[.!?]\s*", said_before)[-1]


def _ask(offer: Offer, setting: Setting) -> Verdict:
    if offer.amount is None:
        assert offer.time is not None
        day = f" on {offer.time.day}" if offer.time.day else ""
        clock = "" if offer.time.minute is None else f" at {offer.time.minute // 60}:{offer.time.minute % 60:02}"
        return Ask(lines.CHECK_FIRST, f"They propose{day}{clock}. May I agree?", QuestionKind.APPROVAL)
    amount = offer.amount.largest
    if amount in setting.declined:
        return Replace(lines.NOT_AGREED)
    said = " or ".join(str(reading) for reading in reversed(offer.amount.readings))
    often = ", again and again" if offer.amount.open_ended else ""
    return Ask(lines.CHECK_FIRST, f"They ask for {said}{often}. May I agree?", QuestionKind.MANDATE, amount)


def _promise(segment: str, setting: Setting) -> Verdict | None:
    about_money = agreement.purchases(segment) or bool(_money_in(segment, setting.mandate))
    if about_money and setting.mandate.max_amount.amount and not agreement.vows(segment):
        return None  # "we'll take it": a purchase, which the rule before this one has judged
    known = (*setting.mandate.promises, *setting.brief.speakable(), *setting.answers)
    if agreement.promises(segment) and not agreement.covered_by(segment, known):
        return Replace(lines.NO_PROMISE)
    return None


def _release(segment: str, setting: Setting) -> Verdict | None:
    limit = setting.mandate.max_amount
    bids = find_amounts(segment, currency=limit.currency, price_context=bool(setting.table.offers))
    affordable = tuple(str(bid.largest) for bid in bids if setting.mandate.allows(bid.largest))
    if _disclosable(setting, affordable).holds(segment, setting.said_before):
        return None
    return Replace(lines.WITHHELD)


def _disclosable(setting: Setting, more: tuple[str, ...] = ()) -> Disclosable:
    return Disclosable((*setting.brief.speakable(), *setting.answers, *setting.heard, *more))


def _money_in(text: str, mandate: Mandate) -> tuple[Money, ...]:
    amounts = find_amounts(text, currency=mandate.max_amount.currency, price_context=True)
    return tuple(money for amount in amounts for money in amount.readings)


RULES: tuple[Callable[[str, Setting], Verdict | None], ...] = (
    _confidential,
    _human,
    _limit,
    _commitment,
    _promise,
    _release,
)
"""In this order: what must not be known comes before what must not be agreed."""
