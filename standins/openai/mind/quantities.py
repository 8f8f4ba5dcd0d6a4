"""Numbers, money and times as people say them: "five hundred and sixty dollars", "thursday at three p m"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from text_to_num import alpha2digit

from standins.openai.mind.phrases import any_of
from standins.openai.mind.reading import plain

NUMBER = r"\d+(?:\.\d+)?"
MONEY = r"(?:dollars?|bucks|usd)"
NOT_MONEY = (
    r"(?!\d|:\d|\.\d|\s*(?:am|pm|o'?clock|people|persons|guests|days?|weeks?|months?|hours?|minutes?|percent)\b"
    r"|(?:st|nd|rd|th)\b)"
)
LIMIT, DAY, CLOCK = any_of("limit"), any_of("day"), any_of("clock")
PART = r"(?:in the )?(?<!good )(?:morning|afternoon|evening)"
WHEN = re.compile(rf"\b(?:{DAY}|{CLOCK}|{PART})(?:,? (?:and (?=\d))?(?:{DAY}|{CLOCK}|{PART}))*\b")
PARTS = {
    "morning": (0, 12 * 60),
    "afternoon": (12 * 60, 18 * 60),
    "evening": (17 * 60, 24 * 60),
    "tonight": (1020, 1440),
}


def numerals(text: str) -> str:
    """Lower-case text with number words written as digits, so that spoken and written numbers look the same."""
    text = re.sub(r"\b([ap])\.? ?m\b\.?", r"\1m", plain(text).lower())
    text = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", re.sub(r"(?<=\d),(?=\d{3})", "", text))
    text = re.sub(r"\ba (?=hundred|thousand)", "one ", re.sub(r"\bsecond\b", "_second_", text))
    text = alpha2digit(text, "en", threshold=0).replace("_second_", "second")
    text = re.sub(r"\boh (?=\d)", "0 ", text)
    text = re.sub(r"\b\d(?: \d){2,}\b", lambda digits: digits[0].replace(" ", ""), text)  # read out one by one
    text = re.sub(rf"\b(\d\d?) (\d\d)(?= {MONEY})", r"\1\2", text)
    return re.sub(r"\b(1[0-2]|[1-9]) ([0-5][05])\b(?! \d)", r"\1:\2", text)


def amounts(text: str) -> list[Decimal]:
    """Sums of money, in order. A bare number counts when the words around it speak of a price."""
    spoken = numerals(text)
    priced = (
        rf"\b(?:costs?|price|total|comes? to|charge|fee|pay|spend|budget|{LIMIT})(?: \w+){{0,3}}? ({NUMBER}){NOT_MONEY}"
    )
    pattern = rf"\$({NUMBER})|({NUMBER}) {MONEY}(?: and ({NUMBER}) cents)?|{priced}"
    found = []
    for match in re.finditer(pattern, spoken):
        whole = next(group for group in (match[1], match[2], match[4]) if group)
        found.append(Decimal(whole) + Decimal(match[3] or 0) / 100)
    return found


def limit(text: str) -> Decimal | None:
    """The most the person allows: "up to 80 dollars", "no more than $50", "budget of eighty"."""
    match = re.search(rf"\b{LIMIT} (?:about |around )?\$?({NUMBER}){NOT_MONEY}", numerals(text))
    return Decimal(match[1]) if match else None


def reference(text: str) -> tuple[str, str] | None:
    """What a number that the other gives is called, as a key, and the number."""
    kinds = "confirmation|reference|order|booking|ticket|case"
    match = re.search(rf"\b((?:{kinds}) (?:number|code)) is (?:number )?([a-z]?\d[\d ]*)", numerals(text))
    return (match[1].replace(" ", "_"), match[2].replace(" ", "")) if match else None


def said_yes(text: str) -> bool | None:
    """Yes, no, or neither."""
    start = " ".join(numerals(text).replace(",", " ").replace(".", " ").split()[:6])
    if re.match(r"(?:no|nope|don't|do not|not|never|too|decline|stay|refuse)\b", start):
        return False
    if re.match(
        r"(?:yes|yeah|yep|sure|ok|okay|fine|go ahead|that's (?:ok|fine)|all right|approved?|accept|please)\b", start
    ):
        return True
    return None


def limit_after(current: Decimal, answers: list[tuple[str, str]]) -> Decimal:
    """The limit once the person's (question, answer) pairs are heard.

    A limit they name counts as it is; a plain yes allows what was asked.
    """
    for question, answer in answers:
        asked, named = amounts(question), limit(answer) or next(iter(amounts(answer)), None)
        if named is not None and (asked or limit(answer) is not None):
            current = named
        elif asked and said_yes(answer):
            current = max(current, *asked[:1])
    return current


def whens(text: str) -> list[str]:
    """Phrases that say when, in order; alternatives ("tuesday or thursday at 3") are separate."""
    return [match[0].strip() for match in WHEN.finditer(numerals(text))]


@dataclass(frozen=True, slots=True)
class Window:
    """What a phrase of time allows or says: days (empty: any) and minutes of the day, twelve-hour readings included."""

    days: frozenset[str]
    minutes: frozenset[int]


def window(phrase: str) -> Window:
    phrase = numerals(phrase)
    days = frozenset(
        day.removeprefix("next ").removeprefix("this ").removeprefix("on ") for day in re.findall(DAY, phrase)
    )
    allowed = set(range(24 * 60))
    for part, (start, end) in PARTS.items():
        if part in phrase:
            allowed &= set(range(start, end))
    clocks = [
        (match[1], _minutes(int(match[2]), int(match[3] or 0), match[4]))
        for match in re.finditer(
            r"(?:(at|after|before|by|around|until|from|between|and|to) )?\b(\d{1,2})(?::(\d\d))? ?(am|pm)?(?![\w-])",
            phrase,
        )
        if int(match[2]) < 24
    ]
    if "noon" in phrase.split() or "midday" in phrase:
        clocks.append(("at", {12 * 60}))
    for relation, minutes in clocks:
        if relation in ("after", "from", "between"):
            allowed &= set(range(min(minutes, key=_daytime), 24 * 60))
        elif relation in ("before", "by", "until", "and", "to"):
            allowed &= set(range(min(minutes, key=_daytime) + 1))
        else:
            allowed &= minutes
    return Window(days, frozenset(allowed))


def _minutes(hour: int, minute: int, half: str | None) -> set[int]:
    if half is None and hour <= 12:
        return {(hour % 12) * 60 + minute, (hour % 12 + 12) * 60 + minute}
    return {((hour % 12 + 12) if half == "pm" else hour % 12 if half else hour) * 60 + minute}


def _daytime(minute: int) -> int:
    """Orders the readings of a clock time by how likely they are meant: from seven in the morning on."""
    return (minute - 7 * 60) % (24 * 60)


def fits(offer: str, windows: list[str]) -> bool:
    """Whether an offered time lies within one of the allowed ones."""
    offered = window(offer)
    for phrase in windows:
        allowed = window(phrase)
        wide = {day for day in allowed.days if day in ("week", "weekend", "month")}
        same_day = not allowed.days or not offered.days or wide or allowed.days & offered.days
        # Against an open range ("after 2 pm") a bare "ten" is taken as people mean it: ten in the morning.
        wide_open = len(allowed.minutes) > 8 * 60 and len(offered.minutes) == 2
        minutes = {min(offered.minutes, key=_daytime)} if wide_open else offered.minutes
        if same_day and allowed.minutes & minutes:
            return True
    return False
