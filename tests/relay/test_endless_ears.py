"""Ears on a recogniser in memory that is as unkind as a vendor: words, whatever becomes of its streams."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floyd.errors import VendorError
from relay.core.events import EarLost, EarRestored, Event, FinalHeard, InterimHeard
from relay.ears import Result, Sound
from relay.endless_ears import CHUNK_MS, KEPT_MS, LAST_WORDS_MS, LOST_MS, EndlessEars

WORD_CHUNKS = 6
"""A word and the dip after it: 240 ms."""
DIP = b"\xff" * (8 * CHUNK_MS)


def sound_of(words: int, first: int = 0) -> list[bytes]:
    """Unbroken speech: each chunk holds the number of its word and its place in it; the last is a dip."""
    chunks = []
    for number in range(first, first + words):
        chunks += [f"{number} {place}".encode().ljust(8 * CHUNK_MS, b"\x00") for place in range(WORD_CHUNKS - 1)]
        chunks.append(DIP)
    return chunks


def said(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last)]


class Vendor:
    """Hears a word when it got all its chunks in order; of a part it makes a word that nobody said.

    `finals`: whether a stream tells finals before its end. `fails`: for stream `n`, after how many chunks it breaks.
    `deaf`: streams that answer nothing, and do not end either if `hangs`.
    """

    def __init__(self, *, finals: bool = False, lifetime_s: float = 300.0) -> None:
        self.lifetime_s = lifetime_s
        self.finals = finals
        self.fails: Callable[[int], int | None] = lambda stream: None
        self.deaf: Callable[[int], bool] = lambda stream: False
        self.hangs = True
        self.streams = 0
        self.most_sent_ms = 0

    async def recognise(
        self, chunks: AsyncIterator[bytes], *, sound: Sound, language: str, report: Callable[[Result], None]
    ) -> None:
        number, self.streams = self.streams, self.streams + 1
        words: list[str] = []
        parts: list[bytes] = []
        at_ms = 0
        breaks_after = self.fails(number)

        def tell(final: bool) -> None:
            if words and not self.deaf(number):
                report(Result(" ".join(words), final, 0.9, at_ms))

        if breaks_after == 0:
            raise VendorError("recogniser", "UNAVAILABLE", retryable=True, code="UNAVAILABLE")
        async for chunk in chunks:
            at_ms += CHUNK_MS
            self.most_sent_ms = max(self.most_sent_ms, at_ms)
            if at_ms > 1000 * self.lifetime_s or at_ms == CHUNK_MS * (breaks_after or -1):
                raise VendorError("recogniser", "ABORTED", retryable=True, code="ABORTED")
            if chunk != DIP:
                parts.append(chunk)
                continue
            if parts:
                words.append(self._word(parts))
                parts = []
                tell(final=False)
            elif self.finals and words:
                tell(final=True)
                words = []
        if parts:
            words.append(self._word(parts))
        if self.deaf(number) and self.hangs:
            await asyncio.Event().wait()
        tell(final=True)

    def warm(self) -> None: ...

    @staticmethod
    def _word(parts: list[bytes]) -> str:
        spelt = [part.rstrip(b"\x00").decode().split() for part in parts]
        whole = [place for _, place in spelt] == [str(place) for place in range(WORD_CHUNKS - 1)]
        return spelt[0][0] if whole and len({number for number, _ in spelt}) == 1 else f"part-of-{spelt[0][0]}"


class Call:
    """Sound in, events out; the loop runs as often as it takes between two chunks."""

    def __init__(self, vendor: Vendor) -> None:
        self.events: list[Event] = []
        self.ears = EndlessEars(vendor, self.events.append, sound=Sound.PHONE, language="en-US")

    async def hear(self, chunks: list[bytes], *, voiced: bool = True) -> None:
        for chunk in chunks:
            self.ears.hear(chunk, voiced=voiced)
            await self.settle()

    @staticmethod
    async def settle() -> None:
        for _ in range(4):
            await asyncio.sleep(0)

    async def end(self) -> None:
        async with asyncio.timeout(10):
            await self.ears.finish()
        await self.ears.close()

    def words(self) -> list[str]:
        return " ".join(event.text for event in self.events if isinstance(event, FinalHeard)).split()

    def kinds(self) -> list[type]:
        return [type(event) for event in self.events if isinstance(event, EarLost | EarRestored)]


async def test_half_an_hour_without_a_pause_or_a_final_costs_no_word() -> None:
    """Fails if the vendor's limit on a stream's life lost or doubled words of somebody who never pauses."""
    vendor = Vendor()
    call = Call(vendor)
    words = 30 * 60 * 1000 // (WORD_CHUNKS * CHUNK_MS)
    await call.hear(sound_of(words))
    await call.end()
    assert call.words() == said(0, words)
    assert vendor.streams == 7
    assert vendor.most_sent_ms < 300_000
    assert call.ears.sent_ms == pytest.approx(30 * 60_000, abs=1000)
    assert not call.kinds()


@settings(max_examples=60, deadline=None, print_blob=True)
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([0.02, 0.1, 0.5]))
def test_streams_may_break_anywhere(seed: int, finals: bool, trouble: float) -> None:
    """Fails if a stream that breaks, at any point, also while it is handed over, lost or doubled words."""
    dice = random.Random(seed)

    async def talk() -> None:
        vendor = Vendor(finals=finals, lifetime_s=30.0)
        vendor.fails = lambda stream: dice.randrange(400) if dice.random() < trouble else None
        call = Call(vendor)
        number = 0
        while number < 500:
            size = dice.randrange(1, 60)
            await call.hear(sound_of(size, number))
            await call.hear([DIP] * dice.randrange(12), voiced=False)
            number += size
        vendor.fails = lambda stream: None
        await call.hear([DIP] * 75, voiced=False)
        await call.end()
        assert call.words() == said(0, number)
        spans = [(event.start_ms, event.end_ms) for event in call.events if isinstance(event, FinalHeard)]
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))

    asyncio.run(talk())


async def test_a_stream_that_hangs_is_replaced_and_what_it_missed_is_heard() -> None:
    """Fails if a silently dead stream left us deaf for longer than a few seconds, or alarmed the callee for nothing."""
    vendor = Vendor()
    vendor.deaf = lambda stream: stream == 0
    call = Call(vendor)
    await call.hear(sound_of(20))
    assert any(isinstance(event, InterimHeard) for event in call.events)
    await call.end()
    assert call.words() == said(0, 20)
    assert vendor.streams == 2
    assert not call.kinds()


async def test_a_short_answer_into_a_dead_stream_is_heard_soon() -> None:
    """Fails if a callee who said one sentence and waits heard nothing for longer than a slow answer takes."""
    vendor = Vendor()
    vendor.deaf = lambda stream: stream == 0
    call = Call(vendor)
    await call.hear([DIP] * 100, voiced=False)
    await call.hear(sound_of(4))
    await call.hear([DIP] * (1200 // CHUNK_MS), voiced=False)
    assert [event.text for event in call.events if isinstance(event, InterimHeard)][-1:] == ["0 1 2 3"]
    await call.end()
    assert call.words() == said(0, 4)


async def test_a_cough_is_not_a_dead_stream() -> None:
    """Fails if noises without words made us tell the callee that we cannot hear, or open stream after stream."""
    vendor = Vendor()
    call = Call(vendor)
    for _ in range(10):
        await call.hear([DIP] * 15)
        await call.hear([DIP] * 100, voiced=False)
    assert not call.kinds()
    assert vendor.streams == 3
    await call.hear(sound_of(4))
    await call.end()
    assert call.words() == said(0, 4)


async def test_one_sentence_to_a_recogniser_that_stays_deaf_is_answered_for() -> None:
    """Fails if a callee who waits for an answer were never told that nobody can hear them."""
    vendor = Vendor()
    vendor.deaf = lambda stream: True
    call = Call(vendor)
    await call.hear(sound_of(4))
    await call.hear([DIP] * (4000 // CHUNK_MS), voiced=False)
    assert call.kinds() == [EarLost]


async def test_a_recogniser_that_stays_deaf_is_reported_once_and_so_is_its_return() -> None:
    """Fails if a callee talked to nobody without being told, or were told again and again."""
    vendor = Vendor()
    vendor.deaf = lambda stream: True
    call = Call(vendor)
    await call.hear(sound_of(7 * 1000 // (WORD_CHUNKS * CHUNK_MS)))
    assert call.kinds() == [EarLost]
    await call.hear(sound_of(60, 100))
    vendor.deaf = lambda stream: False
    await call.hear(sound_of(60, 200))
    await call.end()
    assert call.kinds() == [EarLost, EarRestored]
    assert call.words()[-60:] == said(200, 260)


async def test_music_does_not_count_as_a_deaf_recogniser() -> None:
    """Fails if somebody who puts us on hold were told that we cannot hear them."""
    vendor = Vendor()
    vendor.deaf, vendor.hangs = lambda stream: True, False
    call = Call(vendor)
    await call.hear(sound_of(500))
    assert not call.kinds()
    assert vendor.streams < 10


async def test_a_service_that_is_away_is_reported_and_not_stormed() -> None:
    """Fails if an outage of the vendor went unnoticed, or we made it worse."""
    vendor = Vendor()
    vendor.fails = lambda stream: 0
    call = Call(vendor)
    await call.hear([DIP] * (LOST_MS // CHUNK_MS + 50), voiced=False)
    assert call.kinds() == [EarLost]
    assert vendor.streams < 10
    vendor.fails = lambda stream: None
    await call.hear(sound_of(20))
    await call.end()
    assert call.kinds() == [EarLost, EarRestored]
    assert call.words() == said(0, 20)


async def test_a_stream_that_takes_nothing_keeps_the_newest_sound_only() -> None:
    """Fails if a vendor that does not read made our memory grow, or had us answer what was said a minute ago."""

    class Stalled(Vendor):
        async def recognise(self, chunks: AsyncIterator[bytes], **_: object) -> None:
            await asyncio.Event().wait()

    call = Call(Stalled())
    call.ears.hear(DIP * (60_000 // CHUNK_MS), voiced=False)
    assert call.ears.dropped_ms == 60_000 - KEPT_MS
    await call.ears.close()


async def test_the_last_words_of_a_stream_are_waited_for_but_not_for_long() -> None:
    """Fails if a stream that never ends held back what its successor hears."""
    vendor = Vendor(lifetime_s=10.0)
    vendor.deaf = lambda stream: stream == 0
    call = Call(vendor)
    await call.hear([DIP] * 200, voiced=False)  # handed over after 7.6 s
    await call.hear(sound_of(4))
    assert not any(isinstance(event, InterimHeard) for event in call.events)
    await call.hear([DIP] * (LAST_WORDS_MS // CHUNK_MS))
    await call.end()
    assert call.words() == said(0, 4)


async def test_resting_ears_send_nothing_and_wake_with_the_last_seconds() -> None:
    """Fails if hold music were paid for, or the first words of whoever takes us off hold were lost."""
    vendor = Vendor()
    call = Call(vendor)
    await call.hear(sound_of(4))
    call.ears.rest()
    sent_s = call.ears.sent_ms / 1000
    await call.hear(sound_of(1000, 100))
    await call.hear(sound_of(10, 10))
    assert call.ears.sent_ms / 1000 == sent_s
    call.ears.wake()
    await call.hear(sound_of(5, 20))
    await call.end()
    words = call.words()
    assert words[:4] == said(0, 4)
    assert words[-15:] == said(10, 20) + said(20, 25)
    woken = [event for event in call.events if isinstance(event, FinalHeard)][-1]
    assert woken.start_ms >= 1000 * WORD_CHUNKS * CHUNK_MS
    assert call.ears.sent_ms / 1000 < sent_s + 3 + 15 * WORD_CHUNKS * CHUNK_MS / 1000
