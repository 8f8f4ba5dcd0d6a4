"""Numbers, money and times as people say them: "five hundred and sixty dollars", "thursday at three p m"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from standins.openai.mind.reading import plain

SMALL = re.findall(
    r"\S+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen",
)
TENS = re.findall(r"\S+", "twenty thirty forty fifty sixty seventy eighty ninety")
VALUES = {word: value for value, word in enumerate(SMALL)} | {word: 10 * (n + 2) for n, word in enumerate(TENS)}
VALUES |= {"oh": 0, "hundred": 100, "thousand": 1000}

NUMBER = r"\d+(?:\.\d+)?"
MONEY = r"(?:dollars?|bucks|usd)"
NOT_MONEY = (
    r"(?!\d|:\d|\.\d|\s*(?:am|pm|o'?clock|people|persons|guests|days?|weeks?|months?|hours?|minutes?|percent)\b"
    r"|(?:st|nd|rd|th)\b)"
)
LIMIT = (
    r"(?:up to|no more than|not more than|nothing over|not over|at most|max(?:imum)?(?: of| is)?|budget(?: is| of)?"
    r"|under|less than|below|limit(?: is| of)?|within|not above)"
)
DAY = (
    r"(?:(?:next|this|on) )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|today|tonight|tomorrow"
    r"|(?:next|this) (?:week(?:end)?|month)|\d{4}-\d\d-\d\d"
    r"|(?:january|february|march|april|may|june|july|august|september|october|november|december) \d{1,2}(?:[a-z]{2})?"
)
CLOCK = (
    r"(?:between|from) \d{1,2}(?::\d\d)?(?: ?[ap]m)? (?:and|to|until) \d{1,2}(?::\d\d)?(?: ?[ap]m)?"
    r"|(?:(?:at|after|before|by|around|until|from|between) )?\d{1,2}(?::\d\d)? ?(?:am|pm|o'clock)"
    r"|(?:at|after|before|by|around|until|from|between) \d{1,2}(?::\d\d)?"
    r"(?! ?(?:dollars|bucks|percent|people|\d|\.\d|:))"
    r"|\d{1,2}:\d\d|(?:at )?(?:noon|midday)"
)
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
    out: list[str] = []
    run: list[str] = []
    pieces = re.findall(r"\$?\d+(?:[.:]\d+)*(?:st|nd|rd|th)?(?:-\d\d)*(?:am|pm)?|[a-z]+(?:'[a-z]+)?|[.,?!;]", text)
    for index, piece in enumerate([*pieces, ""]):
        following = pieces[index + 1] if index + 1 < len(pieces) else ""
        joins = piece == "and" and run and run[-1] in ("hundred", "thousand") and following in VALUES
        leads = piece == "a" and following in ("hundred", "thousand")
        if (piece in VALUES and (piece != "oh" or run)) or joins or leads:
            run.append("one" if leads else piece)
            continue
        if run:
            out += _spoken_number([VALUES[word] for word in run if word != "and"], piece)
            run = []
        out.append(piece)
    return re.sub(r" (?=[.,?!;])", "", " ".join(out)).strip()


def _spoken_number(values: list[int], following: str) -> list[str]:
    if len(values) >= 3 and all(value < 10 for value in values):
        return ["".join(map(str, values))]  # read out digit by digit
    numbers: list[str] = []
    total, current = 0, -1
    for value in values:
        if value == 100:
            current = max(current, 1) * 100
        elif value == 1000:
            total, current = total + max(current, 1) * 1000, 0
        elif current < 0 or (current % 100 == 0 and (current > 0 or total)):
            current = max(current, 0) + value
        elif current % 100 >= 20 and current % 10 == 0 and value < 10:
            current += value
        elif current < 20 and value >= 10 and total == 0:
            # "seven thirty" is a time unless it cannot be one or money follows.
            is_time = current <= 12 and value % 5 == 0 and value < 60 and not re.match(MONEY, following)
            numbers, current = (
                ([*numbers, f"{current}:{value:02}"], -1) if is_time else (numbers, current * 100 + value)
            )
        else:
            numbers, total, current = [*numbers, str(total + current)], 0, value
    return numbers if current < 0 else [*numbers, str(total + current)]


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
