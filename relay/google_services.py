"""Google's recogniser and voice: Speech-to-Text v2 and Text-to-Speech, both streaming over gRPC.

Messages are bare protobuf classes: the libraries' wrappers cost more per message than all our own work on it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import grpc.aio
from google.cloud.speech_v2.types import cloud_speech
from google.cloud.texttospeech_v1.types import cloud_tts

from floyd import mulaw
from floyd.errors import VendorError
from relay.ears import Result, Sound

OPEN_S = 3.0
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# A dead peer must be noticed between calls, not by a callee: ping when idle (gRPC keepalive guide; Google allows 30 s).
_OPTIONS = (("grpc.keepalive_time_ms", 30_000), ("grpc.keepalive_timeout_ms", 5_000))
_TRANSIENT = {"UNAVAILABLE", "ABORTED", "INTERNAL", "RESOURCE_EXHAUSTED"}
# What gRPC's asyncio layer reports when a status overtakes a request that is still being written.
_LOST_STATUS = "Internal error from Core"
_LOST_TRIES = 3


def open_channel(host: str, plain_endpoint: str) -> grpc.aio.Channel:
    """A channel to `host` with the process's own credentials, or to a plain-text `host:port` of a local stack.

    It begins to connect at once, so that no callee waits for it. It belongs to the event loop that runs now.
    """
    if plain_endpoint:
        channel = grpc.aio.insecure_channel(plain_endpoint, options=_OPTIONS)
    else:
        from google.api_core import grpc_helpers_async  # noqa: PLC0415 - finds credentials; a local stack has none

        channel = grpc_helpers_async.create_channel(f"{host}:443", default_scopes=(_SCOPE,), options=_OPTIONS)
    channel.get_state(try_to_connect=True)
    return channel


class _Service:
    """One streaming method on one channel."""

    def __init__(self, channel: grpc.aio.Channel, method: str, request: Any, response: Any) -> None:
        self._channel = channel
        self._method: Any = channel.stream_stream(
            f"/google.cloud.{method}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )

    def warm(self) -> None:
        self._channel.get_state(try_to_connect=True)

    async def close(self) -> None:
        await self._channel.close(None)


_Recognise: Any = cloud_speech.StreamingRecognizeRequest.pb()
_Recognised: Any = cloud_speech.StreamingRecognizeResponse.pb()
_Encoding = cloud_speech.ExplicitDecodingConfig.AudioEncoding
_ENCODINGS = {Sound.PHONE: (_Encoding.MULAW, 8000), Sound.MICROPHONE: (_Encoding.LINEAR16, 16_000)}


class GoogleSpeech(_Service):
    """A recogniser."""

    lifetime_s = 300.0  # Speech-to-Text quotas; after it the stream ends with ABORTED, in v1 with OUT_OF_RANGE

    def __init__(self, channel: grpc.aio.Channel, *, project: str, location: str, model: str) -> None:
        super().__init__(channel, "speech.v2.Speech/StreamingRecognize", _Recognise, _Recognised)
        self._recognizer = f"projects/{project}/locations/{location}/recognizers/_"
        self._model = model

    async def recognise(
        self, chunks: AsyncIterator[bytes], *, sound: Sound, language: str, report: Callable[[Result], None]
    ) -> None:
        async def requests() -> AsyncIterator[Any]:
            yield self._configuration(sound, language)
            async for chunk in chunks:
                yield _Recognise(audio=chunk)

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
        encoding, rate = _ENCODINGS[sound]
        config = {
            "explicit_decoding_config": {"encoding": encoding, "sample_rate_hertz": rate, "audio_channel_count": 1},
            "model": self._model,
            "language_codes": [language],
            "features": {"enable_automatic_punctuation": True},
        }
        streaming = {"config": config, "streaming_features": {"interim_results": True}}
        return _Recognise(recognizer=self._recognizer, streaming_config=streaming)


def _results(response: Any) -> list[Result]:
    """The finals of one response, then its interims, which are parts of one text."""
    results = [(each.alternatives[0], each) for each in response.results if each.alternatives]
    found = [_result(best.transcript, each, best.confidence) for best, each in results if each.is_final]
    if interims := [(best.transcript, each) for best, each in results if not each.is_final]:
        text = "".join(words for words, _ in interims)
        found.append(_result(text, interims[-1][1], interims[0][1].stability))
    return found


def _result(text: str, result: Any, sureness: float) -> Result:
    end_ms = result.result_end_offset.ToMilliseconds()
    return Result(text.strip(), result.is_final, min(1.0, max(0.0, sureness)), end_ms)


_Speak: Any = cloud_tts.StreamingSynthesizeRequest.pb()
_Spoken: Any = cloud_tts.StreamingSynthesizeResponse.pb()


class GoogleVoice(_Service):
    """One voice, mu-law straight from the vendor to the telephone.

    One stream per segment: the service does not tell where one input's sound ends and the next begins, and what a
    callee has heard must be known per segment. Segments are synthesised side by side, so none waits for another.
    """

    def __init__(self, channel: grpc.aio.Channel, *, name: str) -> None:
        super().__init__(channel, "texttospeech.v1.TextToSpeech/StreamingSynthesize", _Speak, _Spoken)
        self.name = name
        self._pcm = False

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        heard, lost = False, 0
        while True:
            pcm = self._pcm
            try:
                async for audio in self._synthesize(text, pcm):
                    heard = True
                    yield audio
                return
            except grpc.aio.AioRpcError as error:
                code, message = error.code().name, error.details() or ""
                if code == "INVALID_ARGUMENT" and not pcm and not heard:
                    # What is wrong with the request may be the encoding: the installed library lists MULAW for
                    # streaming, older pages of the vendor do not. Once refused, PCM is asked for from then on.
                    self._pcm = True
                elif message == _LOST_STATUS and lost < _LOST_TRIES and not heard:
                    lost += 1
                else:
                    raise VendorError("voice", message or code, retryable=code in _TRANSIENT, code=code) from error

    async def _synthesize(self, text: str, pcm: bool) -> AsyncIterator[bytes]:
        encoding = cloud_tts.AudioEncoding.PCM if pcm else cloud_tts.AudioEncoding.MULAW
        language = "-".join(self.name.split("-")[:2])
        config = {
            "voice": {"language_code": language, "name": self.name},
            "streaming_audio_config": {"audio_encoding": encoding, "sample_rate_hertz": mulaw.SAMPLE_RATE},
        }
        call = self._method(iter((_Speak(streaming_config=config), _Speak(input={"text": text}))))
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
