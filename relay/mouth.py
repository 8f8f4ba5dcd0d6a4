"""Carries out what the conversation wants said: finds or synthesises each segment's sound, queues it for play-out."""

import asyncio
import logging
from collections.abc import Callable, Iterable, MutableMapping
from contextlib import aclosing
from dataclasses import dataclass

from google.api_core.exceptions import GoogleAPIError

from floyd import lines
from floyd.errors import VendorError
from floyd.mulaw import SILENT_FRAME
from floyd.store import Store
from relay.core import dtmf
from relay.core.events import SegmentFailed
from relay.pacer import Pacer, Playout, Segment
from relay.voice import Voice

logger = logging.getLogger(__name__)

SIDE_BY_SIDE = 3
"""Segments synthesised at once in one call: the one being heard and the next two, so that no pause comes between."""
COVER_S = 0.9
"""A voice that lets the callee wait for so long is covered by a stock line: with the turn gap before it, 1.5 s."""
KEPT_CHARACTERS = 32
"""Clauses up to this length ("Thank you.") come again and again: their sound is kept, 2 s of it at most."""

KEPT = 1024
"""Lines kept in memory over all calls, some 20 kB each: the stock lines of one voice, and a dozen more for each call
that a relay holds."""


class RenderedLines(dict[str, bytes]):
    """Mu-law by its text, in one voice. Forgets the oldest."""

    def __init__(self, store: Store, voice: str) -> None:
        super().__init__()
        self._store = store
        self._voice = voice

    def __setitem__(self, text: str, sound: bytes) -> None:
        self.pop(text, None)
        super().__setitem__(text, sound)
        while len(self) > KEPT:
            del self[next(iter(self))]

    async def load(self, texts: Iterable[str]) -> bool:
        """Read those of the lines that are prepared; the others will be synthesised when needed. False when lines are
        missing that may yet be prepared: planning goes on while the phone rings."""
        wanted = tuple(texts)
        missing = {lines.speech_name(self._voice, text): text for text in wanted if text not in self}
        found = {text: self[text] for text in wanted if text in self}
        if missing:
            try:
                spoken = await self._store.spoken(list(missing))
                found |= {missing[digest]: speech.audio for digest, speech in spoken.items()}
            except GoogleAPIError as error:
                logger.warning("prepared lines could not be read: %s", type(error).__name__)
        for text, sound in found.items():
            self[text] = sound
        return found.keys() >= set(wanted)


@dataclass(slots=True, eq=False)
class _Synthesis:
    """A segment on its way from the voice; perhaps one that nobody has decided yet to say."""

    text: str
    segment: Segment
    task: asyncio.Task[None] | None = None
    failed: bool = False


@dataclass(eq=False)
class Mouth:
    """One call's mouth."""

    voice: Voice
    playout: Playout
    pacer: Pacer
    rendered: MutableMapping[str, bytes]  # sound by its text; short clauses are added
    report: Callable[[SegmentFailed], None]

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._turnstile = asyncio.Semaphore(SIDE_BY_SIDE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._prepared: _Synthesis | None = None
        self._covered = 0
        self.characters = 0  # synthesised so far in this call, for the bill

    def prepare(self, text: str) -> None:
        """Have the sound of what may be said next; in place of what was prepared before."""
        self._forget_prepared()
        if text not in self.rendered:
            self._prepared = self._start(text)

    def speak(self, segment_id: str, text: str) -> None:
        if (sound := self.rendered.get(text)) is not None:
            self._say(segment_id, sound)
            return
        work = self._prepared
        if work and work.text == text and not work.failed:
            self._prepared = None
        else:
            work = self._start(text)
        work.segment.segment_id = segment_id
        self._queue(work.segment)
        self._loop.call_later(COVER_S, self._cover, work.segment)

    def press(self, segment_id: str, digits: str) -> None:
        self._say(segment_id, dtmf.render(digits))

    def cancel(self) -> None:
        """Abandon every segment whose mark is not yet sent; no frame of theirs leaves after this."""
        self.playout.cancel()
        for task in self._tasks - {self._prepared and self._prepared.task}:
            task.cancel()

    async def close(self) -> None:
        self._forget_prepared()
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _say(self, segment_id: str, sound: bytes) -> None:
        segment = Segment(segment_id, bytearray(sound))
        segment.end()
        self._queue(segment)

    def _queue(self, segment: Segment) -> None:
        self.playout.queue(segment)
        self.pacer.wake(self.playout)

    def _forget_prepared(self) -> None:
        work, self._prepared = self._prepared, None
        if work and work.task:
            work.task.cancel()

    def _start(self, text: str) -> _Synthesis:
        work = _Synthesis(text, Segment())
        work.task = self._loop.create_task(self._synthesize(work))
        self._tasks.add(work.task)
        work.task.add_done_callback(self._tasks.discard)
        return work

    def _cover(self, segment: Segment) -> None:
        """The callee hears nothing, and this segment should be what they hear. What covers it is no words of ours: it
        is neither in the record nor in the model's history."""
        sound = self.rendered.get(lines.FILLERS[self._covered % len(lines.FILLERS)])
        if sound and self.playout.awaits(segment):
            self._covered += 1
            segment.sound += sound + SILENT_FRAME * 15
            self.pacer.wake(self.playout)

    async def _synthesize(self, work: _Synthesis) -> None:
        """A segment that fails before its first sound is tried once more; one that breaks off is not said again."""
        segment, began = work.segment, 0
        async with self._turnstile:
            for last_try in (False, True):
                self.characters += len(work.text)
                try:
                    async with aclosing(self.voice.speak(work.text)) as sounds:
                        async for sound in sounds:
                            if segment.first_at is None:
                                segment.first_at, began = self._loop.time(), len(segment.sound)
                            segment.sound += sound
                            self.pacer.wake(self.playout)
                    if segment.first_at is None:
                        raise VendorError("voice", "no sound at all", retryable=True)
                except VendorError as error:
                    if error.retryable and segment.first_at is None and not last_try:
                        continue
                    work.failed = True
                    if segment.segment_id:
                        self.playout.drop(segment)
                        # Before the next segment begins: it may not be wanted any more.
                        self.report(SegmentFailed(segment.segment_id, str(error)))
                        self.pacer.wake(self.playout)
                    return
                segment.end()
                if len(work.text) <= KEPT_CHARACTERS:
                    self.rendered[work.text] = bytes(segment.sound[began:])
                self.pacer.wake(self.playout)
                return
