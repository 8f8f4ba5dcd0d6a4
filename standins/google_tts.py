"""Google Cloud Text-to-Speech v1, streaming and unary synthesis: a gRPC server that really speaks.

``python -m standins google-tts --port N --control-port M [--voice auto|rms|kal16|slt|tones]``. The control port is
`standins.control`'s; its log is ``GET /control/texts``. Faults beside ``status`` and ``hang``: ``slow``, ``truncated``
(half of each text's sound is missing, without an error) and ``wrong_rate`` (the sound is twice as fast as asked for).
"""

import argparse
import asyncio
import re
import struct
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import grpc
import grpc.aio
from google.cloud.texttospeech_v1 import types as texttospeech
from pydantic import Field

from standins import StartError, announce, speaker
from standins.audio import SAMPLE_RATE, decode_mulaw, encode_mulaw, resample
from standins.control import Control, Fault, Settings, Struck
from standins.grpc_server import RefusalError, invalid, open_server

NAME = "google-tts"
SERVICE = "google.cloud.texttospeech.v1.TextToSpeech"

MAX_TEXT_BYTES = 5000
"""In one request: the vendor's published limit."""

CHUNK_MS = 100
"""Sound in one streamed answer."""

_Encoding = texttospeech.AudioEncoding
_VOICE = re.compile(r"([a-z]{2,3}-[A-Z]{2})-[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_STREAMING_VOICE = re.compile(r"[a-z]{2,3}-[A-Z]{2}-Chirp3-HD-[A-Za-z]+")
_RATES = (8000, 16000, 24000, 48000)
"""Of the vendor's, those which are whole multiples of the telephone's."""


class VoiceSettings(Settings):
    """How quickly the stand-in speaks."""

    first_byte_ms: float = Field(default=150, ge=0)
    """From a text's arrival to its first sound."""
    speed: float = Field(default=5, gt=0)
    """Sound comes so many times as fast as it plays."""
    idle_limit_s: float = Field(default=5, gt=0)
    """A stream without a new text for so long ends with an error."""


class VoiceFault(Fault):
    """What can go wrong with a synthesis."""

    kind: Literal["status", "hang", "slow", "truncated", "wrong_rate"]


@dataclass(slots=True)
class TextRecord:
    """One text in the log."""

    at: float
    """Seconds since 1970."""
    method: str
    voice: str
    text: str
    audio_s: float = 0.0
    """Sound sent for it so far."""


@dataclass(frozen=True, slots=True)
class Format:
    """The sound a client has asked for."""

    encoding: texttospeech.AudioEncoding
    rate: int

    @classmethod
    def of(cls, config: texttospeech.AudioConfig | texttospeech.StreamingAudioConfig) -> "Format":
        """What *config* asks for. Raises `RefusalError` where the vendor would, or where we cannot follow it."""
        streaming = isinstance(config, texttospeech.StreamingAudioConfig)
        known = (_Encoding.MULAW, _Encoding.PCM) if streaming else (_Encoding.MULAW, _Encoding.PCM, _Encoding.LINEAR16)
        if config.audio_encoding not in known:
            raise invalid(f"Unsupported audio encoding {config.audio_encoding!r}: use one of {[*known]}.")
        if config.speaking_rate and not 0.25 <= config.speaking_rate <= 2:
            raise invalid(f"speaking_rate must be in the range [0.25, 2.0], not {config.speaking_rate}.")
        rate = config.sample_rate_hertz or 24000
        if rate not in _RATES:
            raise invalid(f"Unsupported sample_rate_hertz {rate}: use one of {_RATES}.")
        return cls(config.audio_encoding, rate)

    @property
    def bytes_per_s(self) -> int:
        """Of sound without a header."""
        return self.rate * (1 if self.encoding == _Encoding.MULAW else 2)

    def rendered(self, mulaw: bytes, fault: str | None) -> bytes:
        """*mulaw* in this format, without a header; damaged as *fault* says."""
        if fault == "truncated":
            mulaw = mulaw[: len(mulaw) // 2]
        rate = self.rate * 2 if fault == "wrong_rate" else self.rate
        if self.encoding == _Encoding.MULAW and rate == SAMPLE_RATE:
            return mulaw
        pcm = resample(decode_mulaw(mulaw), SAMPLE_RATE, rate)
        return encode_mulaw(pcm) if self.encoding == _Encoding.MULAW else pcm.astype("<i2").tobytes()

    def with_header(self, sound: bytes) -> bytes:
        """*sound* as the unary call returns it: as a WAV file, except PCM."""
        if self.encoding == _Encoding.PCM:
            return sound
        mulaw = self.encoding == _Encoding.MULAW
        width = 1 if mulaw else 2
        # Format tags 7 and 1; a format other than PCM has an (empty) extension and a fact chunk.
        layout = struct.pack("<HHIIHH", 7 if mulaw else 1, 1, self.rate, self.rate * width, width, 8 * width)
        chunks = _riff(b"fmt ", layout + b"\0\0") + _riff(b"fact", struct.pack("<I", len(sound)))
        return _riff(b"RIFF", b"WAVE" + (chunks if mulaw else _riff(b"fmt ", layout)) + _riff(b"data", sound))


def _riff(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def checked_voice(voice: texttospeech.VoiceSelectionParams, streaming: bool) -> str:
    """The voice's name, or its language when it has none. Raises `RefusalError` for one the vendor would not know."""
    if not voice.language_code:
        raise invalid("voice.language_code is required.")
    if streaming and not _STREAMING_VOICE.fullmatch(voice.name):
        raise invalid("Streaming synthesis is currently only supported for Chirp 3: HD voices.")
    if voice.name:
        named = _VOICE.fullmatch(voice.name)
        if not named:
            raise invalid(f"Voice {voice.name!r} does not exist. Is it misspelled?")
        if named[1].lower() != voice.language_code.lower():
            raise invalid(f"Requested language code {voice.language_code!r} does not match voice {voice.name!r}.")
    return voice.name or voice.language_code


def checked_text(given: texttospeech.SynthesisInput | texttospeech.StreamingSynthesisInput) -> str:
    """The words to speak. Raises `RefusalError` when there are none, or too many."""
    text = given.text or re.sub(r"\[[^\]]*\]", " ", given.markup)
    if not text.strip():
        raise invalid("Either input.text or input.markup must hold text (ssml is not imitated).")
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise invalid(f"Either `input.text` or `input.ssml` is longer than the limit of {MAX_TEXT_BYTES} bytes.")
    return text


class VoiceServer:
    """All calls of the stand-in, and the log of what they asked it to say."""

    def __init__(self, engine: str, settings: VoiceSettings) -> None:
        self.engine = engine
        self.control = Control(settings, VoiceFault, {"texts": self.texts})
        self.settings = settings
        self._records: deque[TextRecord] = deque(maxlen=2000)

    def texts(self) -> dict[str, object]:
        """The log: the last two thousand texts, the oldest first."""
        return {"engine": self.engine, "texts": [asdict(record) for record in self._records]}

    async def speak(self, method: str, voice: str, text: str) -> tuple[TextRecord, bytes]:
        """Log *text* and render it: mu-law."""
        record = TextRecord(time.time(), method, voice, text)
        self._records.append(record)
        if self.engine == speaker.TONES:
            return record, speaker.render(text, self.engine)
        return record, await asyncio.to_thread(speaker.render, text, self.engine)

    async def streaming_synthesize(self, requests: AsyncIterator[Any], context: Any) -> None:
        """The handler of the streaming call."""
        refusal: RefusalError | None = None
        try:
            with self.control.call() as struck:
                await Synthesis(self, struck).run(requests, context.write)
        except* RefusalError as group:
            refusal = next(error for error in group.exceptions if isinstance(error, RefusalError))
        if refusal:
            await context.abort(refusal.code, refusal.message)

    async def synthesize_speech(
        self, request: texttospeech.SynthesizeSpeechRequest, context: Any
    ) -> texttospeech.SynthesizeSpeechResponse:
        """The handler of the unary call."""
        refusal: RefusalError | None = None
        try:
            with self.control.call() as struck:
                voice, text = checked_voice(request.voice, streaming=False), checked_text(request.input)
                sound_format = Format.of(request.audio_config)
                record, mulaw = await self.speak("SynthesizeSpeech", voice, text)
                sound = sound_format.rendered(mulaw, struck.fault.kind if struck.fault else None)
                record.audio_s = len(sound) / sound_format.bytes_per_s
                loop = asyncio.get_running_loop()
                due = loop.time() + self.settings.first_byte_ms / 1000 + record.audio_s / self.settings.speed
                while struck.hangs or loop.time() < due + struck.delay_s:
                    await struck.wait(loop.time() + 1 if struck.hangs else due + struck.delay_s)
                await struck.wait(loop.time())
                return texttospeech.SynthesizeSpeechResponse(audio_content=sound_format.with_header(sound))
        except RefusalError as error:
            refusal = error
        await context.abort(refusal.code, refusal.message)
        raise AssertionError("abort raises")

    def handlers(self) -> "dict[str, grpc.RpcMethodHandler[Any, Any]]":
        """The service's methods; every other one is answered UNIMPLEMENTED."""
        return {
            "StreamingSynthesize": grpc.stream_stream_rpc_method_handler(
                self.streaming_synthesize,
                request_deserializer=texttospeech.StreamingSynthesizeRequest.deserialize,
                response_serializer=texttospeech.StreamingSynthesizeResponse.serialize,
            ),
            "SynthesizeSpeech": grpc.unary_unary_rpc_method_handler(
                self.synthesize_speech,
                request_deserializer=texttospeech.SynthesizeSpeechRequest.deserialize,
                response_serializer=texttospeech.SynthesizeSpeechResponse.serialize,
            ),
        }


class Synthesis:
    """One call of StreamingSynthesize, from its first message to its status."""

    def __init__(self, server: VoiceServer, struck: Struck) -> None:
        self._server = server
        self._struck = struck
        self._loop = asyncio.get_running_loop()
        self._last_input = self._loop.time()
        self._half_closed = False
        self._voice = ""
        self._format: Format | None = None
        self._texts: asyncio.Queue[tuple[float, str] | None] = asyncio.Queue()

    async def run(
        self,
        requests: AsyncIterator[texttospeech.StreamingSynthesizeRequest],
        write: Callable[[texttospeech.StreamingSynthesizeResponse], Awaitable[None]],
    ) -> None:
        """Serve until all texts are spoken after the client's half-close. Raises `RefusalError` in a group."""
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch())
            speaking = tasks.create_task(self._speak(write))
            await self._listen(requests)
            self._half_closed = True
            self._texts.put_nowait(None)
            await speaking
            watching.cancel()

    async def _watch(self) -> None:
        """End the stream when nothing more is asked for, or by a fault."""
        while True:
            now, idle_at = self._loop.time(), self._last_input + self._server.settings.idle_limit_s
            if now >= idle_at and not self._half_closed:
                message = "Stream aborted due to long duration elapsed without input sent."
                raise RefusalError(grpc.StatusCode.ABORTED, message)
            await self._struck.wait(now + 1 if self._half_closed else min(idle_at, now + 1))

    async def _listen(self, requests: AsyncIterator[texttospeech.StreamingSynthesizeRequest]) -> None:
        async for request in requests:
            self._last_input = self._loop.time()
            if self._format is None:
                if "streaming_config" not in request:
                    raise invalid("The first message must hold a streaming_config and no input.")
                self._voice = checked_voice(request.streaming_config.voice, streaming=True)
                self._format = Format.of(request.streaming_config.streaming_audio_config)
                continue
            if "input" not in request:
                raise invalid("Only the first message may hold a streaming_config; all others must hold input.")
            self._texts.put_nowait((self._last_input, checked_text(request.input)))
        if self._format is None:
            raise invalid("The stream ended before its first message, which must hold a streaming_config.")

    async def _speak(self, write: Callable[[texttospeech.StreamingSynthesizeResponse], Awaitable[None]]) -> None:
        settings = self._server.settings
        due = 0.0
        while (item := await self._texts.get()) is not None:
            arrived, text = item
            assert self._format is not None, "texts follow the configuration"
            record, mulaw = await self._server.speak("StreamingSynthesize", self._voice, text)
            fault = self._struck.fault
            sound = self._format.rendered(mulaw, fault.kind if fault else None)
            size = self._format.bytes_per_s * CHUNK_MS // 1000
            due = max(due, arrived + settings.first_byte_ms / 1000 + self._struck.delay_s)
            for at in range(0, len(sound), size):
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                if self._struck.hangs:
                    await self._loop.create_future()
                chunk = sound[at : at + size]
                await write(texttospeech.StreamingSynthesizeResponse(audio_content=chunk))
                record.audio_s += len(chunk) / self._format.bytes_per_s
                due += CHUNK_MS / 1000 / settings.speed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options beside host and port."""
    defaults = VoiceSettings()
    engines = ["auto", *speaker.FLITE_VOICES, speaker.TONES]
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--voice", choices=engines, default="auto", help="who speaks; auto: rms if flite is installed")
    parser.add_argument("--first-byte-ms", type=float, default=defaults.first_byte_ms)
    parser.add_argument("--speed", type=float, default=defaults.speed, help="times real time")
    parser.add_argument("--idle-limit-s", type=float, default=defaults.idle_limit_s)


async def serve(args: argparse.Namespace) -> None:
    """Run until cancelled."""
    engine = speaker.available()[0] if args.voice == "auto" else args.voice
    if engine not in speaker.available():
        raise StartError(f"--voice {engine} needs the program flite: install it, or use --voice {speaker.TONES}")
    voice_server = VoiceServer(
        engine, VoiceSettings(**{name: getattr(args, name) for name in VoiceSettings.model_fields})
    )
    server, port = await open_server(SERVICE, voice_server.handlers(), args.host, args.port)
    runner, control_port = await voice_server.control.open(args.host, args.control_port)
    try:
        announce(NAME, port, control_port=control_port, engine=engine)
        await server.wait_for_termination()
    finally:
        await server.stop(grace=None)
        await runner.cleanup()
