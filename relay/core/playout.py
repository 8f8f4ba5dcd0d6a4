"""The ledger of our own speech: which segment is queued, on its way, heard, or cut.

    queued -> sending -> sent -> heard
       \\________\\_______\\____-> cleared

`heard` and `cleared` are absorbing. That is the point of keeping books: a carrier's clear returns every outstanding
mark, so a mark alone does not prove that anybody heard the words. The ledger is cleared before the clear is sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from relay.core.policy import Policy


class Progress(Enum):
    QUEUED = auto()
    SENDING = auto()
    SENT = auto()
    HEARD = auto()
    CLEARED = auto()


_UNSENT = (Progress.QUEUED, Progress.SENDING)
SETTLED = (Progress.HEARD, Progress.CLEARED)


@dataclass(slots=True, eq=False)
class Segment:
    """One speakable piece of ours and what became of it."""

    segment_id: str
    text: str
    protected: bool = False  # yields to words only, not to a mere voice: disclosure, farewell
    digits: str = ""  # not empty: key tones instead of speech
    progress: Progress = Progress.QUEUED
    began: bool = False  # its first frame left
    was_sent: bool = False  # its last frame left, whether or not it was then cleared
    sounding_since: float | None = None
    played_s: float = 0.0  # how much of it the ear has had when it was paused or cut

    def audible(self, characters_per_s: float) -> str:
        """What the ear may have had of it: all of it once it was sent, else as many words as its sound had time for."""
        if self.was_sent:
            return self.text
        if self.digits or not self.played_s:
            return ""
        words = self.text[: round(self.played_s * characters_per_s)].count(" ") + 1
        return " ".join(self.text.split()[:words])


@dataclass(slots=True, eq=False)
class Ledger:
    """Segments in the order in which they are spoken. Methods answer whether the news was news."""

    policy: Policy
    outstanding: tuple[Segment, ...] = ()  # neither heard nor cleared, in order
    sound_at: float | None = None  # when the present stretch of our sound began; None while we make none
    paused_at: float | None = None  # since when the ear has silence from us although something is outstanding
    _progress_at: float = 0.0
    _sound_ends_at: float = 0.0

    @property
    def unsent(self) -> tuple[Segment, ...]:
        """Queued or on its way."""
        return tuple(segment for segment in self.outstanding if segment.progress in _UNSENT)

    @property
    def protected(self) -> bool:
        """Whether what is at the callee's ear now, or next, is protected."""
        return bool(self.outstanding) and self.outstanding[0].protected

    def queue(self, segment: Segment, now: float) -> None:
        if not self.unsent:
            self._progress_at = now
        self.outstanding = (*self.outstanding, segment)

    def started(self, segment_id: str, now: float) -> bool:
        """The first frame is on the wire."""
        segment = self._find(segment_id, Progress.QUEUED)
        if segment is None:
            return False
        segment.progress = Progress.SENDING
        segment.began = True
        self._progress_at = now
        segment.sounding_since = max(now, self._sound_ends_at)
        self.sound_at = now if self.sound_at is None else self.sound_at
        self._sound_ends_at = max(self._sound_ends_at, now)
        return True

    def sent(self, segment_id: str, duration_s: float, now: float) -> bool:
        """The last frame and the mark are on the wire. Its sound ends `duration_s` after the sound before it."""
        segment = self._find(segment_id, *_UNSENT)
        if segment is None:
            return False
        if segment.progress is Progress.QUEUED:
            self.started(segment_id, now)
        segment.progress = Progress.SENT
        segment.was_sent = True
        self._progress_at = now
        self._sound_ends_at += duration_s
        return True

    def reached(self, segment_id: str) -> bool:
        """The mark came back. Marks keep their order, so whatever was sent before it has been heard as well."""
        segment = self._find(segment_id, Progress.SENDING, Progress.SENT)
        if segment is None:
            return False
        return self._settle(self.outstanding[: self.outstanding.index(segment) + 1], Progress.HEARD)

    def assume_heard(self) -> None:
        """The marks of what was sent are overdue, so they are lost."""
        self._settle((segment for segment in self.outstanding if segment.progress is Progress.SENT), Progress.HEARD)

    def clear(self, now: float) -> bool:
        """Cut everything outstanding; before the carrier is told."""
        self._stop_sound(now)
        self.paused_at = None
        return self._settle(self.outstanding, Progress.CLEARED)

    def pause(self, now: float) -> None:
        """Silence, but nothing is given up. What was sent must be sent again: its marks come back unplayed."""
        self._stop_sound(now)
        self.paused_at = now
        for segment in self.outstanding:
            if segment.progress is Progress.SENT:
                segment.progress = Progress.SENDING

    def resume(self, now: float) -> None:
        self.paused_at = None
        self._progress_at = self._sound_ends_at = now
        for segment in self.outstanding:
            segment.sounding_since = now if segment.began else None

    def _stop_sound(self, now: float) -> None:
        for segment in self.outstanding:
            if segment.sounding_since is not None:
                segment.played_s += max(0.0, now - segment.sounding_since)
                segment.sounding_since = None

    def clear_unsent(self) -> tuple[Segment, ...]:
        """Give up what has not left yet, and say what; what is in the carrier's buffer plays on."""
        self.paused_at, unsent = None, self.unsent
        self._settle(unsent, Progress.CLEARED)
        return unsent

    def speech_deadline(self) -> float | None:
        """When speech that has not left is overdue, given its length and that it is sent in real time."""
        unsent = self.unsent
        if not unsent or self.paused_at is not None:
            return None
        if unsent[0].progress is Progress.SENDING:
            length_s = len(unsent[0].text) / self.policy.slowest_characters_per_s
        else:
            length_s = max(0.0, self._sound_ends_at - self._progress_at)
        return self._progress_at + self.policy.speech_s + length_s

    def play_out_deadline(self) -> float | None:
        """When the oldest mark on the wire is overdue."""
        if not self.outstanding or self.outstanding[0].progress is not Progress.SENT:
            return None
        return max(self._sound_ends_at, self._progress_at) + self.policy.mark_slack_s

    def _find(self, segment_id: str, *among: Progress) -> Segment | None:
        found = (each for each in self.outstanding if each.segment_id == segment_id and each.progress in among)
        return next(found, None)

    def _settle(self, segments: Iterable[Segment], progress: Progress) -> bool:
        settled = list(segments)
        for segment in settled:
            segment.progress = progress
        self.outstanding = tuple(segment for segment in self.outstanding if segment.progress not in SETTLED)
        if not self.outstanding:
            self.sound_at, self._sound_ends_at = None, 0.0
        return bool(settled)
