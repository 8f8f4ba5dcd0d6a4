"""Outbound sound: how much of it is on its way to the ear, and when the next piece leaves.

The carrier buffers what it is sent and plays it in order. Sound is sent a little ahead of the ear and no more, so that
a barge-in throws little away and our idea of what was heard is never far from the truth.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from floyd.mulaw import FRAME_SAMPLES, LOUDNESS, SILENCE
from relay.core.events import SegmentSent, SegmentStarted
from relay.media_stream import Outbound

BYTES_PER_MS = 8

AHEAD_S = 0.18  # never more than this is on its way to the ear: 0.2 s with a frame to spare for an uneven clock
PIECE_S = 0.08  # sound per message: a quarter of the messages of single frames, and still two of them on the way
TICK_S = 0.02
_PIECE_BYTES = int(PIECE_S * 1000) * BYTES_PER_MS
ECHO_BYTES = 1000 * BYTES_PER_MS
"""So much of what the ear has had is kept, to be told from what comes back (ITU-T G.114: at most 0.6 s later)."""
REWIND_BYTES = 400 * BYTES_PER_MS  # after a pause speech goes on from the quietest frame within this: about a word


@dataclass(slots=True, eq=False)
class Segment:
    """A piece of speech: its sound as it comes, and how much of it has left."""

    segment_id: str = ""  # empty: nobody has decided yet to say it
    sound: bytearray = field(default_factory=bytearray)
    first_at: float | None = None  # when its own sound began to come
    complete: bool = False
    at: int = 0  # bytes that have left
    since: int = 0  # where it went on after the last pause
    began: bool = False

    def end(self) -> None:
        """All its sound is there. It ends on a frame: peers that cut sound into frames must find no half one."""
        self.complete = True
        self.sound += SILENCE * (-len(self.sound) % FRAME_SAMPLES)


@dataclass(eq=False)
class Playout:
    """One call's outbound sound."""

    outbound: Outbound
    send: Callable[[str], None]  # takes a finished message at once
    report: Callable[[SegmentStarted | SegmentSent], None]  # takes what happened to segments
    monitor: Callable[[bytes], None]  # sees every piece that leaves

    def __post_init__(self) -> None:
        self._segments: deque[Segment] = deque()
        self._unheard: deque[Segment] = deque()  # sent, but their marks are not back
        self._paused = False
        self._tail = bytearray()  # what was sent last; ends at `_heard_until`
        self._happened: list[SegmentStarted | SegmentSent] = []
        self._generation = 0
        self._heard_until = 0.0  # when all that was sent has been played
        self.starved = 0  # times a segment's sound ran dry at the ear: the callee heard a hole
        self.ready_at: dict[str, float] = {}  # when the sound of each segment that has begun to leave was there
        self._dry = False

    @property
    def idle(self) -> bool:
        return self._paused or not self._segments

    def awaits(self, segment: Segment) -> bool:
        """Whether the ear hears nothing any more, because this segment has no sound yet."""
        waiting = bool(self._segments) and self._segments[0] is segment and not segment.sound and not self._paused
        return waiting and 0 < self._heard_until <= asyncio.get_running_loop().time()

    def queue(self, segment: Segment) -> None:
        """To be heard after all before it; what comes later waits until it is complete."""
        self._segments.append(segment)

    def drop(self, segment: Segment) -> None:
        """The segment failed. What was sent of it plays on, without a mark."""
        if segment in self._segments:
            self._segments.remove(segment)

    def pause(self, now: float) -> None:
        """Silence at the ear at once; what it has not heard is sent again by `resume`."""
        ahead = self._take_back(now)
        for segment in [*self._segments, *reversed(self._unheard)]:
            back = min(segment.at, ahead) if segment.began else 0
            segment.at -= back
            ahead -= back
        # Marks that come back from now on are void, so those of sentences that were heard out are sent again, too.
        self._segments.extendleft(reversed(self._unheard))
        self._unheard.clear()
        self._paused = True

    def resume(self) -> None:
        """Go on from the quietest moment shortly before the pause. Follow it with `Pacer.wake`."""
        self._paused = False
        for segment in self._segments:
            if 0 < segment.at < len(segment.sound):
                starts = range(max(0, segment.at - REWIND_BYTES), segment.at + 1, FRAME_SAMPLES)
                segment.at = min(starts, key=lambda at: (_loudness(segment.sound[at : at + FRAME_SAMPLES]), -at))
                segment.at -= segment.at % FRAME_SAMPLES
            segment.since = segment.at

    def silent(self, now: float) -> bool:
        """Whether nothing of ours has been at the ear for longer than an echo takes."""
        return now - self._heard_until > ECHO_BYTES / BYTES_PER_MS / 1000

    def played(self, now: float) -> bytes:
        """The last second of what the ear has had from us, silence included."""
        ahead = round((self._heard_until - now) * 1000) * BYTES_PER_MS
        heard = self._tail[: len(self._tail) - ahead] if ahead > 0 else self._tail + SILENCE * min(-ahead, ECHO_BYTES)
        return bytes(heard[-ECHO_BYTES:])

    def cancel(self) -> None:
        """Abandon every segment whose mark is not yet sent."""
        self._segments.clear()
        self._paused = False

    def clear(self, now: float) -> None:
        """Have the carrier drop what it has buffered. Marks that come back from before this are void."""
        self._take_back(now)
        self._unheard.clear()

    def _take_back(self, now: float) -> int:
        """Have the carrier drop what it has buffered; how much that is, in bytes."""
        ahead = max(0, round((self._heard_until - now) * 1000)) * BYTES_PER_MS
        ahead -= ahead % FRAME_SAMPLES
        if ahead:
            del self._tail[-ahead:]
        self._generation += 1
        self._heard_until = now
        self.send(self.outbound.clear)
        return ahead

    def segment_of(self, mark: str) -> str | None:
        """The segment whose end the ear has reached, or None for a mark that a clear returned or that is not ours."""
        segment_id, _, generation = mark.rpartition(".")
        if generation != str(self._generation):
            return None
        while self._unheard and self._unheard.popleft().segment_id != segment_id:
            pass
        return segment_id

    def pump(self, now: float) -> None:
        """Send what is due, then report. Cheap when nothing is due."""
        self._send_due(now)
        if self._happened:
            # Only now: who is told may cancel the very segments being walked over.
            happened, self._happened = self._happened, []
            for event in happened:
                self.report(event)

    def _send_due(self, now: float) -> None:
        while self._segments and not self._paused:
            segment = self._segments[0]
            left = len(segment.sound) - segment.at
            if left:
                if self._heard_until - now > AHEAD_S - PIECE_S:
                    return
                size = min(left, _PIECE_BYTES)
                if not segment.complete:
                    size -= size % FRAME_SAMPLES
                if size:
                    self._send_piece(segment, size, now)
                    left -= size
            if left and (segment.complete or left >= FRAME_SAMPLES):
                continue
            if not segment.complete:
                if segment.began and not self._dry and now > self._heard_until:
                    self._dry = True
                    self.starved += 1
                return
            self._finish(segment)

    def _send_piece(self, segment: Segment, size: int, now: float) -> None:
        piece = bytes(segment.sound[segment.at : segment.at + size])
        segment.at += size
        self.send(self.outbound.media(piece))
        self.monitor(piece)
        self._dry = False
        silent_ms = min(2 * ECHO_BYTES // BYTES_PER_MS, round(max(0.0, now - self._heard_until) * 1000))
        self._tail += SILENCE * (silent_ms * BYTES_PER_MS) + piece
        del self._tail[: -2 * ECHO_BYTES]
        self._heard_until = max(self._heard_until, now) + size / BYTES_PER_MS / 1000
        if not segment.began:
            segment.began = True
            self.ready_at[segment.segment_id] = now if segment.first_at is None else segment.first_at
            self._happened.append(SegmentStarted(segment.segment_id))

    def _finish(self, segment: Segment) -> None:
        self._unheard.append(self._segments.popleft())
        self.send(self.outbound.mark(f"{segment.segment_id}.{self._generation}"))
        self._happened.append(SegmentSent(segment.segment_id, (segment.at - segment.since) / BYTES_PER_MS / 1000))


def _loudness(frame: bytes | bytearray) -> int:
    return sum(frame.translate(LOUDNESS))


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
