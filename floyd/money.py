"""Money: exact amounts, and how to find them in what people say.

Speech leaves prices ambiguous: "five sixty" is 560 or 5.60, "twelve fifty" 12.50 or 1,250. An `Amount` therefore
keeps every reading. Whoever guards a limit takes the largest; whoever checks a quotation accepts any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from floyd.figures import in_digits, plain

_DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD"})
_SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_UNITS = {
    "dollar": "USD",
    "buck": "USD",
    "usd": "USD",
    "cad": "CAD",
    "euro": "EUR",
    "eur": "EUR",
    "pound": "GBP",
    "quid": "GBP",
    "gbp": "GBP",
    "sterling": "GBP",
    "yen": "JPY",
    "peso": "MXN",
    "franc": "CHF",
    "rupee": "INR",
}
_PERIOD_DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 360}


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency. JSON form: {"amount": decimal string, "currency": ISO 4217 code}."""

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

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> Money:
        return cls.of(value["amount"], value["currency"])

    def to_json(self) -> dict[str, str]:
        return {"amount": str(self.amount), "currency": self.currency}

    def __str__(self) -> str:
        """As one would say it: "560 dollars", "12.50 euros"."""
        shown = plain(self.amount)
        if "." in shown:
            shown = f"{self.amount:.2f}"
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


_NUMBER = r"\d+(?:\.\d+)?"
_UNIT = r"(?:us |american |canadian )?(?:" + "|".join(f"{unit}s?" for unit in _UNITS) + r")\b|cents?\b|¢"
_MENTION = re.compile(
    rf"(?P<symbol>[$€£¥])?\s?(?<![\d.:#/-])(?P<figures>{_NUMBER}(?: {_NUMBER})*)(?![\d:/%]|st\b|nd\b|rd\b|th\b)"
    rf"(?:\s?(?P<unit>{_UNIT})(?:,? (?:and )?(?P<fraction>\d{{1,2}})(?: cents?\b|(?![\d.]| ?[a-z])))?)?"
)
_PRICE_CUE = re.compile(
    r"\b(?:costs?|prices?|priced|total|comes? (?:out )?to|charge|charges|fee|pay|paying|deposit|budget|quote"
    r"|spend|offer"
    r"|how much|payments?|instal?lments?|asking|expensive|cheap|cheaper|discount|afford|worth|owe|balance|bill"
    r"|rate|money|sell|buy"
    r"|be|take|do|would|for|it's|that's|it is|that is|around|about|just|only|say|make it|agree to)\b"
)
_ENDS_A_PRICE = re.compile(
    r"\s*(?:$|[.,;:!?]|(?:for|plus|all|in|total|including|with|without|and|or|is|was|would|will|a|per|each"
    r"|every|tax|taxes"
    r"|flat|even|if|please|but|then|okay|ok|right|today|now|up|upfront|deposit|down|delivered|apiece"
    r"|altogether|instead"
    r"|max|maximum|tops|at|by|because|so|yes|sounds?|works?|fine|good|that|when|not|cash|be|on|here|there|later)\b)"
)
_NOT_A_PRICE_BEFORE = re.compile(
    r"(?:\b(?:room|number|suite|apartment|apt|unit|extension|line|route|highway|street|step|grade|age|aged"
    r"|item|press|at around"
    r"|january|february|march|april|may|june|july|august|september|october|november|december|since|in|no\.)\s)$"
)
_CLOCK_BEFORE = re.compile(r"\b(?:at|by|until|till|before|after|from|open|opens|close|closes)\s$")
_CLOCK_FIGURES = re.compile(r"(?:1[0-2]|[1-9])(?: [0-5]\d)?")
_CLOCK_AFTER = re.compile(r"\s?(?:a\.?m\b|p\.?m\b|o'?clock|in the (?:morning|afternoon|evening)|tonight|noon|sharp)")
_PER_PERIOD = re.compile(
    r"\s?(?:a|per|each|every|/)\s?(?P<period>day|week|month|quarter|year)\b|\s?(?P<adverb>dai|week|month|year)ly\b"
)
_DURATION = re.compile(
    rf"\b(?:for|over|times|x)\s(?:the next\s)?(?P<count>a|an|1|{_NUMBER})\s?(?P<period>day|week|month|quarter"
    rf"|year)s?\b"
)
_PAYMENTS_BEFORE = re.compile(
    rf"(?P<count>{_NUMBER})\s(?:equal |easy |monthly |weekly |separate )*(?:payments?|instal?lments?|rates"
    rf"|times|x)\s?(?:of |at )?$"
)
_PAYMENTS_AFTER = re.compile(
    rf"\b(?:in|for|over|times)\s(?P<count>{_NUMBER})\s(?:equal |monthly )*(?:payments?|instal?lments?|times)\b"
)
_EACH = re.compile(
    r"\s?(?:each|apiece|a piece|per (?!day|week|month|quarter|year)\w+|a (?:stem|dozen|person|head|unit))\b"
)
_COUNT = re.compile(rf"(?<![$€£¥\d.])\b(?P<count>\d{{1,4}})(?:\s(?!{_UNIT}|percent)[a-z]|$)")
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
    mentions = list(_MENTION.finditer(sentence))
    about_prices = (
        price_context
        or bool(_PRICE_CUE.search(sentence))
        or any(match["symbol"] or match["unit"] for match in mentions)
    )
    for match in mentions:
        before, after = sentence[: match.start("symbol" if match["symbol"] else "figures")], sentence[match.end() :]
        named = match["symbol"] or match["unit"]
        if not named and not (about_prices and _could_be_price(match["figures"], before, after)):
            continue
        values = _readings(match["figures"].split())
        if match["unit"] and match["unit"].startswith(("cent", "¢")):
            values = [value / 100 for value in values]
        if match["fraction"]:
            values = [value + Decimal(match["fraction"]) / 100 for value in values]
        times, open_ended = _repeats(before, after)
        meant = _currency(match["symbol"], match["unit"], local)
        yield Amount(tuple(Money(value * times, meant) for value in sorted(set(values))), open_ended)


