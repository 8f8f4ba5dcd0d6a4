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
from typing import Any

import grpc
import numpy as np
from google.cloud.texttospeech_v1 import types as texttospeech
from pydantic import Field

from standins import StartError, announce, speaker
from standins.audio import SAMPLE_RATE, decode_mulaw
from standins.control import Control, Settings, Struck
from standins.grpc_server import StreamingCall, answerable, answered, guarded, refuse, serving, streamed

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


FAULTS = ("status", "hang", "slow", "truncated", "wrong_rate")
"""``truncated``: half of each text's sound is missing; ``wrong_rate``: there is twice as much as asked for."""


def checked_format(voice: texttospeech.VoiceSelectionParams, audio: Any, streaming: bool) -> tuple[str, int]:
    """The voice's name, or its language when it has none, and the encoding.

    Raises `RefusalError` where the vendor would, or where we cannot follow it.
    """
    named, language, rate = _VOICE.fullmatch(voice.name), voice.language_code, audio.speaking_rate
    known = [each for each in _WIDTHS if not (streaming and each == _Encoding.LINEAR16)]
    hertz = audio.sample_rate_hertz
    unsupported = streaming and not _STREAMING_VOICE.fullmatch(voice.name)
    refuse(
        (not language, "voice.language_code is required."),
        (unsupported, "Streaming synthesis is currently only supported for Chirp 3: HD voices."),
        (voice.name and not named, f"Voice {voice.name!r} does not exist. Is it misspelled?"),
        (
            named and named[1].lower() != language.lower(),
            f"Requested language code {language!r} does not match voice {voice.name!r}.",
        ),
        (audio.audio_encoding not in known, f"Unsupported audio encoding {audio.audio_encoding!r}: use {known}."),
        (rate and not 0.25 <= rate <= 2, f"speaking_rate must be in the range [0.25, 2.0], not {rate}."),
        (hertz != SAMPLE_RATE, f"sample_rate_hertz must be {SAMPLE_RATE} here, not {hertz}."),
    )
    return voice.name or language, int(audio.audio_encoding)


