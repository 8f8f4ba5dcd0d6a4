"""What a stopwatch at the callee's phone shows: turn gaps, and how soon the far voice gives way. Pure."""

from dataclasses import dataclass

PAUSE_S = 0.2
"""A voice that was quiet this long starts anew when next heard; shorter silence lies within words or between two."""


@dataclass(frozen=True, slots=True)
class TurnGap:
    """From the callee's last loud frame to the first loud frame of the answer."""

    at: float
    gap_ms: float


@dataclass(frozen=True, slots=True)
class BargeIn:
    """The callee spoke over the far voice."""

    at: float
    stopped_after_ms: float
    """From the callee's first loud frame to the last loud frame of the far voice."""


class Stopwatch:
    """Fed once per 20 ms with who is loud."""

    def __init__(self) -> None:
        self.turn_gaps: list[TurnGap] = []
        self.barge_ins: list[BargeIn] = []
        self._callee_loud_at: float | None = None
        self._far_loud_at: float | None = None
        self._unanswered = False
        self._answer: TurnGap | None = None
        """The far voice began while the callee's line was not over; it counts unless the callee is heard again."""
        self._barged_at: float | None = None

    def frame(self, now: float, callee_loud: bool, far_loud: bool, callee_speaking: bool) -> None:
        """callee_speaking stays true through the callee's pauses inside a line, when nobody should answer yet."""
        if callee_loud:
            self._callee(now)
        if far_loud:
            if self._unanswered and self._answer is None and not self._talking(self._far_loud_at, now):
                assert self._callee_loud_at is not None, "unanswered implies a loud callee frame"
                self._answer = TurnGap(now, (now - self._callee_loud_at) * 1000)
            self._far_loud_at = now
        elif self._barged_at is not None and not self._talking(self._far_loud_at, now):
            assert self._far_loud_at is not None, "a barge-in implies a loud far frame"
            self.barge_ins.append(BargeIn(self._barged_at, (self._far_loud_at - self._barged_at) * 1000))
            self._barged_at = None
        if self._answer is not None and not callee_speaking:
            self.turn_gaps.append(self._answer)
            self._answer, self._unanswered = None, False

    def _callee(self, now: float) -> None:
        onset = not self._talking(self._callee_loud_at, now)
        if onset and self._barged_at is None and self._talking(self._far_loud_at, now):
            self._barged_at = now
        self._callee_loud_at, self._unanswered, self._answer = now, True, None

    @staticmethod
    def _talking(last_loud: float | None, now: float) -> bool:
        return last_loud is not None and now - last_loud < PAUSE_S
