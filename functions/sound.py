"""Preparing sound before the call: the first words then need no vendor, and a vendor's failure is heard by nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from google.api_core.exceptions import GoogleAPIError

from floyd.errors import VendorError
from floyd.lines import speech_name
from floyd.mulaw import FRAME_SAMPLES, SAMPLE_RATE
from floyd.settings import Settings
from floyd.spoken_length import is_pace, is_whole
from floyd.store import Speech, Store

if TYPE_CHECKING:
    from google.cloud.texttospeech_v1 import TextToSpeechAsyncClient

    from floyd.openai_speech import OpenAISpeech

log = logging.getLogger(__name__)

DEADLINE_S = 10.0
# Google allows 200 Chirp 3 HD requests a minute for a whole project; calls under way come first.
AT_ONCE = 4
# Longer than a person may take to approve, and stock lines are used again and again.
KEPT = timedelta(days=30)


class Sound:
    """Whole lines as mu-law: Google's unary synthesis, or another server. Connections open on first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def prepare(self, texts: Iterable[str], *, store: Store, now: datetime) -> int:
        """Synthesise and keep what is not kept yet; returns how many are new.

        Never raises for a vendor: what is not prepared is synthesised during the call.
        """
        wanted = {speech_name(self._settings.floyd_voice, text): text for text in texts if text.strip()}
        known = await store.spoken(list(wanted)) if wanted else {}
        places = asyncio.Semaphore(AT_ONCE)

        async def one(digest: str, text: str) -> bool:
            async with places:
                try:
                    async with asyncio.timeout(DEADLINE_S):
                        audio = await self._whole(text)
                except (GoogleAPIError, VendorError, TimeoutError) as error:
                    log.warning("a line could not be prepared", extra={"code": type(error).__name__})
                    return False
                await store.keep_speech(digest, Speech(audio=audio, text=text, expires_at=now + KEPT))
                return True

        return sum(await asyncio.gather(*(one(name, text) for name, text in wanted.items() if name not in known)))

    async def _whole(self, text: str) -> bytes:
        """Synthesised again if it seems cut off; what comes out the same twice is as this voice says it."""
        lengths = []
        for _ in range(2):
            audio = await self._synthesise(text)
            lengths.append(len(audio) / SAMPLE_RATE)
            if is_whole(text, lengths[-1], audio[-FRAME_SAMPLES:]):
                return audio
        if is_pace(*lengths):
            return audio
        raise VendorError("voice", "the sound ends before the text", retryable=True, code="truncated")

    async def _synthesise(self, text: str) -> bytes:
        if self._settings.floyd_voice_backend == "openai-speech":
            async with aclosing(self.server.speak(text)) as sounds:
                return b"".join([sound async for sound in sounds])
        from google.cloud import texttospeech_v1 as tts  # noqa: PLC0415 - slow vendor import

        voice = self._settings.floyd_voice
        request = tts.SynthesizeSpeechRequest(
            input=tts.SynthesisInput(text=text),
            voice=tts.VoiceSelectionParams(name=voice, language_code="-".join(voice.split("-")[:2])),
            audio_config=tts.AudioConfig(audio_encoding=tts.AudioEncoding.MULAW, sample_rate_hertz=SAMPLE_RATE),
        )
        answer = await self.google.synthesize_speech(request, retry=None, timeout=DEADLINE_S)
        return without_header(answer.audio_content)

    @cached_property
    def server(self) -> OpenAISpeech:
        from floyd.openai_speech import OpenAISpeech  # noqa: PLC0415 - slow vendor import

        return OpenAISpeech(self._settings)

    @cached_property
    def google(self) -> TextToSpeechAsyncClient:
        from google.cloud import texttospeech_v1 as tts  # noqa: PLC0415 - slow vendor import, as the next
        from grpc import aio  # noqa: PLC0415

        if not self._settings.floyd_tts_endpoint:
            return tts.TextToSpeechAsyncClient()
        channel = aio.insecure_channel(self._settings.floyd_tts_endpoint)
        kind = tts.TextToSpeechAsyncClient.get_transport_class("grpc_asyncio")
        return tts.TextToSpeechAsyncClient(transport=kind(channel=channel))


def without_header(audio: bytes) -> bytes:
    """The samples alone: unary synthesis puts a WAV header before mu-law, which a callee would hear as noise."""
    if audio[:4] != b"RIFF" or audio[8:12] != b"WAVE":
        return audio
    position = 12
    while position + 8 <= len(audio):
        name, size = audio[position : position + 4], int.from_bytes(audio[position + 4 : position + 8], "little")
        if name == b"data":
            return audio[position + 8 : position + 8 + size]
        position += 8 + size + size % 2
    return b""