def rendered(mulaw: bytes, encoding: int, struck: Struck) -> bytes:
    """*mulaw* in this encoding, without a header; damaged as a fault has it."""
    if struck.by("truncated"):
        mulaw = mulaw[: len(mulaw) // 2]
    if struck.by("wrong_rate"):
        mulaw = np.frombuffer(mulaw, np.uint8).repeat(2).tobytes()
    return mulaw if encoding == _Encoding.MULAW else decode_mulaw(mulaw).astype("<i2").tobytes()


def with_header(sound: bytes, encoding: int) -> bytes:
    """*sound* as the unary call returns it: as a WAV file, except PCM."""

    def riff(name: bytes, content: bytes) -> bytes:
        return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

    if encoding == _Encoding.PCM:
        return sound
    mulaw, width = encoding == _Encoding.MULAW, _WIDTHS[encoding]
    # Format tags 7 and 1; a format other than PCM has an (empty) extension and a fact chunk.
    layout = struct.pack("<HHIIHH", 7 if mulaw else 1, 1, SAMPLE_RATE, SAMPLE_RATE * width, width, 8 * width)
    more = riff(b"fmt ", layout + b"\0\0") + riff(b"fact", struct.pack("<I", len(sound)))
    return riff(b"RIFF", b"WAVE" + (more if mulaw else riff(b"fmt ", layout)) + riff(b"data", sound))


class VoiceServer:
    """All calls of the stand-in, and the log of what they asked it to say."""

    def __init__(self, engine: str, settings: VoiceSettings) -> None:
        self.control = Control(settings, FAULTS, texts=self.texts)
        self._engine = engine
        self._log: deque[dict[str, object]] = deque(maxlen=2000)

    def texts(self) -> dict[str, object]:
        """The log: the last two thousand texts, the oldest first; ``at`` in seconds since 1970."""
        return {"engine": self._engine, "texts": list(self._log)}

    async def speak(self, method: str, voice: str, text: str) -> bytes:
        """Log *text* and render it: mu-law. Raises `RefusalError` when there is none, or too much."""
        refuse(
            (not text.strip(), "input.text must hold text (markup and ssml are not imitated)."),
            (len(text.encode()) > MAX_TEXT_BYTES, f"`input.text` is longer than the limit of {MAX_TEXT_BYTES} bytes."),
        )
        self._log.append({"at": time.time(), "method": method, "voice": voice, "text": text})
        if self._engine == speaker.TONES:
            return speaker.render(text, self._engine)
        return await asyncio.to_thread(speaker.render, text, self._engine)

    async def streaming_synthesize(self, requests: AsyncIterator[Any], context: Any) -> None:
        with self.control.request() as struck:
            await Synthesis(self, struck).run(requests, context)

    async def synthesize_speech(self, request: Any, _context: Any) -> texttospeech.SynthesizeSpeechResponse:
        async def content() -> bytes:
            voice, encoding = checked_format(request.voice, request.audio_config, streaming=False)
            mulaw = await self.speak("SynthesizeSpeech", voice, request.input.text)
            takes_s = (
                self.control.settings.first_byte_ms / 1000 + len(mulaw) / SAMPLE_RATE / self.control.settings.speed
            )
            await answerable(struck, asyncio.get_running_loop().time() + takes_s)
            return with_header(rendered(mulaw, encoding, struck), encoding)

        with self.control.request() as struck:
            return texttospeech.SynthesizeSpeechResponse(audio_content=await guarded(struck, content()))

    def handlers(self) -> "dict[str, grpc.RpcMethodHandler[Any, Any]]":
        """The service's methods; every other one is answered UNIMPLEMENTED."""
        return {
            "StreamingSynthesize": streamed(
                self.streaming_synthesize,
                texttospeech.StreamingSynthesizeRequest.deserialize,
                texttospeech.StreamingSynthesizeResponse.serialize,
            ),
            "SynthesizeSpeech": grpc.unary_unary_rpc_method_handler(
                answered(self.synthesize_speech),
                request_deserializer=texttospeech.SynthesizeSpeechRequest.deserialize,
                response_serializer=texttospeech.SynthesizeSpeechResponse.serialize,
            ),
        }


class Synthesis(StreamingCall):
    """One call of StreamingSynthesize."""

    IDLE = "Stream aborted due to long duration elapsed without input sent."

    def __init__(self, server: VoiceServer, struck: Struck) -> None:
        self._server, self._settings = server, server.control.settings
        super().__init__(struck, self._settings.idle_limit_s)
        self._due = 0.0

    def configure(self, request: Any) -> None:
        refuse(("streaming_config" not in request, "The first message must hold a streaming_config and no input."))
        config = request.streaming_config
        self._voice, self._encoding = checked_format(config.voice, config.streaming_audio_config, streaming=True)

    async def take(self, request: Any) -> None:
        refuse(("input" not in request, "Only the first message may hold a streaming_config; others must hold input."))
        mulaw = await self._server.speak("StreamingSynthesize", self._voice, request.input.text)
        sound = rendered(mulaw, self._encoding, self.struck)
        self._due = max(self._due, self.last_message + self._settings.first_byte_ms / 1000)
        size = _WIDTHS[self._encoding] * SAMPLE_RATE * CHUNK_MS // 1000
        for at in range(0, len(sound), size):
            self.answer(texttospeech.StreamingSynthesizeResponse(audio_content=sound[at : at + size]), self._due)
            self._due += CHUNK_MS / 1000 / self._settings.speed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    engines = ["auto", *speaker.FLITE_VOICES, speaker.TONES]
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--voice", choices=engines, default="auto", help="who speaks; auto: rms if flite is installed")
    VoiceSettings.add_arguments(parser)


async def serve(args: argparse.Namespace) -> None:
    engine = speaker.available()[0] if args.voice == "auto" else args.voice
    if engine not in speaker.available():
        raise StartError(f"--voice {engine} needs the program flite: install it, or use --voice {speaker.TONES}")
    server = VoiceServer(engine, VoiceSettings.given(args))
    async with serving(SERVICE, server.handlers(), server.control, args) as (port, control_port):
        announce(NAME, port, control_port=control_port, engine=engine)
        await asyncio.Event().wait()
