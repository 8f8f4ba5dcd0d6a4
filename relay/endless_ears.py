"""Ears that go on for a whole call, made of a recogniser's streams, which do not.

A stream lives some minutes at most, breaks for reasons of its own and cannot be resumed; a call knows nothing of that.
Sound is kept until a final result covers it. A stream that grows old is handed over at a quiet place: it is told that
its sound ends there, its successor begins there, and what the successor hears waits until the old one has said its
last word. After a stream that broke, the next one begins where the last final ended. So every stretch of sound has one
stream that speaks for it, and no word is lost or doubled.

Time is counted in the sound that comes in, which never pauses for longer than `session.LATE_S`: no timers, no clock.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

from floyd.errors import VendorError
from floyd.mulaw import LOUDNESS
from relay.core.events import EarLost, EarRestored, FinalHeard, InterimHeard
from relay.ears import Heard, Recogniser, Result, Sound

logger = logging.getLogger(__name__)

CHUNK_MS = 40
"""Sound per message: half the remote calls of 20 ms at half a frame's mean delay; 100 ms costs a turn 58 ms more."""
KEPT_MS = 10_000  # sound kept for the next stream when no final covers it, and for a stream that does not take it
REPLAYED_MS = 6000
"""Most sound that a new stream is given again; the rest of what is kept is for the time that it takes to open."""
PREROLL_MS = 300
"""Repeated before the first voice that has no final yet: word onsets are softer than what a detector calls voice."""
WAKE_MS = 3000  # given to the recogniser after a rest: who says that it was no music any more needs some time to say so
UNSURE = 0.5  # confidence in words that the recogniser has not made final
HAND_OVER = (0.76, 0.9, 0.95)
"""Shares of a stream's life after which it is handed over: in the first pause, at the first dip between two words, and
anywhere. 228, 270 and 285 s of Google's 300."""
DIP_CHUNKS = 25  # a dip is the quietest chunk of a second, most often between two words
LAST_WORDS_MS = 1500  # how long the successor waits for the last results of the stream before it
DEAF_MS = (3000, 1500, 6000, 12_000, 24_000, 60_000)
"""Voice without any result for so long is suspect, the first time and each further time. First the sound is given to a
new stream. If that one hears nothing either, it is handed over: a recogniser that ends its stream properly is well,
and what the detector takes for voice is music."""
UNANSWERED_MS, ANSWER_MS = 400, 1000
"""The same for so much voice and then so much quiet: interim words come while somebody speaks, or just after."""
NOISES = 2  # after so many of these that were in vain, short noises are noises: coughs, our own echo
LOST_MS = 2500  # without a working stream for so long the callee is told that we cannot hear
PROVEN_MS = 3000  # a stream that took so much sound, or gave a result, was a good one: what follows it begins at once
BACKOFF_MS = (0, 100, 200, 400, 800, 1600, 2000)


