"""Google Cloud Speech-to-Text v2, streaming recognition only: a gRPC server that hears real sound.

``python -m standins google-speech --port N --control-port M``. The control port is `standins.control`'s; its log is
``GET /control/streams``. Faults beside ``status`` and ``hang``: ``drop`` (no results, events only), ``slow``.
"""

import argparse
import asyncio
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Literal

import grpc
import grpc.aio
import numpy as np
from google.cloud.speech_v2 import types as speech
from pydantic import Field
from text_to_num import alpha2digit

from standins import announce, language_model
from standins.audio import SAMPLE_RATE, Halver, encode_mulaw
from standins.control import Control, Fault, Settings, Struck
from standins.grpc_server import RefusalError, invalid, open_server
from standins.listener import Activity, Ears, Final, Heard, Interim, Listener

NAME = "google-speech"
SERVICE = "google.cloud.speech.v2.Speech"

MAX_AUDIO_BYTES = 15 * 1024
"""In one message: the limit documented at `StreamingRecognizeRequest.audio`."""

_RECOGNIZER = re.compile(r"projects/[^/]+/locations/[^/]+/recognizers/_")
_Encoding = speech.ExplicitDecodingConfig.AudioEncoding
_Event = speech.StreamingRecognizeResponse.SpeechEventType
_RawRequest = type(speech.StreamingRecognizeRequest.pb(speech.StreamingRecognizeRequest()))
"""The message as protobuf has it: cheap to read, and one comes for every chunk of sound."""


class SpeechSettings(Settings):
    """Delays in milliseconds, limits in seconds."""

    final_delay_ms: float = Field(default=200, ge=120)
    """Silence between the end of speech and its final. Below 120 each word would be an utterance of its own."""
    interim_delay_ms: float = Field(default=0, ge=0)
    """Added between a word's end and the interim that first holds it."""
    stream_limit_s: float = Field(default=300, gt=0)
    idle_limit_s: float = Field(default=10, gt=0)
    numbers: Literal["words", "digits"] = "words"
    """Whether "five hundred sixty dollars" stays so or becomes "$560", as the vendor's formatting has it."""


class SpeechFault(Fault):
    """What can go wrong with a recognition stream."""

    kind: Literal["status", "hang", "drop", "slow"]


@dataclass(slots=True)
class StreamRecord:
    """One stream in the log."""

    id: int
    opened_at: float
    """Seconds since 1970."""
    recognizer: str = ""
    model: str = ""
    language: str = ""
    audio_s: float = 0.0
    messages: int = 0
    interims: int = 0
    finals: list[str] = field(default_factory=list)
    ended: str | None = None
    """The gRPC code it ended with, or None while it is open."""


def written_numbers(text: str) -> str:
    """*text* with its numbers as the vendor formats them: "$560", "4:30"."""
    digits = alpha2digit(text, "en")
    digits = re.sub(r"\b(\d+) dollars? and (\d\d) cents?\b", r"$\1.\2", digits)
    digits = re.sub(r"\b(\d+) dollars?\b", r"$\1", digits)
    return re.sub(r"\b(1[0-2]|[1-9]) ([1-5][05])\b(?! ?\d)", r"\1:\2", digits)


