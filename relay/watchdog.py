"""The last resort against dead air, by sound alone: it trusts neither the conversation nor any vendor."""

from collections.abc import Callable
from enum import Enum, auto

from relay.core.events import VoiceStarted, VoiceStopped

LEAST_S = 12.0  # a shorter silence is never looked at
STEP_S = 8.0  # between saying something, saying goodbye and hanging up
OWN_LINE_S = 6.0  # sound so soon after an alarm is the watchdog's own line
VOICE_MS = 1000  # a shorter voice may be a noise that wants no answer
QUIET_S = 1.6  # with the detector's hangover a turn's gap of 1.7 s


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


class Unanswered:
    """When whoever spoke has waited long enough for an answer, whether or not anybody knows what they said."""

    def __init__(self) -> None:
        self._began_ms = self._voice_ms = 0
        self._quiet_since = float("inf")

    def heard(self, event: VoiceStarted | VoiceStopped, now: float) -> None:
        """Voice of the callee, our echo not counted."""
        if isinstance(event, VoiceStarted):
            self._began_ms, self._quiet_since = event.at_ms, float("inf")
        else:
            self._voice_ms += event.at_ms - self._began_ms
            self._quiet_since = now

    def due(self, now: float) -> bool:
        """True once, at the first call after the wait. Cheap: to be called at every frame."""
        if now - self._quiet_since < QUIET_S:
            return False
        long_enough = self._voice_ms >= VOICE_MS
        self._voice_ms, self._quiet_since = 0, float("inf")
        return long_enough
