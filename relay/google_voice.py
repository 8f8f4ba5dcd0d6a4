"""Voice by Google Text-to-Speech, streaming, mu-law straight from the vendor to the telephone.

One stream per segment: the service does not tell where one input's sound ends and the next begins, and what a callee
has heard must be known per segment. Segments are synthesised side by side, so none waits for the one before it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import grpc
import grpc.aio
from google.cloud.texttospeech_v1.types import cloud_tts

from floyd import mulaw
from floyd.errors import VendorError

_Request: Any = cloud_tts.StreamingSynthesizeRequest.pb()
_Response: Any = cloud_tts.StreamingSynthesizeResponse.pb()
_METHOD = "/google.cloud.texttospeech.v1.TextToSpeech/StreamingSynthesize"
_TRANSIENT = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)


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
        while True:
            pcm = self._mulaw_refused
            try:
                async for audio in self._synthesize(text, pcm):
                    yield audio
                return
            except grpc.aio.AioRpcError as error:
                code = error.code()
                if pcm or code is not grpc.StatusCode.INVALID_ARGUMENT:
                    message = error.details() or code.name
                    raise VendorError("voice", message, retryable=code in _TRANSIENT, code=code.name) from error
                # What is wrong with the request may be the encoding: the installed library lists MULAW for streaming,
                # older pages of the vendor do not.
                self._mulaw_refused = True

    def warm(self) -> None:
        self._channel.get_state(try_to_connect=True)

    async def close(self) -> None:
        await self._channel.close(None)

    async def _synthesize(self, text: str, pcm: bool) -> AsyncIterator[bytes]:
        encoding = cloud_tts.AudioEncoding.PCM if pcm else cloud_tts.AudioEncoding.MULAW
        config = {
            "voice": {"language_code": self._language, "name": self.name},
            "streaming_audio_config": {"audio_encoding": encoding, "sample_rate_hertz": mulaw.SAMPLE_RATE},
        }
        call = self._method(iter((_Request(streaming_config=config), _Request(input={"text": text}))))
        odd = b""
        try:
            async for response in call:
                audio = odd + response.audio_content
                if pcm:  # a message may end in the middle of a sample
                    whole = len(audio) - len(audio) % 2
                    audio, odd = mulaw.encode(audio[:whole]), audio[whole:]
                if audio:
                    yield audio
        finally:
            call.cancel()