class Recognition:
    """One call of StreamingRecognize, from its first message to its status."""

    def __init__(self, record: StreamRecord, listener: Listener, settings: SpeechSettings, struck: Struck) -> None:
        self._record = record
        self._listener = listener
        self._settings = settings
        self._struck = struck
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._last_audio = self._started
        self._features = speech.StreamingRecognitionFeatures()
        self._pcm: Halver | Literal["as is"] | None = None
        """How linear sound becomes 8 kHz; None for mu-law, which is what it should be."""
        self._outbox: asyncio.Queue[tuple[float, speech.StreamingRecognizeResponse] | None] = asyncio.Queue()

    async def run(
        self, requests: AsyncIterator[Any], write: Callable[[speech.StreamingRecognizeResponse], Awaitable[None]]
    ) -> None:
        """Serve until the client half-closes. Raises `RefusalError` in an exception group."""
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch())
                answering = tasks.create_task(self._answer(write))
                await self._listen(requests)
                self._outbox.put_nowait(None)
                await answering
                watching.cancel()
        finally:
            await self._listener.finish()

    async def _watch(self) -> None:
        """End the stream by its limits or by a fault."""
        while True:
            now = self._loop.time()
            limit, idle = self._started + self._settings.stream_limit_s, self._last_audio + self._settings.idle_limit_s
            if now >= limit:
                minutes = f"{self._settings.stream_limit_s / 60:g}"
                raise RefusalError(grpc.StatusCode.ABORTED, f"Max duration of {minutes} minutes reached for stream.")
            if now >= idle:
                raise RefusalError(grpc.StatusCode.ABORTED, "Stream timed out after receiving no more client requests.")
            # At most a second, so that settings changed meanwhile take effect.
            await self._struck.wait(min(limit, idle, now + 1))

    async def _listen(self, requests: AsyncIterator[Any]) -> None:
        configured = False
        async for request in requests:
            self._record.messages += 1
            if not configured:
                self._configure(speech.StreamingRecognizeRequest.wrap(request))
                configured = True
                continue
            if request.WhichOneof("streaming_request") != "audio":
                raise invalid("Only the first message may hold a streaming_config; all others must hold audio.")
            await self._take(request.audio)
        if not configured:
            raise invalid("The stream ended before its first message, which must hold recognizer and streaming_config.")
        for heard in await self._listener.finish():
            self._say(heard)

    def _configure(self, request: speech.StreamingRecognizeRequest) -> None:
        if not _RECOGNIZER.fullmatch(request.recognizer):
            raise invalid(
                f"Invalid resource field value in the request: recognizer {request.recognizer!r} is not of the form "
                "projects/{project}/locations/{location}/recognizers/_ (others do not exist here)."
            )
        if "streaming_config" not in request:
            raise invalid("The first message must hold a streaming_config and no audio.")
        config = request.streaming_config.config
        if "explicit_decoding_config" not in config:
            raise invalid("Headerless audio needs an explicit_decoding_config.")
        decoding = config.explicit_decoding_config
        if decoding.audio_channel_count != 1:
            raise invalid(f"audio_channel_count must be 1 here, not {decoding.audio_channel_count}.")
        match decoding.encoding, decoding.sample_rate_hertz:
            case _Encoding.MULAW, 8000:
                self._pcm = None
            case _Encoding.LINEAR16, 8000:
                self._pcm = "as is"
            case _Encoding.LINEAR16, 16000:
                self._pcm = Halver()
            case encoding, rate:
                raise invalid(f"Encoding {encoding} at {rate} Hz is not MULAW at 8000 or LINEAR16 at 8000 or 16000.")
        if not config.model:
            raise invalid("A model must be named: the recognizer _ has no default.")
        if len(config.language_codes) != 1:
            raise invalid(
                f"Exactly one of language_codes is supported by this model, not {len(config.language_codes)}."
            )
        self._features = request.streaming_config.streaming_features
        self._record.recognizer, self._record.model = request.recognizer, config.model
        self._record.language = config.language_codes[0]

    async def _take(self, audio: bytes) -> None:
        if not audio:
            raise invalid("A message after the first must hold audio.")
        if len(audio) > MAX_AUDIO_BYTES:
            raise invalid(f"Audio chunk can be of a maximum of {MAX_AUDIO_BYTES} bytes, but is {len(audio)}.")
        self._last_audio = self._loop.time()
        if self._pcm is not None:
            if len(audio) % 2:
                raise invalid("LINEAR16 audio must hold whole samples of two bytes.")
            pcm = np.frombuffer(audio, "<i2").astype(np.int16)
            audio = encode_mulaw(pcm if self._pcm == "as is" else self._pcm.feed(pcm))
        self._record.audio_s += len(audio) / SAMPLE_RATE
        self._listener.quiet_ms = self._settings.final_delay_ms
        for heard in await self._listener.feed(audio):
            self._say(heard)

    def _say(self, heard: Heard) -> None:
        """Put into the outbox what the client has asked to be told of *heard*."""
        due = self._loop.time() + self._struck.delay_s
        match heard:
            case Activity(kind, at_ms) if self._features.enable_voice_activity_events:
                event = _Event.SPEECH_ACTIVITY_BEGIN if kind == "begin" else _Event.SPEECH_ACTIVITY_END
                response = speech.StreamingRecognizeResponse(
                    speech_event_type=event, speech_event_offset=timedelta(milliseconds=at_ms)
                )
            case Interim() if self._features.interim_results:
                due += self._settings.interim_delay_ms / 1000
                self._record.interims += 1
                response = self._result(heard)
            case Final():
                response = self._result(heard)
                response.metadata = speech.RecognitionResponseMetadata(
                    total_billed_duration=timedelta(seconds=self._record.audio_s)
                )
                self._record.finals.append(heard.text)
            case _:
                return
        self._outbox.put_nowait((due, response))

    def _result(self, heard: Interim | Final) -> speech.StreamingRecognizeResponse:
        text = written_numbers(heard.text) if self._settings.numbers == "digits" else heard.text
        final = isinstance(heard, Final)
        alternative = speech.SpeechRecognitionAlternative(
            # As the vendor has it: finals of one stream concatenate to its transcript.
            transcript=" " + text if self._record.finals else text,
            confidence=heard.confidence if isinstance(heard, Final) else 0.0,
        )
        result = speech.StreamingRecognitionResult(
            alternatives=[alternative],
            is_final=final,
            stability=0.0 if isinstance(heard, Final) else heard.stability,
            result_end_offset=timedelta(milliseconds=heard.end_ms),
            language_code=self._record.language.lower(),
        )
        return speech.StreamingRecognizeResponse(results=[result])

    async def _answer(self, write: Callable[[speech.StreamingRecognizeResponse], Awaitable[None]]) -> None:
        while (item := await self._outbox.get()) is not None:
            due, response = item
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            fault = self._struck.fault
            if not self._struck.hangs and not (fault and fault.kind == "drop" and response.results):
                await write(response)
        if self._struck.hangs:
            await asyncio.get_running_loop().create_future()


