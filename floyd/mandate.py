"""How far Floyd may agree for a person: money, times, promises. The default is not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from floyd.money import Money

_NOTHING = Money(Decimal(0), "USD")


@dataclass(frozen=True, slots=True)
class Mandate:
    """Frozen before dialling; only an answer of the person widens it, by `with_amount`."""

    max_amount: Money = _NOTHING
    """The most that may be agreed to in all; 0 allows nothing that costs money."""
    times: tuple[str, ...] = ()
    """Times that may be agreed to, as the person would say them ("Tuesday after 3 pm"). Empty: any."""
    promises: tuple[str, ...] = ()
    """What may be promised on the person's behalf. Empty: nothing."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Mandate:
        """From {max_amount: decimal string, currency, times, promises}; ValueError when it is not that."""
        limit = Money.of(value.get("max_amount", "0"), value.get("currency", "USD"))
        return cls(limit, tuple(value.get("times", ())), tuple(value.get("promises", ())))

    def to_json(self) -> dict[str, Any]:
        """The form that `from_json` reads."""
        limit = {"max_amount": str(self.max_amount.amount), "currency": self.max_amount.currency}
        return limit | {"times": list(self.times), "promises": list(self.promises)}

    def allows(self, money: Money) -> bool:
        """Whether this much may be agreed to. Another currency is never comparable, hence never allowed."""
        limit = self.max_amount
        return money.amount == 0 or (money.currency == limit.currency and money.amount <= limit.amount)

    def with_amount(self, money: Money) -> Mandate:
        """The same mandate with another limit: what the person has just allowed."""
        return replace(self, max_amount=money)
