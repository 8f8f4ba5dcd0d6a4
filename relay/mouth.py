"""Carries out what the conversation wants said: finds or synthesises each segment's sound, queues it for play-out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing

from floyd.errors import VendorError
from relay.core import dtmf
from relay.core.events import SegmentFailed
from relay.pacer import Pacer, Playout
from relay.voice import Voice

SIDE_BY_SIDE = 3
"""Segments synthesised at once in one call: the one being heard and the next two, so that no pause comes between."""


class Mouth:
    """One call's mouth. `rendered` holds the sound of lines that were synthesised before the call, by their text."""

    def __init__(
        self,
        *,
        voice: Voice,
        playout: Playout,
        pacer: Pacer,
        rendered: Mapping[str, bytes],
        report: Callable[[SegmentFailed], None],
        first_sound: Callable[[str], None],
    ) -> None:
        self._voice = voice
        self._playout = playout
        self._pacer = pacer
        self._rendered = rendered
        self._report = report
        self._first_sound = first_sound
        self._turnstile = asyncio.Semaphore(SIDE_BY_SIDE)
        self._tasks: set[asyncio.Task[None]] = set()
        self.characters = 0
        """Synthesised so far in this call, for the bill."""

    def speak(self, segment_id: str, text: str) -> None:
        sound = self._rendered.get(text)
        self._playout.begin(segment_id)
        if sound is not None:
            self._queue_all(segment_id, sound)
            return
        task = asyncio.get_running_loop().create_task(self._synthesize(segment_id, text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def press(self, segment_id: str, digits: str) -> None:
        self._playout.begin(segment_id)
        self._queue_all(segment_id, dtmf.render(digits))

    def cancel(self) -> None:
        """Abandon every segment whose mark is not yet sent; no frame of theirs leaves after this."""
        self._playout.cancel()
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _queue_all(self, segment_id: str, sound: bytes) -> None:
        self._first_sound(segment_id)
        self._playout.add(segment_id, sound)
        self._playout.complete(segment_id)
        self._pacer.wake(self._playout)

    async def _synthesize(self, segment_id: str, text: str) -> None:
        """A segment that fails before its first sound is tried once more; one that breaks off is not said again."""
        async with self._turnstile:
            for last_try in (False, True):
                started = False
                self.characters += len(text)
                try:
                    async with aclosing(self._voice.speak(text)) as sounds:
                        async for sound in sounds:
                            if not started:
                                started = True
                                self._first_sound(segment_id)
                            self._playout.add(segment_id, sound)
                            self._pacer.wake(self._playout)
                    if not started:
                        raise VendorError("voice", "no sound at all", retryable=True)
                except VendorError as error:
                    if error.retryable and not started and not last_try:
                        continue
                    self._playout.drop(segment_id)
                    # Before the next segment begins: it may not be wanted any more.
                    self._report(SegmentFailed(segment_id, str(error)))
                    self._pacer.wake(self._playout)
                    return
                self._playout.complete(segment_id)
                self._pacer.wake(self._playout)
                return
