"""Google Cloud Text-to-Speech v1, streaming and unary synthesis: a gRPC server that really speaks.

``python -m standins google-tts --port N --control-port M [--voice auto|rms|kal16|slt|tones]``. Its log is
``GET /control/texts``.
"""

import argparse
import asyncio
import re
import struct
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Literal

import grpc
import numpy as np
from google.cloud.texttospeech_v1 import types as texttospeech
from pydantic import Field

from standins import StartError, announce, speaker
from standins.audio import SAMPLE_RATE, decode_mulaw
from standins.control import Settings
from standins.grpc_server import CallControl, CallFault, RefusalError, StreamingCall, Struck, answered, refuse, serving

NAME = "google-tts"
SERVICE = "google.cloud.texttospeech.v1.TextToSpeech"

MAX_TEXT_BYTES = 5000
"""In one request: the vendor's published limit."""

CHUNK_MS = 100
"""Sound in one streamed answer."""

_Encoding = texttospeech.AudioEncoding
_WIDTHS: dict[int, int] = {_Encoding.MULAW: 1, _Encoding.PCM: 2, _Encoding.LINEAR16: 2}
"""Bytes of a sample; LINEAR16 is PCM as a file, which streams do not know."""
_VOICE = re.compile(r"([a-z]{2,3}-[A-Z]{2})-[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_STREAMING_VOICE = re.compile(r"[a-z]{2,3}-[A-Z]{2}-Chirp3-HD-[A-Za-z]+")


class VoiceSettings(Settings):
    """How quickly the stand-in speaks."""

    first_byte_ms: float = Field(default=150, ge=0)
    """From a text's arrival to its first sound."""
    speed: float = Field(default=5, gt=0)
    """Sound comes so many times as fast as it plays."""
    idle_limit_s: float = Field(default=5, gt=0)
    """A stream without a new text for so long ends with an error."""


class VoiceFault(CallFault):
    """``truncated``: half of each text's sound is missing; ``wrong_rate``: there is twice as much as asked for."""

    kind: Literal["status", "hang", "slow", "truncated", "wrong_rate"]


def checked_encoding(audio: Any, streaming: bool) -> int:
    """The encoding asked for. Raises `RefusalError` where the vendor would, or where we cannot follow it."""
    known = [each for each in _WIDTHS if not (streaming and each == _Encoding.LINEAR16)]
    refuse(
        (audio.audio_encoding not in known, f"Unsupported audio encoding {audio.audio_encoding!r}: use {known}."),
        (
            audio.speaking_rate and not 0.25 <= audio.speaking_rate <= 2,
            f"speaking_rate must be in the range [0.25, 2.0], not {audio.speaking_rate}.",
        ),
        (
            audio.sample_rate_hertz != SAMPLE_RATE,
            f"sample_rate_hertz must be {SAMPLE_RATE} here, not {audio.sample_rate_hertz}.",
        ),
    )
    return int(audio.audio_encoding)


def checked_voice(voice: texttospeech.VoiceSelectionParams, streaming: bool) -> str:
    """The voice's name, or its language when it has none. Raises `RefusalError` for one the vendor would not know."""
    named = _VOICE.fullmatch(voice.name)
    refuse(
        (not voice.language_code, "voice.language_code is required."),
        (
            streaming and not _STREAMING_VOICE.fullmatch(voice.name),
            "Streaming synthesis is currently only supported for Chirp 3: HD voices.",
        ),
        (voice.name and not named, f"Voice {voice.name!r} does not exist. Is it misspelled?"),
        (
            named and named[1].lower() != voice.language_code.lower(),
            f"Requested language code {voice.language_code!r} does not match voice {voice.name!r}.",
        ),
    )
    return voice.name or voice.language_code


def checked_text(given: texttospeech.SynthesisInput | texttospeech.StreamingSynthesisInput) -> str:
    """The words to speak. Raises `RefusalError` when there are none, or too many."""
    refuse(
        (not given.text.strip(), "input.text must hold text (markup and ssml are not imitated)."),
        (
            len(given.text.encode()) > MAX_TEXT_BYTES,
            f"`input.text` is longer than the limit of {MAX_TEXT_BYTES} bytes.",
        ),
    )
    return given.text


def rendered(mulaw: bytes, encoding: int, fault: str) -> bytes:
    """*mulaw* in this encoding, without a header; damaged as *fault* says."""
    if fault == "truncated":
        mulaw = mulaw[: len(mulaw) // 2]
    if fault == "wrong_rate":
        mulaw = np.frombuffer(mulaw, np.uint8).repeat(2).tobytes()
    return mulaw if encoding == _Encoding.MULAW else decode_mulaw(mulaw).astype("<i2").tobytes()


def with_header(sound: bytes, encoding: int) -> bytes:
    """*sound* as the unary call returns it: as a WAV file, except PCM."""
    if encoding == _Encoding.PCM:
        return sound
    mulaw, width = encoding == _Encoding.MULAW, _WIDTHS[encoding]
    # Format tags 7 and 1; a format other than PCM has an (empty) extension and a fact chunk.
    layout = struct.pack("<HHIIHH", 7 if mulaw else 1, 1, SAMPLE_RATE, SAMPLE_RATE * width, width, 8 * width)
    more = _riff(b"fmt ", layout + b"\0\0") + _riff(b"fact", struct.pack("<I", len(sound)))
    return _riff(b"RIFF", b"WAVE" + (more if mulaw else _riff(b"fmt ", layout)) + _riff(b"data", sound))


def _riff(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


class VoiceServer:
    """All calls of the stand-in, and the log of what they asked it to say."""

    def __init__(self, engine: str, settings: VoiceSettings) -> None:
        self.control = CallControl(settings, VoiceFault, texts=self.texts)
        self._engine = engine
        self._log: deque[dict[str, object]] = deque(maxlen=2000)

    def texts(self) -> dict[str, object]:
        """The log: the last two thousand texts, the oldest first; ``at`` in seconds since 1970."""
        return {"engine": self._engine, "texts": list(self._log)}

    async def speak(self, method: str, voice: str, text: str) -> bytes:
        """Log *text* and render it: mu-law."""
        self._log.append({"at": time.time(), "method": method, "voice": voice, "text": text})
        if self._engine == speaker.TONES:
            return speaker.render(text, self._engine)
        return await asyncio.to_thread(speaker.render, text, self._engine)

    async def streaming_synthesize(self, requests: AsyncIterator[Any], context: Any) -> None:
        """The handler of the streaming call."""
        with self.control.call() as struck:
            await Synthesis(self, struck).run(requests, context)

    async def synthesize_speech(
        self, request: texttospeech.SynthesizeSpeechRequest, _context: Any
    ) -> texttospeech.SynthesizeSpeechResponse:
        """The handler of the unary call."""
        with self.control.call() as struck:
            return await struck.guard(self._file(request, struck))

    async def _file(
        self, request: texttospeech.SynthesizeSpeechRequest, struck: Struck
    ) -> texttospeech.SynthesizeSpeechResponse:
        voice, text = checked_voice(request.voice, streaming=False), checked_text(request.input)
        encoding = checked_encoding(request.audio_config, streaming=False)
        mulaw = await self.speak("SynthesizeSpeech", voice, text)
        settings, sound_s = self.control.settings, len(mulaw) / SAMPLE_RATE
        await asyncio.sleep(settings.first_byte_ms / 1000 + sound_s / settings.speed + struck.delay_s)
        await struck.answer()
        content = with_header(rendered(mulaw, encoding, struck.kind), encoding)
        return texttospeech.SynthesizeSpeechResponse(audio_content=content)

    def handlers(self) -> "dict[str, grpc.RpcMethodHandler[Any, Any]]":
        """The service's methods; every other one is answered UNIMPLEMENTED."""
        return {
            "StreamingSynthesize": grpc.stream_stream_rpc_method_handler(
                answered(self.streaming_synthesize),
                request_deserializer=texttospeech.StreamingSynthesizeRequest.deserialize,
                response_serializer=texttospeech.StreamingSynthesizeResponse.serialize,
            ),
            "SynthesizeSpeech": grpc.unary_unary_rpc_method_handler(
                answered(self.synthesize_speech),
                request_deserializer=texttospeech.SynthesizeSpeechRequest.deserialize,
                response_serializer=texttospeech.SynthesizeSpeechResponse.serialize,
            ),
        }


class Synthesis(StreamingCall):
    """One call of StreamingSynthesize."""

    def __init__(self, server: VoiceServer, struck: Struck) -> None:
        super().__init__(struck)
        self._server = server
        self._voice = ""
        self._encoding = 0
        self._due = 0.0

    def check_limits(self) -> None:
        """Raise `RefusalError` if nothing more has been asked for."""
        waited = self.loop.time() - self.last_message
        if not self.half_closed and waited >= self._server.control.settings.idle_limit_s:
            message = "Stream aborted due to long duration elapsed without input sent."
            raise RefusalError(grpc.StatusCode.ABORTED, message)

    def configure(self, request: Any) -> None:
        """Take the voice and the sound's format."""
        refuse(("streaming_config" not in request, "The first message must hold a streaming_config and no input."))
        self._voice = checked_voice(request.streaming_config.voice, streaming=True)
        self._encoding = checked_encoding(request.streaming_config.streaming_audio_config, streaming=True)

    async def take(self, request: Any) -> None:
        """Take a text."""
        refuse(("input" not in request, "Only the first message may hold a streaming_config; others must hold input."))
        text, settings = checked_text(request.input), self._server.control.settings
        mulaw = await self._server.speak("StreamingSynthesize", self._voice, text)
        sound = rendered(mulaw, self._encoding, self.struck.kind)
        self._due = max(self._due, self.last_message + settings.first_byte_ms / 1000)
        size = _WIDTHS[self._encoding] * SAMPLE_RATE * CHUNK_MS // 1000
        for at in range(0, len(sound), size):
            chunk = texttospeech.StreamingSynthesizeResponse(audio_content=sound[at : at + size])
            self.answer(chunk, self._due)
            self._due += CHUNK_MS / 1000 / settings.speed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options beside host and port."""
    engines = ["auto", *speaker.FLITE_VOICES, speaker.TONES]
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--voice", choices=engines, default="auto", help="who speaks; auto: rms if flite is installed")
    VoiceSettings.add_arguments(parser)


async def serve(args: argparse.Namespace) -> None:
    """Run until cancelled."""
    engine = speaker.available()[0] if args.voice == "auto" else args.voice
    if engine not in speaker.available():
        raise StartError(f"--voice {engine} needs the program flite: install it, or use --voice {speaker.TONES}")
    server = VoiceServer(engine, VoiceSettings.given(args))
    async with serving(SERVICE, server.handlers(), server.control, args) as (port, control_port):
        announce(NAME, port, control_port=control_port, engine=engine)
        await asyncio.Event().wait()
