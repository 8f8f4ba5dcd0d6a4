"""What calls and tokens cost, in dollars. List prices of November 2026 (OpenAI, "Pricing")."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

# What a connected minute costs at most with every vendor's list price (carrier, recogniser, model, voice).
DOLLARS_PER_MINUTE = Decimal("0.06")


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """Dollars per million tokens."""

    input: Decimal
    cached: Decimal
    output: Decimal


MODELS = {
    "gpt-6-luna": TokenPrices(Decimal("0.10"), Decimal("0.01"), Decimal("0.50")),
    "gpt-6.1-terra": TokenPrices(Decimal("1.00"), Decimal("0.05"), Decimal("5.00")),
    "gpt-6-sol": TokenPrices(Decimal("2.00"), Decimal("0.20"), Decimal("10.00")),
}
# A model without an entry counts as the dearest: a budget must not be overrun because a table is old.
UNKNOWN_MODEL = MODELS["gpt-6-sol"]


def price_of_tokens(model: str, *, input_tokens: int, cached_tokens: int, output_tokens: int) -> Decimal:
    """Dollars for one reply; `input_tokens` counts the cached ones too."""
    prices = MODELS.get(model, UNKNOWN_MODEL)
    fresh = input_tokens - cached_tokens
    return (prices.input * fresh + prices.cached * cached_tokens + prices.output * output_tokens) / 1_000_000
