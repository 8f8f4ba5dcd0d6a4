"""Google Cloud Speech-to-Text v2, streaming recognition only: a gRPC server that hears real sound.

``python -m standins google-speech --port N --control-port M``. Its log is ``GET /control/streams``.
"""

import argparse
import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Literal

import grpc
import numpy as np
from google.cloud.speech_v2 import types as speech
from pydantic import Field
from text_to_num import alpha2digit

from standins import announce, language_model
from standins.audio import SAMPLE_RATE, Halver, encode_mulaw
from standins.control import Control, Settings, Struck
from standins.grpc_server import StreamingCall, refuse, serving, streamed
from standins.listener import Activity, Ears, Final, Heard, Interim, Listener
from standins.phone_network.script import load_personas

NAME = "google-speech"
SERVICE = "google.cloud.speech.v2.Speech"

MAX_AUDIO_BYTES = 15 * 1024
"""In one message: the limit documented at `StreamingRecognizeRequest.audio`."""

_RECOGNIZER = re.compile(r"projects/[^/]+/locations/[^/]+/recognizers/_")
_Encoding = speech.ExplicitDecodingConfig.AudioEncoding
_SOUNDS = ((_Encoding.MULAW, 8000), (_Encoding.LINEAR16, 16000))
_Event = speech.StreamingRecognizeResponse.SpeechEventType
_EVENTS = {"begin": _Event.SPEECH_ACTIVITY_BEGIN, "end": _Event.SPEECH_ACTIVITY_END}
_RawRequest = type(speech.StreamingRecognizeRequest.pb(speech.StreamingRecognizeRequest()))
"""The message as protobuf has it: cheap to read, and one comes for every chunk of sound."""


class SpeechSettings(Settings):
    """Delays in milliseconds, limits in seconds."""

    final_delay_ms: float = Field(default=200, ge=120)
    """Silence between the end of speech and its final. Below 120 each word would be an utterance of its own."""
    stream_limit_s: float = Field(default=300, gt=0)
    idle_limit_s: float = Field(default=10, gt=0)
    numbers: Literal["words", "digits"] = "words"
    """Whether "five hundred sixty dollars" stays so or becomes "$560", as the vendor's formatting has it."""


FAULTS = ("status", "hang", "slow", "drop")
"""``drop``: no results, activity events go on."""


def written_numbers(text: str) -> str:
    """*text* with its numbers as the vendor formats them: "$560", "4:30"."""
    digits = alpha2digit(text, "en")
    digits = re.sub(r"\b(\d+) dollars? and (\d\d) cents?\b", r"$\1.\2", digits)
    digits = re.sub(r"\b(\d+) dollars?\b", r"$\1", digits)
    return re.sub(r"\b(1[0-2]|[1-9]) ([1-5][05])\b(?! ?\d)", r"\1:\2", digits)