def _could_be_price(figures: str, before: str, after: str) -> bool:
    """Whether a figure without a currency can be a price where it stands, rather than a time, an age or a number."""
    if len(re.sub(r"\D", "", figures)) > _LONGEST_PRICE_DIGITS or _CLOCK_AFTER.match(after):
        return False
    if _NOT_A_PRICE_BEFORE.search(before) or (_CLOCK_BEFORE.search(before) and _CLOCK_FIGURES.fullmatch(figures)):
        return False
    return bool(_ENDS_A_PRICE.match(after) or _PER_PERIOD.match(after) or _EACH.match(after))


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
    if payments := _PAYMENTS_BEFORE.search(before) or _PAYMENTS_AFTER.search(after):
        return Decimal(payments["count"]), False
    if period := _PER_PERIOD.match(after):
        duration = _DURATION.search(after) or _DURATION.search(before)
        if not duration:
            return Decimal(1), True
        name = period["period"] or {"dai": "day"}.get(period["adverb"], period["adverb"])
        count = Decimal(1) if duration["count"] in ("a", "an") else Decimal(duration["count"])
        per_period = Decimal(_PERIOD_DAYS[duration["period"]]) / Decimal(_PERIOD_DAYS[name])
        return max(Decimal(1), (count * per_period).to_integral_value()), False
    if _EACH.match(after):
        pieces = [Decimal(found["count"]) for found in _COUNT.finditer(before + " | " + after)]
        return max(pieces, default=Decimal(1)) or Decimal(1), False
    return Decimal(1), False


def _currency(symbol: str | None, unit: str | None, local: str) -> str:
    if symbol:
        code = _SYMBOLS[symbol]
    elif unit and not unit.startswith(("cent", "¢")):
        if "canadian" in unit:
            return "CAD"
        word = unit.split()[-1]
        code = _UNITS.get(word) or _UNITS[word.removesuffix("s")]
    else:
        return local
    return local if code == "USD" and local in _DOLLARS else code
