"""Prepared lines against the voice's stand-in: bare mu-law, once per line, and no vendor's fault stops an errand."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from floyd.lines import speech_name
from floyd.settings import Settings
from floyd.spoken_length import is_whole
from floyd.store import Store
from functions.sound import Sound, without_header
from standins import tones
from standins.control import Fault
from standins.google_tts import SERVICE, VoiceServer, VoiceSettings
from standins.grpc_server import serving
from standins.openai.server import Delays, application, listening

NOW = datetime(2026, 11, 23, 16, 15, tzinfo=UTC)


@pytest.fixture
async def voice() -> AsyncIterator[tuple[VoiceServer, Settings]]:
    server = VoiceServer("tones", VoiceSettings(first_byte_ms=0, speed=1000))
    async with serving(SERVICE, server.handlers(), server.control) as (port, _):
        given = {
            "FLOYD_ENV": "local",
            "GOOGLE_CLOUD_PROJECT": "demo",
            "OPENAI_API_KEY": "any",
            "FLOYD_TTS_ENDPOINT": f"127.0.0.1:{port}",
        }
        yield server, Settings.read("plan", given)


async def test_lines_are_kept_as_bare_sound_and_made_once(voice: tuple[VoiceServer, Settings], store: Store) -> None:
    """If this fails the callee hears a click before each line, or every errand pays for the same lines again."""
    _, settings = voice
    sound = Sound(settings)

    made = [await sound.prepare(["Thank you.", "Goodbye.", " "], store=store, now=NOW) for _ in range(2)]
    await sound.google.transport.close()  # type: ignore[no-untyped-call]

    name = speech_name(settings.floyd_voice, "Thank you.")
    kept = (await store.spoken([name])).get(name)
    assert made == [2, 0]
    assert kept is not None
    assert tones.decode(kept.audio) == "thank you"
    assert kept.audio[:4] != b"RIFF"
    assert kept.expires_at > NOW


async def test_a_voice_that_cannot_be_had_stops_nothing(store: Store) -> None:
    """If this fails an outage of the voice fails errands before anybody is rung."""
    given = {"FLOYD_ENV": "local", "GOOGLE_CLOUD_PROJECT": "demo", "OPENAI_API_KEY": "any"}
    sound = Sound(Settings.read("plan", given | {"FLOYD_TTS_ENDPOINT": "127.0.0.1:9"}))

    assert await sound.prepare(["Thank you."], store=store, now=NOW) == 0
    await sound.google.transport.close()  # type: ignore[no-untyped-call]


async def test_another_voice_prepares_lines_as_well(store: Store) -> None:
    """If this fails a call's first words are in one voice and the others in another, or wait for a server."""
    async with listening(application(delays=Delays(first_byte_ms=0, speed=1000)), "127.0.0.1", 0) as port:
        given = {
            "FLOYD_ENV": "local",
            "GOOGLE_CLOUD_PROJECT": "demo",
            "OPENAI_API_KEY": "any",
            "FLOYD_VOICE": "alloy",
            "FLOYD_VOICE_BACKEND": "openai-speech",
            "FLOYD_VOICE_BASE_URL": f"http://127.0.0.1:{port}/v1",
        }
        sound = Sound(Settings.read("plan", given))
        assert await sound.prepare(["Thank you."], store=store, now=NOW) == 1
        await sound.server.close()
    name = speech_name("alloy", "Thank you.")
    assert tones.decode((await store.spoken([name]))[name].audio) == "thank you"


async def test_half_a_line_is_not_kept(voice: tuple[VoiceServer, Settings], store: Store) -> None:
    """If this fails every callee of a month hears half of a line."""
    server, settings = voice
    server.control.add(Fault(kind="truncated"))
    sound = Sound(settings)
    text = "I am sorry, I have a technical problem and will call back."

    assert await sound.prepare([text], store=store, now=NOW) == 1
    await sound.google.transport.close()  # type: ignore[no-untyped-call]
    kept = (await store.spoken([name := speech_name(settings.floyd_voice, text)]))[name]
    assert is_whole(text, len(kept.audio) / 8000, kept.audio[-160:])


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


@pytest.mark.parametrize(
    ("audio", "samples"),
    [
        (b"\xff" * 160, b"\xff" * 160),
        (b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", b"x" * 18) + chunk(b"data", b"\x7f" * 8), b"\x7f" * 8),
        (b"RIFF\0\0\0\0WAVE" + chunk(b"LIST", b"odd") + chunk(b"data", b"\x7f" * 3), b"\x7f" * 3),
        (b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", b"x" * 18), b""),
        (b"RIFF", b"RIFF"),
        (b"", b""),
    ],
)
def test_a_header_is_taken_off_and_nothing_else(audio: bytes, samples: bytes) -> None:
    """If this fails noise is played before a line, or its beginning is cut off."""
    assert without_header(audio) == samples
