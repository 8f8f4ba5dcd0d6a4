"""The second voice against its stand-in over a real socket, and its way down to the telephone's rate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from floyd import mulaw
from floyd.errors import VendorError
from floyd.openai_speech import Narrower, OpenAISpeech
from floyd.settings import Settings
from standins import tones
from standins.openai.server import Delays, application, listening

TEXT = "Your table is booked for 7:30, for 2 people."


@asynccontextmanager
async def voice() -> AsyncIterator[tuple[OpenAISpeech, str]]:
    async with listening(application(delays=Delays(first_byte_ms=1, speed=1000)), "127.0.0.1", 0) as port:
        speech = OpenAISpeech(settings(port))
        yield speech, f"http://127.0.0.1:{port}/control/faults"
        await speech.close()


async def spoken(speech: OpenAISpeech) -> bytes:
    async with asyncio.timeout(20):
        return b"".join([sound async for sound in speech.speak(TEXT)])


async def test_a_text_comes_back_as_telephone_sound() -> None:
    """Fails if the callee would hear noise, or other words."""
    async with voice() as (speech, _):
        assert tones.decode(await spoken(speech)).split() == tones.spoken_words(TEXT)


def settings(port: int) -> Settings:
    return Settings(floyd_env="local", floyd_voice="alloy", floyd_voice_base_url=f"http://127.0.0.1:{port}/v1")


@pytest.mark.parametrize(
    ("fault", "retryable"),
    [
        ({"kind": "status", "status": 503}, True),
        ({"kind": "status", "status": 429}, True),
        ({"kind": "status", "status": 400}, False),
        ({"kind": "cut", "after_tokens": 2}, True),
    ],
)
async def test_every_failure_is_a_vendor_error(fault: dict[str, object], retryable: bool) -> None:
    """Fails if a hopeless synthesis were repeated, a lucky one given up, or a call broken by either."""
    async with voice() as (speech, faults), aiohttp.ClientSession() as session:
        assert (await session.post(faults, json={"of": "speech", **fault})).status == 201
        with pytest.raises(VendorError) as caught:
            await spoken(speech)
        assert caught.value.retryable is retryable


async def test_nobody_at_the_address_is_a_vendor_error() -> None:
    """Fails if a dead server broke a call instead of costing a sentence."""
    speech = OpenAISpeech(settings(9))
    with pytest.raises(VendorError):
        await spoken(speech)
    await speech.close()


def tone(hertz: float, seconds: float = 0.5) -> bytes:
    return np.rint(8000 * np.sin(2 * np.pi * hertz * np.arange(int(24_000 * seconds)) / 24_000)).astype("<i2").tobytes()


def level(sound: bytes) -> float:
    return float(np.sqrt(np.mean(np.frombuffer(mulaw.decode(sound), "<i2").astype(float) ** 2)))


@pytest.mark.parametrize("hertz", [300, 1000, 2500, 3000])
def test_speech_passes(hertz: float) -> None:
    """Fails if the voice were muffled."""
    assert level(Narrower().feed(tone(hertz))) == pytest.approx(8000 / 2**0.5, rel=0.1)


@pytest.mark.parametrize("hertz", [4500, 6000, 7000, 9000, 11_000])
def test_what_a_telephone_cannot_carry_is_gone(hertz: float) -> None:
    """Fails if hissing sounds folded back into the band as whistles; 40 dB down."""
    assert level(Narrower().feed(tone(hertz))) < 80


@given(st.lists(st.integers(0, 700), max_size=12))
def test_pieces_leave_no_seam(sizes: list[int]) -> None:
    """Fails if the sound clicked wherever the server's pieces end, in the middle of a sample or not."""
    pcm = tone(440, 0.2)
    whole, narrower, pieces, at = Narrower().feed(pcm), Narrower(), b"", 0
    for size in [*sizes, len(pcm)]:
        pieces += narrower.feed(pcm[at : at + size])
        at += size
    assert pieces == whole
    assert len(whole) == pytest.approx(0.2 * 8000, abs=10)
