"""Money and times as people say them: "five hundred and sixty dollars", "thursday at three p m"."""

import re
from collections.abc import Iterable
from decimal import Decimal

from standins.openai.mind.reading import ANY, numerals, says

NUMBER = r"\d+(?:\.\d+)?"
LIMIT, DAY, NOT_MONEY = ANY["limit"], ANY["day"], ANY["not_money"]
PRICED = rf"\b(?:{ANY['priced']}|{LIMIT})(?: \w+){{0,3}}? ({NUMBER})(?!{NOT_MONEY})"
AMOUNT = re.compile(rf"\$({NUMBER})|({NUMBER}) {ANY['money']}(?: and ({NUMBER}) cents)?|{PRICED}")
TIME = f"(?:{DAY}|{ANY['clock']}|{ANY['part']})"
WHEN = re.compile(rf"\b{TIME}(?:,? (?:and (?=\d))?{TIME})*\b")
AT = re.compile(rf"(?:({ANY['relation']}) )?\b([01]?\d|2[0-3])(?::(\d\d))? ?(am|pm)?(?![\w-])")
MINUTES = range(24 * 60)
PARTS = {"morning": (0, 12), "afternoon": (12, 18), "evening": (17, 24), "tonight": (17, 24)}
"""Hours of the day."""


def amounts(text: str) -> list[Decimal]:
    """Sums of money, in order. A bare number counts when the words around it speak of a price."""
    found = AMOUNT.finditer(numerals(text))
    return [Decimal(match[1] or match[2] or match[4]) + Decimal(match[3] or 0) / 100 for match in found]


def limit(text: str) -> Decimal | None:
    """The most the person allows: "up to 80 dollars", "no more than $50", "budget of eighty"."""
    match = re.search(rf"\b{LIMIT} (?:about |around )?\$?({NUMBER})(?!{NOT_MONEY})", numerals(text))
    return Decimal(match[1]) if match else None


def reference(text: str) -> tuple[str, str] | None:
    """What a number that the other gives is called, as a key, and the number."""
    match = re.search(rf"\b({ANY['reference']} (?:number|code)) is (?:number )?([a-z]?\d[\d ]*)", numerals(text))
    return (match[1].replace(" ", "_"), match[2].replace(" ", "")) if match else None


def said_yes(text: str) -> bool | None:
    """Yes, no, or neither."""
    start = " ".join(re.sub("[,.]", " ", numerals(text)).split())
    return False if says(start, "no") else True if says(start, "yes") else None


def limit_after(current: Decimal, answers: list[tuple[str, str]]) -> Decimal:
    """The limit once the person's (question, answer) pairs are heard.

    A limit they name counts as it is; a plain yes allows what was asked.
    """
    for question, answer in answers:
        asked, allowed = amounts(question), limit(answer)
        named = allowed if allowed is not None else next(iter(amounts(answer) if asked else ()), None)
        if named is not None:
            current = named
        elif asked and said_yes(answer):
            current = max(current, asked[0])
    return current


def whens(text: str) -> list[str]:
    """Phrases that say when, in order; alternatives ("tuesday or thursday at 3") are separate."""
    return [match[0].strip() for match in WHEN.finditer(numerals(text))]


def agreed_times(question: str, answer: str) -> list[str]:
    """Times that an answer of the person allows."""
    return whens(answer) or (whens(question) if said_yes(answer) else [])


def window(phrase: str) -> tuple[set[str], set[int]]:
    """What a phrase of time allows: days (none: any) and minutes of the day, twelve-hour readings included."""
    phrase = re.sub(r"\b(?:noon|midday)\b", "12:00 pm", numerals(phrase))
    minutes = set(MINUTES)
    for part, (start, end) in PARTS.items():
        if part in phrase:
            minutes &= set(MINUTES[60 * start : 60 * end])
    for relation, hour, minute, half in AT.findall(phrase):
        readings = [int(hour) % 12, int(hour) % 12 + 12] if int(hour) <= 12 else [int(hour)]
        if half:
            readings = [int(hour) % 12 + (12 if half == "pm" else 0)]
        meant = {60 * reading + int(minute or 0) for reading in readings}
        if relation in ("after", "from", "between"):
            minutes &= set(MINUTES[_likeliest(meant) :])
        elif relation in ("before", "by", "until", "and", "to"):
            minutes &= set(MINUTES[: _likeliest(meant) + 1])
        else:
            minutes &= meant
    return {re.sub("^(?:next|this|on) ", "", day) for day in re.findall(DAY, phrase)}, minutes


def fits(offer: str, windows: Iterable[str]) -> bool:
    """Whether an offered time lies within one of the allowed ones."""
    offered_days, offered = window(offer)
    for days, minutes in map(window, windows):
        same_day = not days or not offered_days or days & {"week", "weekend", "month", *offered_days}
        # Against an open range ("after 2 pm") a bare "ten" is taken as people mean it: ten in the morning.
        open_range = len(minutes) > 8 * 60 and len(offered) == 2
        if same_day and minutes & ({_likeliest(offered)} if open_range else offered):
            return True
    return False


def spoken_money(amount: Decimal) -> str:
    return f"{amount:.0f} dollars" if amount == amount.to_integral() else f"{amount:.2f} dollars"


def _likeliest(minutes: set[int]) -> int:
    """The reading of a clock time that is most likely meant: the first from seven in the morning on."""
    return min(minutes, key=lambda minute: (minute - 7 * 60) % len(MINUTES), default=0)
