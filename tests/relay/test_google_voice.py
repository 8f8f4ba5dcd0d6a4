"""Voice against the synthesis stand-in over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from floyd.errors import VendorError
from relay import voice as port
from relay.google_voice import GoogleVoice
from relay.voice import PunctualVoice, Voice
from standins import google_tts, tones
from tests.standins.vendor_client import Steering, running

TEXT = "your table is booked for seven"


@asynccontextmanager
async def voice() -> AsyncIterator[tuple[Voice, Steering]]:
    server = google_tts.VoiceServer("tones", google_tts.VoiceSettings(first_byte_ms=5, speed=100))
    async with running(google_tts.SERVICE, server.handlers(), server.control) as (channel, steering):
        yield PunctualVoice(GoogleVoice(channel, name="en-US-Chirp3-HD-Charon", language="en-US")), steering


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
        await steering.post("faults", kind="status", code="INVALID_ARGUMENT", message="Something else is wrong")
        with pytest.raises(VendorError):
            await spoken(mouth, TEXT)
        assert tones.decode(await spoken(mouth, TEXT)) == TEXT


@pytest.mark.parametrize(("code", "retryable"), [("UNAVAILABLE", True), ("PERMISSION_DENIED", False)])
async def test_a_failure_says_whether_trying_again_may_help(code: str, retryable: bool) -> None:
    """Fails if a hopeless synthesis were repeated, or a lucky one given up."""
    async with voice() as (mouth, steering):
        # gRPC itself may lose a status that overtakes the request, and report an internal error in its place.
        for _ in range(5):
            await steering.post("faults", kind="status", code=code)
            with pytest.raises(VendorError) as caught:
                await spoken(mouth, TEXT)
            if "Internal error from Core" not in str(caught.value):
                break
        assert caught.value.retryable is retryable


async def test_a_synthesis_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails if a silent vendor left a call in silence."""
    monkeypatch.setattr(port, "FIRST_SOUND_S", 0.3)
    async with voice() as (mouth, steering):
        await steering.post("faults", kind="hang")
        with pytest.raises(VendorError, match="no sound in time"):
            await spoken(mouth, TEXT)