@dataclass(eq=False, slots=True)
class _Stream:
    """One stream of the recogniser, which is sent the chunks from `next` up to `until`."""

    next: int
    base_ms: int  # position of its first sound; later by what was dropped before it could be sent
    opened_ms: int
    until: int | None = None
    sent_ms: int = 0
    voiced_ms: int = 0
    answered: bool = False
    held: list[Result] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class EndlessEars:
    """One party's ears. Positions are counted in the sound given to `hear`; chunk `i` covers `i * CHUNK_MS` onwards."""

    def __init__(self, recogniser: Recogniser, report: Callable[[Heard], None], *, sound: Sound, language: str) -> None:
        """`report` is called on the event loop, with times in milliseconds since the first sound."""
        self._recogniser = recogniser
        self._report = report
        self._sound = sound
        self._language = language
        self._hand_over_ms = [round(1000 * share * recogniser.lifetime_s) for share in HAND_OVER]
        self._chunk_bytes = CHUNK_MS * sound.bytes_per_ms
        self._partial = b""
        self._partial_voiced = False
        self._chunks: deque[bytes] = deque()  # kept for the next stream
        self._newest: deque[bytes] = deque(maxlen=DIP_CHUNKS)
        self._first = self._end = 0  # indexes of the oldest chunk kept, and one beyond the newest
        self._now_ms = 0  # where that one begins
        self._streams: list[_Stream] = []  # during a hand-over two, the old one first
        self._tasks: set[asyncio.Task[None]] = set()
        self._finished = False
        self._all_heard = asyncio.Event()
        self._final_ms = 0  # the end of the last final
        self._interims: deque[tuple[int, str]] = deque()  # since then: (end, text), as far back as sound is kept
        self._voice_ms: int | None = None  # first voice that no final covers
        self._last_voice_ms = 0
        self._unanswered_ms = 0
        self._vain = 0
        self._failures = 0
        self._failing_since: int | None = None
        self._retry_ms = 0
        self._lost = False
        self._resting = False
        self.sent_ms = self.dropped_ms = self.rotations = 0
        """For the bill: sound sent to the vendor, silence and repetitions included, and what was never sent."""
        self._open(0)

    def hear(self, audio: bytes, *, voiced: bool) -> None:
        """Take sound, in order and without holes; what the vendor does not take in time is dropped, oldest first.

        `voiced` is our own detector's opinion: voice without words for long means that the recogniser has gone deaf.
        """
        self._partial += audio
        self._partial_voiced |= voiced
        while len(self._partial) >= self._chunk_bytes:
            chunk, self._partial = self._partial[: self._chunk_bytes], self._partial[self._chunk_bytes :]
            self._keep(chunk, self._partial_voiced)
            self._partial_voiced = voiced

    def rest(self) -> None:
        """Let go of the recogniser while nothing is worth its price, such as music; sound is still to be given."""
        self._settle_interim()
        self._resting, self._voice_ms, self._unanswered_ms = True, None, 0
        self._drop_streams()

    def wake(self) -> None:
        """Recognise again, beginning with the last three seconds."""
        if self._resting:
            self._resting = False
            self._open(max(self._first, self._end - WAKE_MS // CHUNK_MS, -(-self._final_ms // CHUNK_MS)))

    async def finish(self) -> None:
        """No more sound will come: return when all of it has been recognised and reported."""
        if self._partial:
            self._keep(self._partial, voiced=False)
            self._partial = b""
        self._finished = True
        if not self._streams:
            self._open(self._resume_at())
        for stream in self._streams:
            stream.more.set()
        await self._all_heard.wait()

    async def close(self) -> None:
        """Stop at once; nothing is reported afterwards."""
        self._drop_streams()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def doubtful(self) -> bool:
        """A voice brought no words, and was given to a second stream: noise, or a deaf recogniser. Once that has been
        reported there is no doubt any more."""
        return self._vain > 0 and not self._lost

    # Sound

    def _keep(self, chunk: bytes, voiced: bool) -> None:
        if voiced:
            self._voice_ms = self._now_ms if self._voice_ms is None else self._voice_ms
            self._last_voice_ms = self._now_ms + CHUNK_MS
            self._unanswered_ms += CHUNK_MS
            for stream in self._streams:
                stream.voiced_ms += CHUNK_MS
        self._chunks.append(chunk)
        self._newest.append(chunk)
        self._end += 1
        self._now_ms += CHUNK_MS
        if len(self._chunks) * CHUNK_MS > KEPT_MS:
            self._chunks.popleft()
            self._first += 1
            for stream in self._streams:
                if stream.next < self._first:
                    stream.next = self._first
                    stream.base_ms += CHUNK_MS
                    self.dropped_ms += CHUNK_MS
        for stream in self._streams:
            stream.more.set()
        self._tend(voiced)

    async def _chunks_for(self, stream: _Stream) -> AsyncIterator[bytes]:
        """What a stream is to be sent; ends when it has to answer what is left."""
        while stream in self._streams:
            while stream in self._streams and stream.next < (self._end if stream.until is None else stream.until):
                chunk = self._chunks[stream.next - self._first]
                stream.next += 1
                stream.sent_ms += CHUNK_MS
                self.sent_ms += CHUNK_MS
                yield chunk
            if stream.until is not None or self._finished:
                return
            stream.more.clear()
            await stream.more.wait()

    # Streams

    def _tend(self, voiced: bool) -> None:
        """Judge the streams, at each chunk."""
        if self._resting:
            return
        if not self._streams:
            if self._now_ms >= self._retry_ms:
                self._open(self._resume_at())
        elif len(self._streams) > 1:
            if self._now_ms - self._streams[1].opened_ms > LAST_WORDS_MS:
                self._restart(self._streams[0], "no last words", deaf=True)
        elif self._seems_deaf(self._streams[0]):
            self._vain += 1
            if self._vain == 1:
                self._restart(self._streams[0], "no answer to voice", deaf=True)
            else:
                self._hand_over()
        elif self._grows_old(self._now_ms - self._streams[0].opened_ms, voiced):
            self._hand_over()

    def _seems_deaf(self, stream: _Stream) -> bool:
        quiet_ms = self._now_ms - max(self._last_voice_ms, stream.opened_ms)
        unanswered = self._unanswered_ms >= UNANSWERED_MS and quiet_ms >= ANSWER_MS
        return (unanswered and self._vain < NOISES) or stream.voiced_ms > DEAF_MS[min(self._vain, len(DEAF_MS) - 1)]

    def _grows_old(self, age_ms: int, voiced: bool) -> bool:
        in_pause, in_dip, anywhere = self._hand_over_ms
        return (age_ms > in_pause and not voiced) or (age_ms > in_dip and self._dips()) or age_ms > anywhere

    def _dips(self) -> bool:
        *before, newest = (sum(chunk.translate(LOUDNESS)) for chunk in self._newest)
        return newest <= min(before, default=newest)

    def _hand_over(self) -> None:
        self.rotations += 1
        self._unanswered_ms = 0
        self._streams[0].until = self._end
        self._streams[0].more.set()
        self._open(self._end)

    def _open(self, start: int) -> None:
        stream = _Stream(next=start, base_ms=start * CHUNK_MS, opened_ms=self._now_ms)
        self._streams.append(stream)
        stream.task = asyncio.get_running_loop().create_task(self._run(stream))
        self._tasks.add(stream.task)
        stream.task.add_done_callback(self._tasks.discard)

    async def _run(self, stream: _Stream) -> None:
        chunks, report = self._chunks_for(stream), partial(self._take, stream)
        try:
            await self._recogniser.recognise(chunks, sound=self._sound, language=self._language, report=report)
            why = "the stream ended of itself"
            last = stream.until or (self._end if self._finished else None)
            if stream in self._streams[:1] and stream.next == last:
                self._leave(stream)
        except VendorError as error:
            why = str(error)
        except Exception as error:  # a fault of ours must not leave us deaf for the rest of the call
            logger.exception("a recogniser's stream failed")
            why = type(error).__name__
        if stream in self._streams:
            self._restart(stream, why)

    def _leave(self, stream: _Stream) -> None:
        """A stream has answered all its sound."""
        self._settle_interim()
        self._failing_since = None
        self._streams.remove(stream)
        if not self._streams:
            self._all_heard.set()
            return
        successor = self._streams[0]
        held, successor.held = successor.held, []
        for result in held:
            self._tell(successor, result)

    def _restart(self, stream: _Stream, why: str, *, deaf: bool = False) -> None:
        """Streams are lost; another begins at once after a good one, else after a growing pause."""
        self._drop_streams()
        self.rotations += 1
        if (stream.answered or stream.sent_ms >= PROVEN_MS) and not deaf:
            self._failures, self._failing_since = 0, None
        elif self._failing_since is None:
            self._failing_since = self._now_ms if deaf else stream.opened_ms
        if self._failing_since is not None and self._now_ms - self._failing_since >= LOST_MS and not self._lost:
            self._lost = True
            self._report(EarLost(why))
        if self._finished and self._failures:
            self._all_heard.set()  # no more sound comes by which to count a pause
            return
        self._retry_ms = self._now_ms + BACKOFF_MS[min(self._failures, len(BACKOFF_MS) - 1)]
        self._failures += 1
        if self._retry_ms <= self._now_ms:
            self._open(self._resume_at())

    def _drop_streams(self) -> None:
        dropped, self._streams = self._streams, []
        for stream in dropped:
            stream.more.set()
            if stream.task and stream.task is not asyncio.current_task():
                stream.task.cancel()

    def _resume_at(self) -> int:
        """The first sound that no final covers and that may hold words."""
        self._settle_older()
        from_ms = self._now_ms if self._voice_ms is None else self._voice_ms - PREROLL_MS
        return max(self._first, self._final_ms // CHUNK_MS, from_ms // CHUNK_MS)

    def _settle_older(self) -> None:
        """Words too long ago to be heard again stand as they were last understood.

        They end where an interim ended that still holds, so that the next stream begins between two words.
        """
        oldest_ms = self._now_ms - REPLAYED_MS
        if not self._interims or self._start_ms() >= oldest_ms:
            return
        newest = self._interims[-1][1].split()
        for end_ms, text in self._interims:
            words = text.split()
            if end_ms >= oldest_ms and words == newest[: len(words)]:
                self._settle(text, UNSURE, -(-end_ms // CHUNK_MS) * CHUNK_MS)
                return

    # Results

    def _take(self, stream: _Stream, result: Result) -> None:
        if stream not in self._streams:
            return
        stream.answered = True
        stream.voiced_ms = self._unanswered_ms = self._vain = self._failures = 0
        self._failing_since = None
        if self._lost:
            self._lost = False
            self._report(EarRestored())
        if stream is self._streams[0]:
            self._tell(stream, result)
        else:
            stream.held.append(result)

    def _tell(self, stream: _Stream, result: Result) -> None:
        heard_ms = (self._end if stream.until is None else stream.until) * CHUNK_MS
        end_ms = min(stream.base_ms + result.end_ms, heard_ms) if result.end_ms else heard_ms
        if result.final:
            if end_ms > self._final_ms:
                self._settle(result.text, result.sureness, end_ms)
        elif result.text:
            if not self._interims or self._interims[-1][1] != result.text:
                self._interims.append((end_ms, result.text))
            while len(self._interims) > 1 and self._interims[0][0] < self._first * CHUNK_MS:
                self._interims.popleft()
            self._report(InterimHeard(result.text, result.sureness, min(self._start_ms(), end_ms), end_ms))

    def _settle_interim(self) -> None:
        """Words that will not be made final any more stand as they are."""
        if self._interims:
            end_ms, text = self._interims[-1]
            self._settle(text, UNSURE, end_ms)

    def _settle(self, text: str, sureness: float, end_ms: int) -> None:
        """The words up to here are final, and their sound is not needed any more."""
        start_ms = min(self._start_ms(), end_ms)
        self._final_ms = end_ms
        self._interims.clear()
        self._voice_ms = None if self._last_voice_ms <= end_ms + PREROLL_MS else end_ms
        sent = min((stream.next for stream in self._streams), default=self._end)
        while self._chunks and self._first < min(end_ms // CHUNK_MS, sent):
            self._chunks.popleft()
            self._first += 1
        if text:
            self._report(FinalHeard(text, sureness, start_ms, end_ms))

    def _start_ms(self) -> int:
        """Vendors give ends only; the beginning is the first voice after the last final that the stream has heard."""
        return max(self._final_ms, self._voice_ms or 0, *(stream.base_ms for stream in self._streams[:1]))
