"""Times as people say them, only as exactly as a mandate needs: a day of the week and a clock time or part of a day."""

import re
from dataclasses import dataclass

from floyd.figures import in_digits

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "today", "tomorrow", "tonight")
_DAY = re.compile(rf"\b({'|'.join(_DAYS)})s?\b")
_CLOCK = re.compile(
    r"\b(?P<hour>2[0-3]|1\d|0?[1-9])(?!\d)(?:(?::| )(?P<minute>[0-5]\d))?\s?(?P<half>a\.?m\b|p\.?m\b|o'?clock"
    r"|in the (?:morning|afternoon|evening))?"
)
_SPOKEN = {"noon": 720, "midday": 720, "midnight": 0}
_HALF_PAST = re.compile(r"\b(?P<part>half|quarter) past (?P<hour>\d{1,2})\b|\bquarter to (?P<to>\d{1,2})\b")
_PARTS = {
    "morning": (300, 720),
    "afternoon": (720, 1080),
    "evening": (1020, 1320),
    "night": (1080, 1440),
    "noon": (690, 750),
}
_LEADS_TO_CLOCK = re.compile(r"\b(?:at|by|around|about|before|after|from|until|till|to|and|between|for|or|to)\s$")
_EARLIEST_SPOKEN_HOUR = 7
"""At "four" means the afternoon; nobody books a table for four in the morning without saying so."""


@dataclass(frozen=True, slots=True)
class TimeMention:
    """A proposed time. None: not said."""

    day: str | None
    minute: int | None
    """Of the day, 0 to 1439."""


@dataclass(frozen=True, slots=True)
class _Window:
    days: frozenset[str]
    from_minute: int
    to_minute: int

    def holds(self, mention: TimeMention) -> bool:
        if self.days and mention.day and mention.day not in self.days:
            return False
        return mention.minute is None or self.from_minute <= mention.minute <= self.to_minute


def find_times(text: str) -> tuple[TimeMention, ...]:
    """Every proposed time. A day applies to the clock times after it; a day alone is a mention, too."""
    written = in_digits(text)
    days = [(match.start(), match[1]) for match in _DAY.finditer(written)]
    mentions = []
    used: set[str] = set()
    for position, minute in _clock_times(written):
        day = next((name for start, name in reversed(days) if start < position), days[0][1] if days else None)
        if day:
            used.add(day)
        mentions.append(TimeMention(day, minute))
    mentions += [TimeMention(day, None) for _, day in days if day not in used]
    return tuple(mentions)


def allowed_by(mention: TimeMention, times: tuple[str, ...]) -> bool:
    """Whether a mandate's times ("Tuesday after 3 pm", "Friday morning") hold this one. No times: any is allowed."""
    return not times or any(_window(time).holds(mention) for time in times)


def _window(text: str) -> _Window:
    written = in_digits(text)
    days = frozenset(match[1] for match in _DAY.finditer(written))
    minutes = [minute for _, minute in _clock_times(written, bare=True)]
    low, high = 0, 1439
    for part, (start, end) in _PARTS.items():
        if re.search(rf"\b{part}\b", written):
            low, high = start, end
    if minutes:
        if re.search(r"\b(?:after|from|later than|not before)\b", written) and len(minutes) == 1:
            low = minutes[0]
            high = 1439
        elif re.search(r"\b(?:before|until|till|by|not after)\b", written) and len(minutes) == 1:
            low, high = 0, minutes[0]
        else:
            low, high = min(minutes), max(minutes)
    return _Window(days, low, high)


def _clock_times(written: str, *, bare: bool = False) -> list[tuple[int, int]]:
    """(position, minute of the day) of each clock time. `bare`: a lone figure counts as one."""
    found = [
        (match.start(), minute) for word, minute in _SPOKEN.items() for match in re.finditer(rf"\b{word}\b", written)
    ]
    taken: set[int] = set()
    for match in _HALF_PAST.finditer(written):
        hour = int(match["hour"] or match["to"])
        minute = _afternoon(hour) * 60 + {"half": 30, "quarter": 15}.get(match["part"] or "", -15)
        found.append((match.start(), minute))
        taken.update(range(match.start(), match.end()))
    for match in _CLOCK.finditer(written):
        if match.start() in taken or re.match(r"[\d%]|\.\d|st\b|nd\b|rd\b|th\b", written[match.end() :]):
            continue
        if written[max(0, match.start() - 1)] in "$€£.:" and match.start():
            continue
        half = (match["half"] or "").replace(".", "")
        explicit = bool(half) or (match["minute"] and ":" in match.group())
        if not explicit and not bare and not _LEADS_TO_CLOCK.search(written[: match.start()]):
            continue
        if not explicit and re.match(
            r"\s?(?!or\b|and\b|on\b|to\b|if\b|then\b|tomorrow|today|works?\b|is\b|would\b)[a-z]", written[match.end() :]
        ):
            continue
        found.append((match.start(), _minute(int(match["hour"]), int(match["minute"] or 0), half)))
    return sorted(found)


def _minute(hour: int, minute: int, half: str) -> int:
    if half.startswith("p") or "afternoon" in half or "evening" in half:
        hour = hour % 12 + 12
    elif half.startswith("a") or "morning" in half:
        hour %= 12
    else:
        hour = _afternoon(hour)
    return hour * 60 + minute


def _afternoon(hour: int) -> int:
    return hour + 12 if hour < _EARLIEST_SPOKEN_HOUR else hour
