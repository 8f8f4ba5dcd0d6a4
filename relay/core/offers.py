"""What the callee has put on the table: amounts of money and times to which an agreement of ours could refer."""

import re
from dataclasses import dataclass

from floyd.mandate import Mandate
from floyd.money import Amount, Money, find_amounts
from relay.core.times import TimeMention, allowed_by, find_times

_INSTEAD = re.compile(
    r"\b(?:instead|can do|could do|how about|what about|lower|cheaper|discount(?:ed)?|drop|down to|come down"
    r"|special|alternative\w*"
    r"|another|other|option|smaller|simpler|or|just|only|we also have|there is also|there's also|for you"
    r"|make it|fine then|deal at)\b"
)
_ON_TOP = re.compile(
    r"\b(?:plus|on top|additional\w*|extra|another \S+ for|delivery|shipping|deposit|tip|tax|fee|surcharge"
    r"|as well|also charge|then"
    r"|down payment|later|service charge|and then|more for|added|add)\b"
)
_DEAL_TALK = re.compile(
    r"\b(?:orders?|put (?:it|that|this|you) (?:through|down)|book|confirm\w*|charge\w*|deal|agree\w*|go ahead"
    r"|accept\w*|proceed|take it|work for you|pay\w*|price|buy|purchase|want|shall i|should i|shall we"
    r"|would you like|interested|sign"
    r"|commit|approve|ring it up|do we|happy with|reserve|hold it|place|process|ready|(?:okay|ok|all right"
    r"|alright|fine|yes|right|sounds? good)\s*\?)(?!\w)"
)


_QUESTION = re.compile(
    r"^(?:and |so |but |okay |well )*(?:who|what|when|where|why|which|how|is|are|was|were"
    r"|do|does|did|has|have|can|could|will|would)\b"
)
_REFERS_BACK = re.compile(r"\b(?:that|this|it|them|those|these|one|ones|good|works?|we|us|then|sound|so)\b")
_SHORT_WORDS = 3


def _asks_about_something_else(lowered: str) -> bool:
    """Whether a "yes" to this cannot mean the offer: a whole question without a word that refers to a deal."""
    question = lowered.rstrip().endswith("?") or bool(_QUESTION.match(lowered))
    long_enough = len(lowered.split()) > _SHORT_WORDS
    return question and long_enough and not _DEAL_TALK.search(lowered) and not _REFERS_BACK.search(lowered)


@dataclass(frozen=True, slots=True)
class Offer:
    """Something the callee asks us to agree to."""

    amount: Amount | None = None
    time: TimeMention | None = None
    on_top: bool = False
    """An addition to another price, not an alternative to it."""

    def within(self, mandate: Mandate) -> bool:
        if self.time is not None:
            return allowed_by(self.time, mandate.times)
        assert self.amount is not None
        return not self.amount.open_ended and mandate.allows(self.amount.largest)


@dataclass(frozen=True, slots=True)
class Table:
    """All open offers. An offer stays open until an alternative within the mandate replaces it: forgetting one early
    would let a bare "yes" accept it."""

    offers: tuple[Offer, ...] = ()
    newest: tuple[Offer, ...] = ()
    """Those of the callee's newest turn."""
    about_deal: bool = False
    """A mere "okay" to the newest turn would be an agreement: it is not a question about something else."""

    def outside(self, mandate: Mandate) -> tuple[Offer, ...]:
        return tuple(offer for offer in self.offers if not offer.within(mandate))

    def after(self, text: str, mandate: Mandate, *, price_context: bool = False) -> "Table":
        """The table once the callee has said this."""
        lowered = text.lower()
        currency = mandate.max_amount.currency
        context = price_context or any(offer.amount for offer in self.offers)
        on_top = bool(_ON_TOP.search(lowered))
        amounts = find_amounts(text, currency=currency, price_context=context)
        priced = [Offer(amount=amount, on_top=on_top) for amount in amounts if amount.largest.amount > 0]
        if on_top and (total := self._with_additions(priced)):
            priced.append(total)
        timed = [Offer(time=time) for time in find_times(text)] if mandate.times else []
        new = (*priced, *timed)
        about_deal = bool(new) or not _asks_about_something_else(lowered)
        if priced and not on_top and _INSTEAD.search(lowered) and any(offer.within(mandate) for offer in priced):
            return Table((*(old for old in self.offers if not old.amount), *new), new, about_deal)
        return Table((*self.offers, *new), new, about_deal)

    def while_hearing(self, text: str, mandate: Mandate) -> "Table":
        """The table if the callee, who is still talking, means what was recognised so far."""
        new = self.after(text, mandate).newest
        return Table((*self.offers, *new), new, about_deal=True) if new else self

    def _with_additions(self, priced: list[Offer]) -> Offer | None:
        """After "it is 60", "plus 30 for delivery" means 90 together."""
        standing = [offer.amount.largest for offer in self.offers if offer.amount and not offer.on_top][-1:]
        parts = [*standing, *(offer.amount.largest for offer in priced if offer.amount)]
        if len(parts) < 2 or len({part.currency for part in parts}) > 1:
            return None
        total = Money(sum((part.amount for part in parts[1:]), parts[0].amount), parts[0].currency)
        return Offer(amount=Amount((total,)), on_top=True)
