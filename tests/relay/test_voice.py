"""What is asked of a vendor's sound: in time, and as long as its text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest

from floyd.errors import VendorError
from relay.voice import PunctualVoice
from standins import tones

TEXT = "Your table is booked for half past seven, for two people, at the window."
SOUND = tones.encode(TEXT)


class Vendor:
    """Says its pieces in turn; None: nothing more, for ever."""

    name = "voice"

    def __init__(self, *pieces: bytes | None) -> None:
        self._pieces = pieces

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        for piece in self._pieces:
            if piece is None:
                await asyncio.Event().wait()
            else:
                yield piece

    def warm(self) -> None: ...


async def spoken(*pieces: bytes | None, text: str = TEXT, **deadlines: float) -> bytes:
    async with asyncio.timeout(20):
        return b"".join([sound async for sound in PunctualVoice(Vendor(*pieces), **deadlines).speak(text)])


async def test_a_whole_text_passes_as_it_comes() -> None:
    """Fails if good sound were held back or changed."""
    assert await spoken(SOUND[:1000], SOUND[1000:]) == SOUND


@pytest.mark.parametrize("keep", [0, 160, 1000, 8000, len(SOUND) // 2 - 80, len(SOUND) // 2])
async def test_a_sentence_that_was_cut_off_is_no_sentence(keep: int) -> None:
    """Fails if a callee heard half a sentence, and we believed that it was said."""
    with pytest.raises(VendorError) as caught:
        await spoken(SOUND[:keep])
    assert (caught.value.code, caught.value.retryable) == ("truncated", True)


async def test_endless_sound_is_not_this_text() -> None:
    """Fails if sound at another rate, or a voice that babbles on, were played to its end."""
    with pytest.raises(VendorError, match="more sound"):
        await spoken(*[SOUND] * 100)


@pytest.mark.parametrize("pieces", [(None,), (SOUND[:8000], None)])
async def test_silence_is_given_up(pieces: tuple[bytes | None, ...]) -> None:
    """Fails if a vendor that hangs, before its first sound or after, left a call in silence."""
    with pytest.raises(VendorError, match="no sound in time"):
        await spoken(*pieces, first_sound_s=0.2, gap_s=0.2)


@pytest.mark.parametrize("text", ["Ok.", "Hi!", "312-555-0142", "$560", "Yes, at 4:30 pm.", "\u20ac5", "..."])
async def test_short_texts_and_numbers_take_what_they_take(text: str) -> None:
    """Fails if a price or a phone number were mistaken for damaged sound."""
    sound = tones.encode(text) or b"\xff" * 160
    slowly: Callable[[bytes], bytes] = lambda each: bytes(code for code in each for _ in (0, 1))  # noqa: E731
    assert await spoken(sound, text=text) == sound
    assert await spoken(slowly(sound), text=text) == slowly(sound)


async def test_a_voice_that_keeps_its_own_time_is_believed_when_it_repeats_itself() -> None:
    """Fails if a voice whose sound has no proportion to its text ended every call at the first reply."""
    voice = PunctualVoice(Vendor(SOUND[:16_000]))
    with pytest.raises(VendorError, match="ends before"):
        assert [sound async for sound in voice.speak(TEXT)]
    assert [len(sound) async for sound in voice.speak(TEXT)] == [16_000]
    assert [len(sound) async for sound in voice.speak(TEXT + TEXT)] == [16_000]
