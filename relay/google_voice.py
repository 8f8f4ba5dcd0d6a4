"""Voice by Google Text-to-Speech, streaming, mu-law straight from the vendor to the telephone.

One stream per segment: the service does not tell where one input's sound ends and the next begins, and what a callee
has heard must be known per segment. Segments are synthesised side by side, so none waits for the one before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import grpc
import grpc.aio
from google.cloud.texttospeech_v1.types import cloud_tts

from floyd.errors import VendorError
from relay.core import mulaw
from relay.google_channel import EOF

_Request: Any = cloud_tts.StreamingSynthesizeRequest.pb()
_Response: Any = cloud_tts.StreamingSynthesizeResponse.pb()
_METHOD = "/google.cloud.texttospeech.v1.TextToSpeech/StreamingSynthesize"
_TRANSIENT = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)

FIRST_SOUND_S = 2.5
"""Callees take more silence than this for a dead line; the conversation covers it with a stock line."""
GAP_S = 2.0


class GoogleVoice:
    """One voice on one channel."""

    def __init__(self, channel: grpc.aio.Channel, *, name: str, language: str) -> None:
        self.name = name
        self._language = language
        self._channel = channel
        # A voice that has refused mu-law once is asked for PCM from then on.
        self._mulaw_refused = False
        self._method: Any = channel.stream_stream(
            _METHOD, request_serializer=_Request.SerializeToString, response_deserializer=_Response.FromString
        )

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        asked_for_mulaw = not self._mulaw_refused
        try:
            async for audio in self._synthesize(text):
                yield audio
        except grpc.aio.AioRpcError as error:
            if not (asked_for_mulaw and error.code() is grpc.StatusCode.INVALID_ARGUMENT):
                raise _vendor_error(error) from error
            # What is wrong with the request may be the encoding: the installed library lists MULAW for streaming,
            # older pages of the vendor do not.
            self._mulaw_refused = True
            try:
                async for audio in self._synthesize(text):
                    yield audio
            except grpc.aio.AioRpcError as second:
                raise _vendor_error(second) from second

    async def close(self) -> None:
        await self._channel.close(None)

    async def _synthesize(self, text: str) -> AsyncGenerator[bytes, None]:
        pcm = self._mulaw_refused
        call = self._method()
        odd = b""
        deadline_s = FIRST_SOUND_S
        try:
            async with asyncio.timeout(FIRST_SOUND_S):
                await call.write(self._configuration(pcm))
                await call.write(_Request(input={"text": text}))
                await call.done_writing()
            while True:
                async with asyncio.timeout(deadline_s):
                    response = await call.read()
                if response is EOF:
                    return
                audio = odd + response.audio_content
                if pcm:  # a message may end in the middle of a sample
                    whole = len(audio) - len(audio) % 2
                    audio, odd = mulaw.encode(audio[:whole]), audio[whole:]
                if audio:
                    deadline_s = GAP_S
                    yield audio
        except TimeoutError:
            raise VendorError("voice", "no sound in time", retryable=True, code="timeout") from None
        except asyncio.InvalidStateError:
            # The stream was refused before everything was written: its status says why.
            await call.read()
            raise VendorError("voice", "the stream closed early", retryable=True) from None
        finally:
            call.cancel()

    def _configuration(self, pcm: bool) -> Any:
        encoding = cloud_tts.AudioEncoding.PCM if pcm else cloud_tts.AudioEncoding.MULAW
        return _Request(
            streaming_config={
                "voice": {"language_code": self._language, "name": self.name},
                "streaming_audio_config": {"audio_encoding": encoding, "sample_rate_hertz": 8000},
            }
        )


def _vendor_error(error: grpc.aio.AioRpcError) -> VendorError:
    code = error.code()
    return VendorError("voice", error.details() or code.name, retryable=code in _TRANSIENT, code=code.name)
