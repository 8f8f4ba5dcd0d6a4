"""When a number may be rung: by the callee's clock, in every zone where the callee may be."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone

# 47 CFR 64.1200(c)(1) gives these hours for solicitations; Floyd keeps them for every call.
OPENS = time(8)
CLOSES = time(21)
# Toll-free numbers belong to no place, so every zone of the numbering plan counts, except the islands beyond the date
# line: with them the common window would be 17:00 to 19:30 in New York, after every business has closed.
BEYOND_DATE_LINE = frozenset({"Pacific/Guam", "Pacific/Saipan", "Pacific/Pago_Pago"})
# A window that exists at all recurs daily; clock changes may shift it by an hour.
SEARCH_DAYS = 3


def zones(number: str) -> tuple[ZoneInfo, ...]:
    """Every time zone where the owner of this E.164 number may be; empty when nothing is known."""
    names = set(timezone.time_zones_for_number(phonenumbers.parse(number)))
    if len(names) > 1:
        names -= BEYOND_DATE_LINE
    try:
        return tuple(map(ZoneInfo, sorted(names)))
    except (ZoneInfoNotFoundError, ValueError):
        return ()  # Etc/Unknown, or a zone newer than this machine's data: then no hour is known to be decent


def is_allowed(number: str, now: datetime) -> bool:
    """Whether it is between 08:00 and 21:00 (exclusive) in all zones of the number. `now` is aware."""
    where = zones(number)
    return bool(where) and all(OPENS <= now.astimezone(zone).time() < CLOSES for zone in where)


def next_allowed(number: str, now: datetime) -> datetime | None:
    """`now` if the number may be rung now, else the next moment when it may; None when no such moment exists."""
    # A common window can only begin when the last of the zones opens, so only openings need to be looked at.
    openings = sorted(
        datetime.combine(now.astimezone(zone).date() + timedelta(days=day), OPENS, zone).astimezone(now.tzinfo)
        for zone in zones(number)
        for day in range(SEARCH_DAYS)
    )
    return next((at for at in (now, *openings) if at >= now and is_allowed(number, at)), None)
