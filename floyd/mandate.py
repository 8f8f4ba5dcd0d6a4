"""How far Floyd may agree for a person: money, times, promises. The default is not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from floyd.money import Money


@dataclass(frozen=True, slots=True)
class Mandate:
    """Frozen before dialling; only an answer of the person widens it, by `with_amount`."""

    max_amount: Money
    """The most that may be agreed to in all; 0 allows nothing that costs money."""
    times: tuple[str, ...] = ()
    """Times that may be agreed to, as the person would say them ("Tuesday after 3 pm"). Empty: any."""
    promises: tuple[str, ...] = ()
    """What may be promised on the person's behalf. Empty: nothing."""

    @classmethod
    def nothing(cls) -> Mandate:
        """Spend nothing, promise nothing."""
        return cls(Money.of("0", "USD"))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Mandate:
        """From {max_amount: decimal string, currency, times, promises}; ValueError when it is not that."""
        return cls(
            max_amount=Money.of(str(value.get("max_amount", "0")), str(value.get("currency", "USD"))),
            times=tuple(str(time) for time in value.get("times", ())),
            promises=tuple(str(promise) for promise in value.get("promises", ())),
        )

    def to_json(self) -> dict[str, Any]:
        """The form that `from_json` reads."""
        return {
            "max_amount": str(self.max_amount.amount),
            "currency": self.max_amount.currency,
            "times": list(self.times),
            "promises": list(self.promises),
        }

    def allows(self, money: Money) -> bool:
        """Whether this much may be agreed to. Another currency is never comparable, hence never allowed."""
        if money.amount == 0:
            return True
        return money.currency == self.max_amount.currency and money.amount <= self.max_amount.amount

    def with_amount(self, money: Money) -> Mandate:
        """The same mandate with another limit: what the person has just allowed."""
        return Mandate(money, self.times, self.promises)
