"""One call's line as the callee has it: the play-out buffer, and a stopwatch. Pure: time is an argument.

Media queues and plays in real time; a mark waits for the media before it; a clear drops what has not played and gives
back every mark that was waiting, at once.
"""

from collections import deque
from dataclasses import dataclass

from standins.audio import FRAME, SILENCE

FRAME_S = 0.02

QUIET = SILENCE * FRAME  # 20 ms without a sound; one object, so that it is told by its identity
PAUSE_S = 0.2
"""A voice that was quiet this long starts anew when next heard; shorter silence lies within words or between two."""


@dataclass(frozen=True, slots=True)
class Span:
    """Something that began `at` (monotonic seconds) and took `ms`."""

    at: float
    ms: float


class PlayOut:
    """What is on its way to the callee's ear.

    A segment is the media between two marks (or clears); only inside a segment does an empty buffer count against the
    sender, since between segments silence may be meant.
    """

    def __init__(self) -> None:
        self.under_runs: list[Span] = []  # holes in the middle of a segment, from when the ear fell silent
        self.frames = 0  # frames of 20 ms received, parts counted as whole
        self.late_ms: list[float] = []  # for each frame that came after the moment it was due at the ear, by how much
        self._waiting = bytearray()
        self._queued = self._played = 0
        self._marks: deque[tuple[int, str]] = deque()
        self._segment_open = False
        self._dry_at: float | None = None

    def media(self, payload: bytes, now: float) -> None:
        """Queue headerless mu-law of any length."""
        frames = -(-len(payload) // FRAME)
        self.frames += frames
        if self._segment_open and self._dry_at is not None and now > self._dry_at:
            self.under_runs.append(Span(self._dry_at, (now - self._dry_at) * 1000))
            self.late_ms.extend([self.under_runs[-1].ms] * frames)
        self._segment_open, self._dry_at = True, None
        self._waiting += payload
        self._queued += len(payload)

    def mark(self, name: str) -> bool:
        """Queue a mark; True when nothing is waiting, so that it is echoed at once."""
        self._segment_open = False
        if self._queued == self._played and not self._marks:
            return True
        self._marks.append((self._queued, name))
        return False

    def clear(self) -> list[str]:
        """Drop everything that has not played; the names of all marks that were waiting, oldest first."""
        self._waiting.clear()
        self._played = self._queued
        self._segment_open, self._dry_at = False, None
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names

    def take(self, now: float) -> tuple[bytes | None, list[str]]:
        """The next 20 ms for the ear (None: nothing waits) and the marks whose sound has now wholly been heard."""
        names: list[str] = []
        while self._marks and self._marks[0][0] <= self._played:
            names.append(self._marks.popleft()[1])
        if not self._waiting:
            return None, names
        frame = bytes(self._waiting[:FRAME])
        del self._waiting[:FRAME]
        self._played += len(frame)
        if not self._waiting and self._segment_open:
            self._dry_at = now + FRAME_S
        return frame.ljust(FRAME, SILENCE), names


class Stopwatch:
    """Turn gaps, and how soon the far voice gives way: fed once per 20 ms with who is loud."""

    def __init__(self) -> None:
        self.turn_gaps: list[Span] = []
        """From the callee's last loud frame to the first loud frame of the answer, which begins `at`."""
        self.barge_ins: list[Span] = []
        """The callee spoke over the far voice `at`, whose last loud frame came so much later."""
        self.callee_loud_at = self._far_loud_at = float("-inf")
        self._unanswered = False
        self._answer: Span | None = None
        """The far voice began while the callee's line was not over; it counts unless the callee is heard again."""
        self._barged_at: float | None = None

    def frame(self, now: float, callee_loud: bool, far_loud: bool, callee_speaking: bool) -> None:
        """callee_speaking stays true through the callee's pauses inside a line, when nobody should answer yet."""
        far_talking = now - self._far_loud_at < PAUSE_S
        if callee_loud:
            if far_talking and self._barged_at is None and now - self.callee_loud_at >= PAUSE_S:
                self._barged_at = now
            self.callee_loud_at, self._unanswered, self._answer = now, True, None
        if far_loud:
            if self._unanswered and self._answer is None and not far_talking:
                self._answer = Span(now, (now - self.callee_loud_at) * 1000)
            self._far_loud_at = now
        elif self._barged_at is not None and not far_talking:
            self.barge_ins.append(Span(self._barged_at, (self._far_loud_at - self._barged_at) * 1000))
            self._barged_at = None
        if self._answer is not None and not callee_speaking:
            self.turn_gaps.append(self._answer)
            self._answer, self._unanswered = None, False