class Recognition(StreamingCall):
    """One call of StreamingRecognize; afterwards its line in the log."""

    IDLE = "Stream timed out after receiving no more client requests."

    def __init__(self, ears: Ears, settings: SpeechSettings, struck: Struck) -> None:
        super().__init__(struck, settings.idle_limit_s, settings.stream_limit_s)
        self.audio_s = 0.0
        self._listener = Listener(ears, settings.final_delay_ms)
        self._settings = settings
        self._config = speech.StreamingRecognitionConfig()
        self._halver: Halver | None = None
        """Of linear sound, which comes at twice the telephone's rate."""
        self._finals: list[str] = []

    def log(self) -> dict[str, object]:
        sent = {"model": self._config.config.model, "messages": self.messages, "audio_s": self.audio_s}
        return {**sent, "finals": self._finals, "ended": self.ended}

    async def finish(self) -> None:
        """Tell what is still due, and give a borrowed recogniser back."""
        for heard in await self._listener.finish():
            self._say(heard)

    def configure(self, request: Any) -> None:
        request = speech.StreamingRecognizeRequest.wrap(request)
        config, recognizer = request.streaming_config.config, request.recognizer
        decoding, languages = config.explicit_decoding_config, len(config.language_codes)
        channels, sound = decoding.audio_channel_count, (decoding.encoding, decoding.sample_rate_hertz)
        refuse(
            (
                not _RECOGNIZER.fullmatch(recognizer),
                f"Invalid resource field value in the request: recognizer {recognizer!r} is not of the form "
                "projects/{project}/locations/{location}/recognizers/_ (others do not exist here).",
            ),
            ("streaming_config" not in request, "The first message must hold a streaming_config and no audio."),
            ("explicit_decoding_config" not in config, "Headerless audio needs an explicit_decoding_config."),
            (channels != 1, f"audio_channel_count is {channels}, must be 1."),
            (sound not in _SOUNDS, f"Encoding {sound[0]} at {sound[1]} Hz is not MULAW at 8000 or LINEAR16 at 16000."),
            (not config.model, "A model must be named: the recognizer _ has no default."),
            (languages != 1, f"Exactly one of language_codes is supported by this model, not {languages}."),
        )
        self._halver = Halver() if decoding.encoding == _Encoding.LINEAR16 else None
        self._config = request.streaming_config

    async def take(self, request: Any) -> None:
        audio: bytes = request.audio
        size, kind = len(audio), request.WhichOneof("streaming_request")
        refuse(
            (kind != "audio", "Only the first message may hold a streaming_config; all others must hold audio."),
            (not audio, "A message after the first must hold audio."),
            (size > MAX_AUDIO_BYTES, f"Audio chunk can be of a maximum of {MAX_AUDIO_BYTES} bytes, but is {size}."),
            (self._halver and size % 2, "LINEAR16 audio must hold whole samples of two bytes."),
        )
        if self._halver:
            audio = encode_mulaw(self._halver.feed(np.frombuffer(audio, "<i2").astype(np.int16)))
        self.audio_s += len(audio) / SAMPLE_RATE
        self._listener.quiet_ms = self._settings.final_delay_ms
        for heard in await self._listener.feed(audio):
            self._say(heard)

    def _say(self, heard: Heard) -> None:
        """Put into the outbox what the client has asked to be told of *heard*."""
        features = self._config.streaming_features
        match heard:
            case Activity() if features.enable_voice_activity_events:
                response = speech.StreamingRecognizeResponse(
                    speech_event_type=_EVENTS[heard.kind], speech_event_offset=timedelta(milliseconds=heard.at_ms)
                )
            case Interim() if features.interim_results:
                response = self._result(heard, stability=heard.stability)
            case Final():
                response = self._result(heard, is_final=True)
                response.results[0].alternatives[0].confidence = heard.confidence
                billed = timedelta(seconds=self.audio_s)
                response.metadata = speech.RecognitionResponseMetadata(total_billed_duration=billed)
                self._finals.append(heard.text)
            case _:
                return
        if not (self.struck.by("drop") and response.results):
            self.answer(response, self.loop.time())

    def _result(self, heard: Interim | Final, **more: Any) -> speech.StreamingRecognizeResponse:
        text = written_numbers(heard.text) if self._settings.numbers == "digits" else heard.text
        # As the vendor has it: finals of one stream concatenate to its transcript.
        transcript = f" {text}" if self._finals else text
        result = speech.StreamingRecognitionResult(
            alternatives=[speech.SpeechRecognitionAlternative(transcript=transcript)],
            result_end_offset=timedelta(milliseconds=heard.end_ms),
            language_code=self._config.config.language_codes[0].lower(),
            **more,
        )
        return speech.StreamingRecognizeResponse(results=[result])


class SpeechServer:
    """All streams of the stand-in, and their log."""

    def __init__(self, ears: Ears, settings: SpeechSettings) -> None:
        self.control = Control(settings, FAULTS, streams=self.streams)
        self._ears = ears
        self._calls: deque[Recognition] = deque(maxlen=1000)

    def streams(self) -> dict[str, object]:
        """The log: how many streams are open, and the last thousand with what they sent and were told."""
        return {
            "open": sum(call.ended is None for call in self._calls),
            "audio_s": round(sum(call.audio_s for call in self._calls), 3),
            "streams": [call.log() for call in self._calls],
        }

    async def streaming_recognize(self, requests: AsyncIterator[Any], context: Any) -> None:
        with self.control.request() as struck:
            call = Recognition(self._ears, self.control.settings, struck)
            self._calls.append(call)
            await call.run(requests, context)

    def handlers(self) -> "dict[str, grpc.RpcMethodHandler[Any, Any]]":
        """The service's methods; every other one is answered UNIMPLEMENTED."""
        answer = speech.StreamingRecognizeResponse.serialize
        return {"StreamingRecognize": streamed(self.streaming_recognize, _RawRequest.FromString, answer)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--mode", choices=["domain", "general", "tones"], default="domain", help="how speech is heard")
    parser.add_argument("--warm", action="store_true", help="load the recogniser of speech before saying ready (1-2 s)")
    SpeechSettings.add_arguments(parser)


async def serve(args: argparse.Namespace) -> None:
    lines = [text for script in load_personas() for text in sorted(script.texts())]
    ears = Ears([*language_model.phone_phrases(), *lines], args.mode)
    if args.warm:
        await ears.warm()
    server = SpeechServer(ears, SpeechSettings.given(args))
    try:
        async with serving(SERVICE, server.handlers(), server.control, args) as (port, control_port):
            announce(NAME, port, control_port=control_port)
            await asyncio.Event().wait()
    finally:
        ears.close()
