"""Google's recogniser and voice against the stand-ins over real sockets: words, times, and streams that break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import grpc
import pytest

from floyd.errors import VendorError
from relay.core.events import EarLost, EarRestored, Event, FinalHeard, InterimHeard
from relay.ears import Sound
from relay.endless_ears import CHUNK_MS, EndlessEars
from relay.google_services import GoogleSpeech, GoogleVoice
from relay.voice import PunctualVoice, Voice
from standins import google_speech as standin
from standins import google_tts, tones
from standins.listener import Ears
from tests.standins.vendor_client import Steering, running

DEADLINE_S = 20
QUIET = b"\xff" * 160


class Listener:
    """Collects what an ear reports, and lets a test wait for it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    def report(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def finals(self) -> list[FinalHeard]:
        return [event for event in self.events if isinstance(event, FinalHeard)]

    def said(self) -> str:
        return " ".join(final.text for final in self.finals())

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def speech(**changed: float) -> AsyncIterator[tuple[GoogleSpeech, Steering]]:
    settings = standin.SpeechSettings.model_validate(changed)
    server = standin.SpeechServer(Ears([], "tones"), settings)
    async with running(standin.SERVICE, server.handlers(), server.control) as (channel, steering):
        yield GoogleSpeech(channel, project="p", location="global", model="telephony"), steering


def hear(ears: EndlessEars, sound: bytes, *, voiced: bool = True) -> None:
    for start in range(0, len(sound), 160):
        ears.hear(sound[start : start + 160].ljust(160, b"\xff"), voiced=voiced)


def seconds_of_quiet(seconds: float) -> bytes:
    return QUIET * int(seconds * 50)


async def test_words_arrive_with_their_place_in_the_sound() -> None:
    """Fails if recognition, interim words or absolute times were wrong."""
    words = "hello this is lincoln elementary"
    sound = tones.encode(words)
    async with speech() as (maker, _):
        listener = Listener()
        ears = EndlessEars(maker, listener.report, sound=Sound.PHONE, language="en-US")
        hear(ears, seconds_of_quiet(1), voiced=False)
        hear(ears, sound)
        hear(ears, seconds_of_quiet(0.5), voiced=False)
        await listener.until(lambda: bool(listener.finals()))
        final = listener.finals()[0]
        assert final.text == words
        assert abs(final.start_ms - 1000) <= CHUNK_MS
        assert abs(final.end_ms - (1000 + len(sound) / 8)) < 200
        assert any(isinstance(event, InterimHeard) for event in listener.events)
        await ears.finish()
        assert ears.sent_ms == pytest.approx(1500 + len(sound) / 8, abs=100)
        await ears.close()


CODES = [code.name for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


@pytest.mark.parametrize("code", CODES)
async def test_a_stream_that_breaks_in_mid_sentence_costs_no_word(code: str) -> None:
    """Fails if a broken stream lost or doubled words."""
    async with speech() as (maker, steering):
        listener = Listener()
        ears = EndlessEars(maker, listener.report, sound=Sound.PHONE, language="en-US")
        hear(ears, tones.encode("one two three"))
        hear(ears, seconds_of_quiet(0.5), voiced=False)
        await listener.until(lambda: listener.said() == "one two three")
        hear(ears, tones.encode("four five six"))
        await listener.until(lambda: isinstance(listener.events[-1], InterimHeard))
        assert await steering.post("faults", kind="status", code=code, live=True, times=0) < 300
        await listener.until(lambda: ears.rotations == 1 or _woken(ears, listener))
        hear(ears, tones.encode("seven eight"))
        hear(ears, seconds_of_quiet(0.5), voiced=False)
        await listener.until(lambda: "eight" in listener.said())
        assert listener.said() == "one two three four five six seven eight"
        starts = [(final.start_ms, final.end_ms) for final in listener.finals()]
        assert starts == sorted(starts)
        await ears.close()


def _woken(ears: EndlessEars, listener: Listener) -> bool:
    """The ear's rotation reports nothing; look again shortly."""
    asyncio.get_running_loop().call_later(0.02, listener._changed.set)
    return ears.rotations > 0


async def test_the_limit_of_a_stream_is_not_noticed_in_unbroken_speech() -> None:
    """Fails if the vendor's limit on a stream's life lost or doubled words of somebody who never pauses."""
    words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo"] * 10
    ends = [len(tones.encode(" ".join(words[: count + 1]))) for count in range(len(words))]
    sound = tones.encode(" ".join(words))
    async with speech() as (maker, steering):
        maker.lifetime_s = 6.0
        listener = Listener()
        ears = EndlessEars(maker, listener.report, sound=Sound.PHONE, language="en-US")
        for start in range(0, len(sound), 1600):
            hear(ears, sound[start : start + 1600])
            # The vendor must keep up, as with sound in real time: at most half a second behind.
            known = sum(end < start - 4000 for end in ends)
            await listener.until(partial(_has_heard, listener, known))
        hear(ears, seconds_of_quiet(0.5), voiced=False)
        await listener.until(lambda: listener.said() == " ".join(words))
        streams = (await steering.get("streams"))["streams"]
        assert len(streams) > len(sound) / 8000 / 6
        assert {stream["ended"] for stream in streams[:-1]} == {"OK"}
        await ears.close()


def _has_heard(listener: Listener, words: int) -> bool:
    newest = listener.events[-1] if listener.events else None
    interim = newest.text if isinstance(newest, InterimHeard) else ""
    return len(f"{listener.said()} {interim}".split()) >= words


async def test_a_deaf_stream_is_replaced_and_what_it_missed_is_heard() -> None:
    """Fails if a stream that hangs silently left us deaf for the rest of the call."""
    async with speech() as (maker, steering):
        await steering.post("faults", kind="hang")
        listener = Listener()
        ears = EndlessEars(maker, listener.report, sound=Sound.PHONE, language="en-US")
        await listener.until(lambda: _stream_is_open(ears, listener))
        words = "can you hear me now or is there nobody on this line who listens to me"
        hear(ears, tones.encode(words))
        hear(ears, seconds_of_quiet(0.5), voiced=False)
        await listener.until(lambda: listener.said() == words)
        assert ears.rotations == 1
        await ears.close()


def _stream_is_open(ears: EndlessEars, listener: Listener) -> bool:
    hear(ears, QUIET * 2, voiced=False)
    asyncio.get_running_loop().call_later(0.05, listener._changed.set)
    return ears.sent_ms > 200


async def test_a_service_that_stays_away_is_reported_once_and_so_is_its_return() -> None:
    """Fails if a callee talked into a dead ear without being told, or were told again and again."""
    async with speech() as (maker, steering):
        await steering.post("faults", kind="status", code="UNAVAILABLE", times=1000)
        listener = Listener()
        ears = EndlessEars(maker, listener.report, sound=Sound.PHONE, language="en-US")

        def goes_on(until: Callable[[], bool]) -> bool:
            hear(ears, QUIET * 2, voiced=False)
            asyncio.get_running_loop().call_later(0.02, listener._changed.set)
            return until()

        await listener.until(lambda: goes_on(lambda: any(isinstance(event, EarLost) for event in listener.events)))
        await steering.delete("faults")
        hear(ears, tones.encode("anybody there"))
        await listener.until(lambda: goes_on(lambda: listener.said() == "anybody there"))
        kinds = [type(event) for event in listener.events if isinstance(event, EarLost | EarRestored)]
        assert kinds == [EarLost, EarRestored]
        await ears.close()


async def test_the_end_of_a_dictation_brings_its_last_words() -> None:
    """Fails if what is said right before the stop were lost; 16 kHz, as a microphone sounds."""
    from array import array

    from floyd import mulaw

    narrow = array("h", mulaw.decode(tones.encode("tell the school")))
    wide = array("h", (sample for each in narrow for sample in (each, each))).tobytes()
    async with speech() as (maker, _):
        listener = Listener()
        ears = EndlessEars(maker, listener.report, sound=Sound.MICROPHONE, language="en-US")
        ears.hear(wide, voiced=True)
        async with asyncio.timeout(DEADLINE_S):
            await ears.finish()
        assert listener.said() == "tell the school"
        await ears.close()


TEXT = "your table is booked for seven"


@asynccontextmanager
async def voice(**deadlines: float) -> AsyncIterator[tuple[Voice, Steering]]:
    server = google_tts.VoiceServer("tones", google_tts.VoiceSettings(first_byte_ms=5, speed=100))
    async with running(google_tts.SERVICE, server.handlers(), server.control) as (channel, steering):
        yield PunctualVoice(GoogleVoice(channel, name="en-US-Chirp3-HD-Charon"), **deadlines), steering


async def spoken(voice: Voice, text: str) -> bytes:
    async with asyncio.timeout(20):
        return b"".join([sound async for sound in voice.speak(text)])


async def test_a_text_comes_back_as_telephone_sound() -> None:
    """Fails if the callee would hear noise, or other words."""
    async with voice() as (mouth, steering):
        assert tones.decode(await spoken(mouth, TEXT)) == TEXT
        assert [each["text"] for each in (await steering.get("texts"))["texts"]] == [TEXT]


async def test_a_voice_that_refuses_mulaw_is_asked_for_pcm_from_then_on() -> None:
    """Fails if a voice without mu-law left us speechless, or cost a refusal for every sentence."""
    async with voice() as (mouth, steering):
        await steering.post("faults", kind="status", code="INVALID_ARGUMENT", message="Unsupported audio encoding")
        assert tones.decode(await spoken(mouth, TEXT)) == TEXT
        await steering.post("faults", kind="status", code="INVALID_ARGUMENT", message="Something else", count=4)
        with pytest.raises(VendorError):
            await spoken(mouth, TEXT)
        await steering.delete("faults")
        assert tones.decode(await spoken(mouth, TEXT)) == TEXT


@pytest.mark.parametrize(("code", "retryable"), [("UNAVAILABLE", True), ("PERMISSION_DENIED", False)])
async def test_a_failure_says_whether_trying_again_may_help(code: str, retryable: bool) -> None:
    """Fails if a hopeless synthesis were repeated, or a lucky one given up."""
    async with voice() as (mouth, steering):
        # Several: gRPC may lose a status that overtakes the request, and then it is asked for again.
        await steering.post("faults", kind="status", code=code, count=4)
        with pytest.raises(VendorError) as caught:
            await spoken(mouth, TEXT)
        assert caught.value.retryable is retryable


async def test_a_synthesis_that_hangs_is_given_up() -> None:
    """Fails if a silent vendor left a call in silence."""
    async with voice(first_sound_s=0.3) as (mouth, steering):
        await steering.post("faults", kind="hang")
        with pytest.raises(VendorError, match="no sound in time"):
            await spoken(mouth, TEXT)
