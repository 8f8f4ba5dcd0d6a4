"""Carries out what the conversation wants said: finds or synthesises each segment's sound, queues it for play-out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass

from floyd.errors import VendorError
from floyd.lines import FILLERS
from relay.core import dtmf
from relay.core.events import SegmentFailed
from relay.media_stream import SILENCE
from relay.pacer import Pacer, Playout
from relay.voice import Voice

SIDE_BY_SIDE = 3
"""Segments synthesised at once in one call: the one being heard and the next two, so that no pause comes between."""
COVER_S = 0.9
"""A voice that lets the callee wait for so long is covered by a stock line: with the turn gap before it, 1.5 s."""
KEPT_CHARACTERS = 32
"""Clauses up to this length ("Thank you.") come again and again: their sound is kept, 2 s of it at most."""


@dataclass(slots=True, eq=False)
class _Job:
    """One synthesis; until `segment_id` is known its sound waits."""

    text: str
    segment_id: str | None = None
    sound: bytes = b""
    first_at: float | None = None
    finished: bool = False
    failed: str | None = None


class Mouth:
    """One call's mouth. `rendered` holds sound by its text: lines synthesised before the call, and short clauses that
    came up in any."""

    def __init__(
        self,
        *,
        voice: Voice,
        playout: Playout,
        pacer: Pacer,
        rendered: MutableMapping[str, bytes],
        report: Callable[[SegmentFailed], None],
        first_sound: Callable[[str, float], None],
    ) -> None:
        """`first_sound` is told when a segment's sound began to be there, on the loop's clock."""
        self._voice = voice
        self._playout = playout
        self._pacer = pacer
        self._rendered = rendered
        self._report = report
        self._first_sound = first_sound
        self._loop = asyncio.get_running_loop()
        self._turnstile = asyncio.Semaphore(SIDE_BY_SIDE)
        self._tasks: dict[asyncio.Task[None], _Job] = {}
        self._prepared: _Job | None = None
        self._covered = 0
        self.characters = 0
        """Synthesised so far in this call, for the bill."""

    def prepare(self, text: str) -> None:
        """Have the sound of what may be said next; in place of what was prepared before."""
        self._forget_prepared()
        if text not in self._rendered:
            self._prepared = self._start(_Job(text))

    def speak(self, segment_id: str, text: str) -> None:
        job = self._prepared
        self._playout.begin(segment_id)
        if (sound := self._rendered.get(text)) is not None:
            self._queue_all(segment_id, sound)
        elif job and job.text == text and job.failed is None:
            self._prepared = None
            job.segment_id = segment_id
            if job.first_at is not None:
                self._first_sound(segment_id, job.first_at)
            self._hand_on(job, job.sound)
            self._loop.call_later(COVER_S, self._cover, job)
        else:
            self._loop.call_later(COVER_S, self._cover, self._start(_Job(text, segment_id)))

    def press(self, segment_id: str, digits: str) -> None:
        self._playout.begin(segment_id)
        self._queue_all(segment_id, dtmf.render(digits))

    def pause(self, now: float) -> None:
        self._playout.pause(now)

    def resume(self) -> None:
        self._playout.resume()
        self._pacer.wake(self._playout)

    def cancel(self) -> None:
        """Abandon every segment whose mark is not yet sent; no frame of theirs leaves after this."""
        self._playout.cancel()
        for task, job in self._tasks.items():
            if job is not self._prepared:
                task.cancel()

    async def close(self) -> None:
        self._forget_prepared()
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _forget_prepared(self) -> None:
        job, self._prepared = self._prepared, None
        for task, other in self._tasks.items():
            if other is job:
                task.cancel()

    def _queue_all(self, segment_id: str, sound: bytes) -> None:
        self._first_sound(segment_id, self._loop.time())
        self._playout.add(segment_id, sound)
        self._playout.complete(segment_id)
        self._pacer.wake(self._playout)

    def _start(self, job: _Job) -> _Job:
        task = self._loop.create_task(self._synthesize(job))
        self._tasks[task] = job
        task.add_done_callback(self._tasks.pop)
        return job

    def _hand_on(self, job: _Job, sound: bytes) -> None:
        if job.segment_id is None:
            return
        self._playout.add(job.segment_id, sound)
        if job.finished:
            self._playout.complete(job.segment_id)
        self._pacer.wake(self._playout)

    def _cover(self, job: _Job) -> None:
        """The callee hears nothing, and this segment should be what they hear. What covers it is no words of ours: it
        is neither in the record nor in the model's history."""
        sound = self._rendered.get(FILLERS[self._covered % len(FILLERS)])
        if sound and job.first_at is None and job.segment_id and self._playout.awaits(job.segment_id):
            self._covered += 1
            self._playout.add(job.segment_id, sound + SILENCE * 15)
            self._pacer.wake(self._playout)

    async def _synthesize(self, job: _Job) -> None:
        """A segment that fails before its first sound is tried once more; one that breaks off is not said again."""
        async with self._turnstile:
            for last_try in (False, True):
                self.characters += len(job.text)
                try:
                    async with aclosing(self._voice.speak(job.text)) as sounds:
                        async for sound in sounds:
                            if job.first_at is None:
                                job.first_at = self._loop.time()
                                if job.segment_id:
                                    self._first_sound(job.segment_id, job.first_at)
                            if job.segment_id is None or len(job.text) <= KEPT_CHARACTERS:
                                job.sound += sound
                            self._hand_on(job, sound)
                    if job.first_at is None:
                        raise VendorError("voice", "no sound at all", retryable=True)
                except VendorError as error:
                    if error.retryable and job.first_at is None and not last_try:
                        continue
                    job.failed = str(error)
                    if job.segment_id:
                        self._playout.drop(job.segment_id)
                        # Before the next segment begins: it may not be wanted any more.
                        self._report(SegmentFailed(job.segment_id, job.failed))
                        self._pacer.wake(self._playout)
                    return
                job.finished = True
                if len(job.text) <= KEPT_CHARACTERS:
                    self._rendered[job.text] = job.sound
                self._hand_on(job, b"")
                return
