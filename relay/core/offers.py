"""What the callee has put on the table: amounts of money and times to which an agreement of ours could refer."""

from dataclasses import dataclass

from floyd.english import patterns
from floyd.mandate import Mandate
from floyd.money import Amount, Money, find_amounts
from relay.core.times import TimeMention, allowed_by, find_times

_SAYS = patterns("offers")
_SHORT_WORDS = 3


def _asks_about_something_else(lowered: str) -> bool:
    """Whether a "yes" to this cannot mean the offer: a whole question without a word that refers to a deal."""
    question = lowered.rstrip().endswith("?") or bool(_SAYS["question"].match(lowered))
    refers = _SAYS["deal_talk"].search(lowered) or _SAYS["refers_back"].search(lowered)
    return question and len(lowered.split()) > _SHORT_WORDS and not refers


@dataclass(frozen=True, slots=True)
class Offer:
    """Something the callee asks us to agree to."""

    amount: Amount | None = None
    time: TimeMention | None = None
    on_top: bool = False  # an addition to another price, not an alternative to it

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
    about_deal: bool = False  # a mere "okay" to the newest turn would be an agreement

    def outside(self, mandate: Mandate) -> tuple[Offer, ...]:
        return tuple(offer for offer in self.offers if not offer.within(mandate))

    def after(self, text: str, mandate: Mandate, *, price_context: bool = False) -> "Table":
        """The table once the callee has said this."""
        lowered, new = text.lower(), self._offers_in(text, mandate, price_context)
        instead = _SAYS["instead"].search(lowered) and not _SAYS["on_top"].search(lowered)
        replaced = instead and any(offer.amount and offer.within(mandate) for offer in new)
        kept = [offer for offer in self.offers if not (replaced and offer.amount)]
        return Table((*kept, *new), about_deal=bool(new) or not _asks_about_something_else(lowered))

    def while_hearing(self, text: str, mandate: Mandate) -> "Table":
        """The table if the callee, who is still talking, means what was recognised so far."""
        new = self._offers_in(text, mandate)
        return Table((*self.offers, *new), about_deal=True) if new else self

    def _offers_in(self, text: str, mandate: Mandate, price_context: bool = False) -> list[Offer]:
        context = price_context or any(offer.amount for offer in self.offers)
        amounts = find_amounts(text, currency=mandate.max_amount.currency, price_context=context)
        on_top = bool(_SAYS["on_top"].search(text.lower()))
        found = [Offer(amount=amount, on_top=on_top) for amount in amounts if amount.largest.amount > 0]
        if on_top and (total := self._with_additions(found)):
            found.append(total)
        return found + [Offer(time=time) for time in find_times(text) if mandate.times]

    def _with_additions(self, priced: list[Offer]) -> Offer | None:
        """After "it is 60", "plus 30 for delivery" means 90 together."""
        standing = [offer.amount.largest for offer in self.offers if offer.amount and not offer.on_top][-1:]
        parts = [*standing, *(offer.amount.largest for offer in priced if offer.amount)]
        if len(parts) < 2 or len({part.currency for part in parts}) > 1:
            return None
        total = Money(sum((part.amount for part in parts[1:]), parts[0].amount), parts[0].currency)
        return Offer(amount=Amount((total,)), on_top=True)