class SpeechServer:
    """All streams of the stand-in, and their log."""

    def __init__(self, ears: Ears, settings: SpeechSettings) -> None:
        self.control = Control(settings, SpeechFault, {"streams": self.streams})
        self._ears = ears
        self._settings = settings
        self._records: deque[StreamRecord] = deque(maxlen=1000)
        self._numbers = count(1)

    def streams(self) -> dict[str, object]:
        """The log: how many streams are open, and the last thousand with what they sent and were told."""
        return {
            "open": sum(record.ended is None for record in self._records),
            "audio_s": round(sum(record.audio_s for record in self._records), 3),
            "guessed_words": self._ears.guessed,
            "streams": [asdict(record) for record in self._records],
        }

    async def streaming_recognize(self, requests: AsyncIterator[Any], context: Any) -> None:
        """The handler of the call."""
        record = StreamRecord(next(self._numbers), time.time())
        self._records.append(record)
        refusal: RefusalError | None = None
        record_end = "CANCELLED"
        try:
            with self.control.call() as struck:
                listener = Listener(self._ears, self._settings.final_delay_ms)
                await Recognition(record, listener, self._settings, struck).run(requests, context.write)
            record_end = "OK"
        except* RefusalError as group:
            refusal = next(error for error in group.exceptions if isinstance(error, RefusalError))
            record_end = refusal.code.name
        finally:
            record.ended = record_end
        if refusal:
            await context.abort(refusal.code, refusal.message)

    def handlers(self) -> "dict[str, grpc.RpcMethodHandler[Any, Any]]":
        """The service's methods; every other one is answered UNIMPLEMENTED."""
        method = grpc.stream_stream_rpc_method_handler(
            self.streaming_recognize,
            request_deserializer=_RawRequest.FromString,
            response_serializer=speech.StreamingRecognizeResponse.serialize,
        )
        return {"StreamingRecognize": method}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options beside host and port."""
    defaults = SpeechSettings()
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--mode", choices=["domain", "general", "tones"], default="domain", help="how speech is heard")
    parser.add_argument("--phrases", type=Path, help="a file of further phrases for the domain, one a line")
    parser.add_argument(
        "--warm", action="store_true", help="load the recogniser of speech before saying ready (1 to 2 s)"
    )
    parser.add_argument("--final-delay-ms", type=float, default=defaults.final_delay_ms)
    parser.add_argument("--interim-delay-ms", type=float, default=defaults.interim_delay_ms)
    parser.add_argument("--stream-limit-s", type=float, default=defaults.stream_limit_s)
    parser.add_argument("--idle-limit-s", type=float, default=defaults.idle_limit_s)
    parser.add_argument("--numbers", choices=["words", "digits"], default=defaults.numbers)


async def serve(args: argparse.Namespace) -> None:
    """Run until cancelled."""
    settings = SpeechSettings(**{name: getattr(args, name) for name in SpeechSettings.model_fields})
    phrases = [*language_model.phone_phrases(), *language_model.persona_lines()]
    if args.phrases:
        phrases += args.phrases.read_text("utf-8").splitlines()
    ears = Ears(phrases, args.mode)
    if args.warm and args.mode != "tones":
        await ears.warm()
    speech_server = SpeechServer(ears, settings)
    server, port = await open_server(SERVICE, speech_server.handlers(), args.host, args.port)
    runner, control_port = await speech_server.control.open(args.host, args.control_port)
    try:
        announce(NAME, port, control_port=control_port)
        await server.wait_for_termination()
    finally:
        await server.stop(grace=None)
        await runner.cleanup()
        ears.close()
