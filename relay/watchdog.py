"""The last resort against dead air, by sound alone: it trusts neither the conversation nor any vendor."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

LEAST_S = 12.0
"""A shorter silence is never looked at."""
STEP_S = 8.0
"""Between saying something, saying goodbye and hanging up."""
OWN_LINE_S = 6.0
"""Sound so soon after an alarm is the watchdog's own line."""


class Alarm(Enum):
    """What to do about a silence that is not meant."""

    SPEAK = auto()
    APOLOGISE = auto()
    HANG_UP = auto()


class Watchdog:
    """One call's. Moments are seconds of one clock."""

    def __init__(self, now: float) -> None:
        self._sound_at = now
        self._alarms = 0
        self._alarm_at = -OWN_LINE_S

    def sounded(self, now: float) -> None:
        """Somebody was heard, on either side."""
        if now - self._alarm_at >= OWN_LINE_S:
            self._sound_at, self._alarms = now, 0

    def look(self, now: float, silence_s: Callable[[], float]) -> Alarm | None:
        """Call about once a second. `silence_s` tells the longest silence that is meant just now."""
        silent_s = now - self._sound_at
        if silent_s < LEAST_S or silent_s < silence_s() + self._alarms * STEP_S:
            return None
        self._alarms += 1
        self._alarm_at = now
        return list(Alarm)[min(self._alarms, len(Alarm)) - 1]
