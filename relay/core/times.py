"""Times as people say them, only as exactly as a mandate needs: a day of the week and a clock time or part of a day."""

import re
from dataclasses import dataclass

from floyd.english import TOPICS, patterns
from floyd.figures import in_digits

_SAYS = patterns("times")
_EARLIEST_SPOKEN_HOUR = 7  # at "four" is in the afternoon: nobody books a table for four in the morning unsaid


@dataclass(frozen=True, slots=True)
class TimeMention:
    """A proposed time. None: not said."""

    day: str | None
    minute: int | None  # of the day, 0 to 1439


def find_times(text: str) -> tuple[TimeMention, ...]:
    """Every proposed time. A day applies to the clock times after it; a day alone is a mention, too."""
    written = in_digits(text)
    days = [(match.start(), match[1]) for match in _SAYS["day"].finditer(written)]
    mentions = []
    for position, minute in _clock_times(written):
        day = next((name for start, name in reversed(days) if start < position), days[0][1] if days else None)
        mentions.append(TimeMention(day, minute))
    used = {mention.day for mention in mentions}
    return (*mentions, *(TimeMention(day, None) for _, day in days if day not in used))


def allowed_by(mention: TimeMention, times: tuple[str, ...]) -> bool:
    """Whether a mandate's times ("Tuesday after 3 pm", "Friday morning") hold this one. No times: any is allowed."""
    return not times or any(_holds(in_digits(time), mention) for time in times)


def _holds(window: str, mention: TimeMention) -> bool:
    days = {match[1] for match in _SAYS["day"].finditer(window)}
    if days and mention.day and mention.day not in days:
        return False
    minutes = [minute for _, minute in _clock_times(window, bare=True)]
    parts = (span for part, span in TOPICS["parts_of_day"].items() if re.search(rf"\b{part}\b", window))
    low, high = (min(minutes), max(minutes)) if minutes else next(parts, (0, 1439))
    if len(minutes) == 1 and _SAYS["earliest"].search(window):
        high = 1439
    elif len(minutes) == 1 and _SAYS["latest"].search(window):
        low = 0
    return mention.minute is None or low <= mention.minute <= high


def _clock_times(written: str, *, bare: bool = False) -> list[tuple[int, int]]:
    """(position, minute of the day) of each clock time. `bare`: a lone figure counts as one."""
    found = [(match.start(), 0 if match["midnight"] else 720) for match in _SAYS["spoken"].finditer(written)]
    taken: set[int] = set()
    for match in _SAYS["half_past"].finditer(written):
        minute = {"half": 30, "quarter": 15}.get(match["part"] or "", -15)
        found.append((match.start(), _minute(int(match["hour"] or match["to"]), minute, "")))
        taken.update(range(match.start(), match.end()))
    for match in _SAYS["clock"].finditer(written):
        before, after = written[: match.start()], written[match.end() :]
        if match.start() in taken or before.endswith(tuple("$€£.:")) or _SAYS["no_clock_after"].match(after):
            continue
        half = (match["half"] or "").replace(".", "")
        likely = (bare or _SAYS["leads_to_clock"].search(before)) and not _SAYS["counts_things"].match(after)
        if half or ":" in match.group() or likely:
            found.append((match.start(), _minute(int(match["hour"]), int(match["minute"] or 0), half)))
    return sorted(found)


def _minute(hour: int, minute: int, half: str) -> int:
    if half.startswith("p") or "afternoon" in half or "evening" in half:
        hour = hour % 12 + 12
    elif half.startswith("a") or "morning" in half:
        hour %= 12
    elif hour < _EARLIEST_SPOKEN_HOUR:
        hour += 12
    return hour * 60 + minute
