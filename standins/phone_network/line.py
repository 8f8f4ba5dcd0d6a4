"""The play-out buffer of one call: what the server sent and the callee has not heard yet. Pure: time is an argument.

Media queues and plays in real time; a mark waits for the media before it; a clear drops what has not played and gives
back every mark that was waiting, at once.
"""

from collections import deque
from dataclasses import dataclass

from standins.phone_network.sound import FRAME_BYTES, FRAME_S

BYTES_PER_SECOND = 8000


@dataclass(frozen=True, slots=True)
class UnderRun:
    """A hole in the middle of a segment: the buffer ran dry before the segment's mark was sent."""

    at: float
    """Monotonic seconds when the ear fell silent."""
    gap_ms: float


class PlayOut:
    """What is on its way to the callee's ear.

    A segment is the media between two marks (or clears); only inside a segment does an empty buffer count against the
    sender, since between segments silence may be meant.
    """

    def __init__(self) -> None:
        self.under_runs: list[UnderRun] = []
        self.frames = 0
        """Frames of 20 ms received, parts counted as whole."""
        self.late_ms: list[float] = []
        """For each frame that came after the moment it was due at the ear, by how much."""
        self.deepest_s = 0.0
        """The most sound that ever waited here."""
        self._waiting = bytearray()
        self._queued = 0
        self._played = 0
        self._marks: deque[tuple[int, str]] = deque()
        self._segment_open = False
        self._dry_at: float | None = None

    def media(self, payload: bytes, now: float) -> None:
        """Queue headerless mu-law of any length."""
        frames = -(-len(payload) // FRAME_BYTES)
        self.frames += frames
        if self._segment_open and self._dry_at is not None and now > self._dry_at:
            late_ms = (now - self._dry_at) * 1000
            self.under_runs.append(UnderRun(self._dry_at, late_ms))
            self.late_ms.extend([late_ms] * frames)
        self._segment_open, self._dry_at = True, None
        self._waiting += payload
        self._queued += len(payload)
        self.deepest_s = max(self.deepest_s, len(self._waiting) / BYTES_PER_SECOND)

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
        frame = bytes(self._waiting[:FRAME_BYTES])
        del self._waiting[:FRAME_BYTES]
        self._played += len(frame)
        if not self._waiting and self._segment_open:
            self._dry_at = now + FRAME_S
        return frame.ljust(FRAME_BYTES, b"\xff"), names
