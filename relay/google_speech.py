"""Google Speech-to-Text v2, streaming."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc.aio
from google.cloud.speech_v2.types import cloud_speech

from floyd.errors import VendorError
from relay.ears import Heard, Result, Sound
from relay.endless_ears import EndlessEars

_Request: Any = cloud_speech.StreamingRecognizeRequest.pb()
_Response: Any = cloud_speech.StreamingRecognizeResponse.pb()
# The bare protobuf classes: the library's wrappers cost more per message than all our own work on it.
_METHOD = "/google.cloud.speech.v2.Speech/StreamingRecognize"

OPEN_S = 3.0


class GoogleSpeech:
    """A recogniser on one channel."""

    lifetime_s = 300.0
    """Speech-to-Text quotas; after it the stream ends with ABORTED, in v1 with OUT_OF_RANGE."""

    def __init__(self, channel: grpc.aio.Channel, *, project: str, location: str, model: str) -> None:
        self._channel = channel
        self._recognizer = f"projects/{project}/locations/{location}/recognizers/_"
        self._model = model
        self._method: Any = channel.stream_stream(
            _METHOD, request_serializer=_Request.SerializeToString, response_deserializer=_Response.FromString
        )

    def open(self, report: Callable[[Heard], None], *, sound: Sound, language: str) -> EndlessEars:
        return EndlessEars(self, report, sound=sound, language=language)

    def warm(self) -> None:
        self._channel.get_state(try_to_connect=True)

    async def close(self) -> None:
        await self._channel.close(None)

    async def recognise(
        self, chunks: AsyncIterator[bytes], *, sound: Sound, language: str, report: Callable[[Result], None]
    ) -> None:
        async def requests() -> AsyncIterator[Any]:
            yield self._configuration(sound, language)
            async for chunk in chunks:
                yield _Request(audio=chunk)

        call = self._method(requests())
        try:
            async with asyncio.timeout(OPEN_S):
                await call.wait_for_connection()
            async for response in call:
                for result in _results(response):
                    report(result)
        except TimeoutError:
            raise VendorError("recogniser", f"not open within {OPEN_S} s", retryable=True, code="timeout") from None
        except grpc.aio.AioRpcError as error:
            code = error.code().name
            raise VendorError("recogniser", f"{code} {error.details()}", retryable=True, code=code) from error
        finally:
            call.cancel()

    def _configuration(self, sound: Sound, language: str) -> Any:
        phone = sound is Sound.PHONE
        encoding = cloud_speech.ExplicitDecodingConfig.AudioEncoding
        return _Request(
            recognizer=self._recognizer,
            streaming_config={
                "config": {
                    "explicit_decoding_config": {
                        "encoding": encoding.MULAW if phone else encoding.LINEAR16,
                        "sample_rate_hertz": 8000 if phone else 16000,
                        "audio_channel_count": 1,
                    },
                    "model": self._model,
                    "language_codes": [language],
                    "features": {"enable_automatic_punctuation": True},
                },
                "streaming_features": {"interim_results": True},
            },
        )


def _results(response: Any) -> list[Result]:
    """The finals of one response, then its interims, which are parts of one text."""
    results = [result for result in response.results if result.alternatives]
    found = [_result(each.alternatives[0].transcript, each, each.alternatives[0].confidence) for each in results]
    finals = [result for result in found if result.final]
    if interims := [result for result in results if not result.is_final]:
        text = "".join(result.alternatives[0].transcript for result in interims)
        finals.append(_result(text, interims[-1], interims[0].stability))
    return finals


def _result(text: str, result: Any, sureness: float) -> Result:
    offset = result.result_end_offset
    end_ms = offset.seconds * 1000 + offset.nanos // 1_000_000
    return Result(text.strip(), result.is_final, min(1.0, max(0.0, sureness)), end_ms)
