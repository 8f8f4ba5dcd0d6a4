"""Money: exact amounts, and how to find them in what people say.

Speech leaves prices ambiguous: "five sixty" is 560 or 5.60, "twelve fifty" 12.50 or 1,250. An `Amount` therefore
keeps every reading. Whoever guards a limit takes the largest; whoever checks a quotation accepts any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from floyd.english import TOPICS, patterns
from floyd.figures import in_digits, plain

_SYMBOLS: dict[str, str] = TOPICS["symbols"]
_UNITS: dict[str, str] = TOPICS["units"]
_SAYS = patterns("money", units="|".join(_UNITS))
_CENTS = ("cent", "¢")
_DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD"})
_ONCE = Decimal(1)
_PERIOD_DAYS = {"dai": 1, "day": 1, "week": 7, "month": 30, "quarter": 90, "year": 360}


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency, an ISO 4217 code."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not self.amount.is_finite() or self.amount < 0:
            raise ValueError(f"amount: expected a decimal >= 0, got {self.amount}")
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise ValueError(f"currency: expected an ISO 4217 code such as USD, got {self.currency!r}")

    @classmethod
    def of(cls, amount: str, currency: str) -> Money:
        """From a decimal string; ValueError when it is none."""
        try:
            return cls(Decimal(amount), currency)
        except InvalidOperation:
            raise ValueError(f"amount: expected a decimal such as 12.50, got {amount!r}") from None

    def __str__(self) -> str:
        """As one would say it: "560 dollars", "12.50 euros"."""
        shown = f"{self.amount:.2f}" if self.amount % 1 else plain(self.amount)
        name = {"USD": "dollars", "EUR": "euros", "GBP": "pounds"}.get(self.currency, self.currency)
        return f"{shown} {name}"


@dataclass(frozen=True, slots=True)
class Amount:
    """One mention of money with all it can mean, smallest reading first."""

    readings: tuple[Money, ...]
    open_ended: bool = False
    """Paid again and again with no end named ("50 a month"): no limit covers it."""

    @property
    def largest(self) -> Money:
        return self.readings[-1]


_SHORTEST_CODE_DIGITS = 4
_LONGEST_PRICE_DIGITS = 6
"""A bare run of more digits is a telephone, card or order number, not a price."""


@lru_cache(maxsize=1024)
def find_amounts(text: str, *, currency: str = "USD", price_context: bool = False) -> tuple[Amount, ...]:
    """Every mention of money in spoken or written English, in order.

    `currency` is what "dollars" and bare figures mean here. A bare figure counts as money where the sentence speaks of
    a price, or everywhere that grammar permits when `price_context` says that prices are being discussed.
    """
    written = in_digits(text)
    return tuple(
        amount
        for sentence in re.split(r"(?<=[!?;])\s|(?<!\d)\.\s|(?<=\d)\.\s(?=[a-z])", written)
        for amount in _in_sentence(sentence, currency, price_context)
    )


def _in_sentence(sentence: str, local: str, price_context: bool) -> Iterator[Amount]:
    mentions = list(_SAYS["mention"].finditer(sentence))
    named = any(match["symbol"] or match["unit"] for match in mentions)
    about_prices = price_context or named or bool(_SAYS["price_cue"].search(sentence))
    for match in mentions:
        symbol, unit, figures = match["symbol"], match["unit"] or "", match["figures"]
        before, after = sentence[: match.start("symbol" if symbol else "figures")], sentence[match.end() :]
        if not (symbol or unit or (about_prices and _could_be_price(figures, before, after))):
            continue
        share, cents = 100 if unit.startswith(_CENTS) else 1, Decimal(match["fraction"] or 0) / 100
        times, open_ended = _repeats(before, after)
        meant = _currency(symbol, unit, local)
        values = {(value / share + cents) * times for value in _readings(figures.split())}
        yield Amount(tuple(Money(value, meant) for value in sorted(values)), open_ended)


def _could_be_price(figures: str, before: str, after: str) -> bool:
    """Whether a figure without a currency can be a price where it stands, rather than a time, an age or a number."""
    digits = len(re.sub(r"\D", "", figures))
    code = digits > _LONGEST_PRICE_DIGITS or (digits >= _SHORTEST_CODE_DIGITS and _SAYS["code_before"].search(before))
    clock = _SAYS["clock_before"].search(before) and _SAYS["clock_figures"].fullmatch(figures)
    if code or clock or _SAYS["clock_after"].match(after) or _SAYS["no_price_after"].search(before):
        return False
    return any(_SAYS[follows].match(after) for follows in ("ends_a_price", "per_period", "each"))


def _readings(figures: list[str]) -> list[Decimal]:
    """What a run of figures can mean as a price: ["5", "60"] is 560 or 5.60, ["1", "29", "99"] is 129.99."""
    numbers = [Decimal(figure) for figure in figures]
    whole = all("." not in figure for figure in figures)
    if len(figures) == 1 or not whole:
        return [max(numbers)]
    if all(len(figure) == 1 for figure in figures):
        said = Decimal("".join(figures))
        return [said, said / 100] if len(figures) >= 3 else [said]
    *head, last = numbers
    if len(figures[-1]) == 2 and len(head) == 1:
        first = head[0]
        if first >= 100:
            return [first + last, first + last / 100] if first % 100 == 0 else [first + last / 100]
        return [first * 100 + last, first + last / 100]
    if len(figures[-1]) == 2 and len(head) == 2 and len(figures[1]) == 2:
        hundreds, tens = head
        return [(hundreds if hundreds >= 100 else hundreds * 100) + tens + last / 100]
    return [max(numbers), Decimal("".join(figures))]


def _repeats(before: str, after: str) -> tuple[Decimal, bool]:
    """How often the amount is paid, and whether for ever: instalments, payments per period, prices per piece."""
    if payments := _SAYS["payments_before"].search(before) or _SAYS["payments_after"].search(after):
        return Decimal(payments["count"]), False
    if period := _SAYS["per_period"].match(after):
        duration = _SAYS["duration"].search(after) or _SAYS["duration"].search(before)
        if not duration:
            return _ONCE, True
        count = Decimal(re.sub("an?", "1", duration["count"]))
        days, period_days = _PERIOD_DAYS[duration["period"]], _PERIOD_DAYS[period["period"] or period["adverb"]]
        return max(_ONCE, (count * days / period_days).to_integral_value()), False
    if _SAYS["each"].match(after):
        pieces = [Decimal(found["count"]) for found in _SAYS["count"].finditer(before + " | " + after)]
        return max([_ONCE, *pieces]), False
    return _ONCE, False


def _currency(symbol: str | None, unit: str, local: str) -> str:
    word = unit.rpartition(" ")[2]
    if symbol:
        code = _SYMBOLS[symbol]
    elif not unit or unit.startswith(_CENTS):
        return local
    else:
        code = "CAD" if "canadian" in unit else _UNITS.get(word) or _UNITS[word.removesuffix("s")]
    return local if code == "USD" and local in _DOLLARS else code
