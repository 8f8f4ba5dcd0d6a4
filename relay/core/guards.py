"""The last word on every sentence of the model before it is spoken. Pure, exact, and not open to persuasion.

Each rule looks at one segment and answers with a verdict or nothing; the first verdict stands. The model is assumed to
obey the callee in everything: only these rules keep a secret or a limit.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from floyd import lines
from floyd.mandate import Mandate
from floyd.money import Amount, Money, find_amounts
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
    drops_rest: bool = False  # nothing more of this reply is wanted: who recites instructions goes on reciting


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
    mandate: Mandate  # as it stands now: the person may have widened it during the call
    table: Table
    heard: tuple[str, ...]  # all that the callee said
    answers: tuple[str, ...] = ()  # what the person answered during the call
    said_before: str = ""  # what this reply said already, so that nothing is smuggled out in pieces
    declined: tuple[Money, ...] = ()  # amounts that the person did not allow when asked

    def amounts_in(self, text: str, *, price_context: bool = True) -> tuple[Amount, ...]:
        return find_amounts(text, currency=self.mandate.max_amount.currency, price_context=price_context)

    def sums_in(self, *texts: str) -> set[Decimal]:
        """All that the figures in some texts can mean."""
        return {money.amount for text in texts for amount in self.amounts_in(text) for money in amount.readings}

    def disclosable(self, *more: str) -> Disclosable:
        return Disclosable((*self.brief.speakable(), *self.answers, *self.heard, *more))


def guard(segment: str, setting: Setting) -> Verdict:
    """Judge one segment of the model's reply."""
    verdicts = (rule(segment, setting) for rule in RULES)
    return next((verdict for verdict in verdicts if verdict), Pass())


def keys_allowed(digits: str, setting: Setting) -> bool:
    """Whether keys may be pressed: not to accept a charge, and not to key in what may not be said."""
    charged = any(map(agreement.asks_for_charges, setting.heard[-_MENU_TURNS:]))
    return not charged and (len(digits) < _LONG_DIGITS or setting.disclosable().number(digits))


_MENU_TURNS = 2
"""A menu's charge and its "press one" may be two turns."""
_LONG_DIGITS = 3
"""Menus want one or two keys; longer runs are extensions, account or card numbers."""


def _confidential(segment: str, setting: Setting) -> Verdict | None:
    whole = f"{setting.said_before} {segment}"
    quoted = quotes(whole, setting.brief.confidential, setting.brief.speakable())
    return Replace(lines.WITHHELD, drops_rest=True) if quoted or reads_out_data(segment) else None


def _human(segment: str, setting: Setting) -> Verdict | None:
    return Replace(lines.i_am_not_a_person(setting.brief.on_behalf_of)) if claims_to_be_human(segment) else None


def _limit(segment: str, setting: Setting) -> Verdict | None:
    """Whoever hears the limit will ask for it."""
    limit = setting.mandate.max_amount.amount
    revealed = limit and limit in setting.sums_in(segment) - setting.sums_in(*setting.heard)
    return Replace(lines.WITHHELD) if revealed else None


def _commitment(segment: str, setting: Setting) -> Verdict | None:
    if not agreement.commits(segment, weakly=setting.table.about_deal):
        return None
    mandate = setting.mandate
    named = [Offer(amount=amount) for amount in setting.amounts_in(segment) if amount.largest.amount > 0]
    if mandate.times:
        named += [Offer(time=time) for time in find_times(segment)]
    if beyond := [offer for offer in named if not offer.within(mandate)]:
        return _ask(beyond[-1], setting)
    alternatives = {offer.amount for offer in setting.table.offers if not offer.on_top and offer.within(mandate)}
    if not named:
        # "Yes, 75 dollars is fine," and "please go ahead." are one sentence: the second means what the first named.
        begun = re.split(r"[.!?]\s*", setting.said_before)[-1]
        named = [Offer(amount=amount) for amount in setting.amounts_in(begun, price_context=False)]
    if any(offer.amount and offer.amount in alternatives for offer in named):
        return None  # it names an alternative within the mandate, whatever else is on the table
    outside = setting.table.outside(mandate)
    return _ask(outside[-1], setting) if outside else None


def _ask(offer: Offer, setting: Setting) -> Verdict:
    if offer.time:
        day = f" on {offer.time.day}" if offer.time.day else ""
        clock = "" if offer.time.minute is None else f" at {offer.time.minute // 60}:{offer.time.minute % 60:02}"
        return Ask(lines.CHECK_FIRST, f"They propose{day}{clock}. May I agree?", QuestionKind.APPROVAL)
    assert offer.amount is not None
    if offer.amount.largest in setting.declined:
        return Replace(lines.NOT_AGREED)
    said = " or ".join(str(reading) for reading in reversed(offer.amount.readings))
    often = ", again and again" if offer.amount.open_ended else ""
    question = f"They ask for {said}{often}. May I agree?"
    return Ask(lines.CHECK_FIRST, question, QuestionKind.MANDATE, offer.amount.largest)


def _promise(segment: str, setting: Setting) -> Verdict | None:
    about_money = agreement.purchases(segment) or bool(setting.sums_in(segment))
    if about_money and setting.mandate.max_amount.amount and not agreement.vows(segment):
        return None  # "we'll take it": a purchase, which the rule before this one has judged
    known = (*setting.mandate.promises, *setting.brief.speakable(), *setting.answers)
    promised = agreement.promises(segment) and not agreement.covered_by(segment, known)
    return Replace(lines.NO_PROMISE) if promised else None


def _release(segment: str, setting: Setting) -> Verdict | None:
    bids = setting.amounts_in(segment, price_context=bool(setting.table.offers))
    affordable = (str(bid.largest) for bid in bids if setting.mandate.allows(bid.largest))
    holds = setting.disclosable(*affordable).holds(segment, setting.said_before)
    return None if holds else Replace(lines.WITHHELD)


Rule = Callable[[str, Setting], Verdict | None]
RULES: tuple[Rule, ...] = (_confidential, _human, _limit, _commitment, _promise, _release)
"""In this order: what must not be known comes before what must not be agreed."""
