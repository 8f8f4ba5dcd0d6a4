"""Outbound sound: how much of it is on its way to the ear, and when the next piece leaves.

The carrier buffers what it is sent and plays it in order. Sound is sent a little ahead of the ear and no more, so that
a barge-in throws little away and our idea of what was heard is never far from the truth.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from relay.core.events import SegmentSent, SegmentStarted
from relay.media_stream import BYTES_PER_MS, FRAME_BYTES, Outbound

AHEAD_S = 0.2
"""Never more than this is on its way to the ear."""
PIECE_S = 0.08
"""Sound per message: a quarter of the messages of single frames, and still two of them on the way."""
TICK_S = 0.02
_PIECE_BYTES = int(PIECE_S * 1000) * BYTES_PER_MS


@dataclass(slots=True)
class _Segment:
    segment_id: str
    sound: bytearray = field(default_factory=bytearray)
    complete: bool = False
    sent_bytes: int = 0


class Playout:
    """One call's outbound sound. `send` takes a finished message at once; `report` takes what happened to segments."""

    def __init__(
        self,
        outbound: Outbound,
        send: Callable[[str], None],
        report: Callable[[SegmentStarted | SegmentSent], None],
        monitor: Callable[[bytes], None],
    ) -> None:
        self._outbound = outbound
        self._send = send
        self._report = report
        self._monitor = monitor  # sees every piece that leaves
        self._segments: deque[_Segment] = deque()
        self._happened: list[SegmentStarted | SegmentSent] = []
        self._generation = 0
        self._heard_until = 0.0  # when all that was sent has been played
        self.starved = 0
        """Times a segment's sound ran dry at the ear: the callee heard a hole."""
        self._dry = False

    @property
    def idle(self) -> bool:
        return not self._segments

    def begin(self, segment_id: str) -> None:
        """Queue a segment. Sound of later segments waits until it is complete."""
        self._segments.append(_Segment(segment_id))

    def add(self, segment_id: str, sound: bytes) -> None:
        """More of its sound; nothing happens if the segment is gone."""
        if segment := self._find(segment_id):
            segment.sound += sound

    def complete(self, segment_id: str) -> None:
        """All its sound has been added."""
        if segment := self._find(segment_id):
            segment.complete = True
            # The end of a segment falls on a frame: peers that cut sound into frames must find no half one.
            segment.sound += b"\xff" * (-len(segment.sound) % FRAME_BYTES)

    def drop(self, segment_id: str) -> None:
        """The segment failed. What was sent of it plays on, without a mark."""
        if segment := self._find(segment_id):
            self._segments.remove(segment)

    def cancel(self) -> None:
        """Abandon every segment whose mark is not yet sent."""
        self._segments.clear()

    def clear(self, now: float) -> None:
        """Have the carrier drop what it has buffered. Marks that come back from before this are void."""
        self._generation += 1
        self._heard_until = now
        self._send(self._outbound.clear)

    def segment_of(self, mark: str) -> str | None:
        """The segment whose end the ear has reached, or None for a mark that a clear returned or that is not ours."""
        segment_id, _, generation = mark.rpartition(".")
        return segment_id if generation == str(self._generation) else None

    def pump(self, now: float) -> None:
        """Send what is due, then report. Cheap when nothing is due."""
        self._send_due(now)
        if self._happened:
            # Only now: who is told may cancel the very segments being walked over.
            happened, self._happened = self._happened, []
            for event in happened:
                self._report(event)

    def _send_due(self, now: float) -> None:
        while self._segments:
            segment = self._segments[0]
            if segment.sound:
                if self._heard_until - now > AHEAD_S - PIECE_S:
                    return
                size = min(len(segment.sound), _PIECE_BYTES)
                if not segment.complete:
                    size -= size % FRAME_BYTES
                if size:
                    self._send_piece(segment, size, now)
            if segment.sound and (segment.complete or len(segment.sound) >= FRAME_BYTES):
                continue
            if not segment.complete:
                if segment.sent_bytes and not self._dry and now > self._heard_until:
                    self._dry = True
                    self.starved += 1
                return
            self._finish(segment)

    def _send_piece(self, segment: _Segment, size: int, now: float) -> None:
        piece = bytes(segment.sound[:size])
        del segment.sound[:size]
        self._send(self._outbound.media(piece))
        self._monitor(piece)
        self._dry = False
        self._heard_until = max(self._heard_until, now) + size / BYTES_PER_MS / 1000
        first = segment.sent_bytes == 0
        segment.sent_bytes += size
        if first:
            self._happened.append(SegmentStarted(segment.segment_id))

    def _finish(self, segment: _Segment) -> None:
        self._segments.popleft()
        self._send(self._outbound.mark(f"{segment.segment_id}.{self._generation}"))
        self._happened.append(SegmentSent(segment.segment_id, segment.sent_bytes / BYTES_PER_MS / 1000))

    def _find(self, segment_id: str) -> _Segment | None:
        return next((segment for segment in self._segments if segment.segment_id == segment_id), None)


class Pacer:
    """One clock for all calls: a timer that runs only while somebody has something to say."""

    def __init__(self) -> None:
        self._busy: set[Playout] = set()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0

    def wake(self, playout: Playout) -> None:
        """Send what is due now, and go on until the play-out is idle."""
        playout.pump(self._loop.time())
        if playout.idle:
            self._busy.discard(playout)
            return
        self._busy.add(playout)
        if self._timer is None:
            self._next = self._loop.time() + TICK_S
            self._timer = self._loop.call_at(self._next, self._tick)

    def forget(self, playout: Playout) -> None:
        """The call is over."""
        self._busy.discard(playout)

    def _tick(self) -> None:
        now = self._loop.time()
        for playout in tuple(self._busy):
            playout.pump(now)
            if playout.idle:
                self._busy.discard(playout)
        # Ticks keep their own beat; after a long stall the beat starts afresh.
        self._next = max(self._next + TICK_S, now)
        self._timer = self._loop.call_at(self._next, self._tick) if self._busy else None
