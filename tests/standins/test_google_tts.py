"""The voice stand-in against Google's own asynchronous client."""

import asyncio
import io
import struct
import wave
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np
import pytest
from google.api_core import exceptions
from google.cloud.texttospeech_v1 import TextToSpeechAsyncClient
from google.cloud.texttospeech_v1 import types as texttospeech
from google.cloud.texttospeech_v1.services.text_to_speech.transports.grpc_asyncio import (
    TextToSpeechGrpcAsyncIOTransport,
)

from standins import speaker, tones
from standins.audio import encode_mulaw, loudness_db
from standins.google_tts import MAX_TEXT_BYTES, SERVICE, VoiceServer, VoiceSettings
from tests.standins.vendor_client import DEADLINE_S, Steering, running

Encoding = texttospeech.AudioEncoding
VOICE = texttospeech.VoiceSelectionParams(language_code="en-US", name="en-US-Chirp3-HD-Charon")
SENTENCE = "Hello, this is an AI assistant calling for Tom Baker."
WORDS = " ".join(tones.spoken_words(SENTENCE))
QUICK = VoiceSettings(first_byte_ms=0, speed=1000)


def opening(
    encoding: int = Encoding.MULAW, rate: int = 8000, voice: Any = VOICE, **audio: Any
) -> texttospeech.StreamingSynthesizeRequest:
    audio_config = texttospeech.StreamingAudioConfig(audio_encoding=encoding, sample_rate_hertz=rate, **audio)
    config = texttospeech.StreamingSynthesizeConfig(voice=voice, streaming_audio_config=audio_config)
    return texttospeech.StreamingSynthesizeRequest(streaming_config=config)


def saying(text: str) -> texttospeech.StreamingSynthesizeRequest:
    return texttospeech.StreamingSynthesizeRequest(input=texttospeech.StreamingSynthesisInput(text=text))


class Voice:
    """Google's client, and the stand-in's control port."""

    def __init__(self, client: TextToSpeechAsyncClient, steering: Steering) -> None:
        self._client = client
        self.steering = steering

    async def stream(
        self, requests: Sequence[texttospeech.StreamingSynthesizeRequest], hold_open: bool = False
    ) -> list[bytes]:
        """The chunks of sound for *requests*; with *hold_open* the client does not half-close."""
        done = asyncio.Event()

        async def sending() -> AsyncIterator[texttospeech.StreamingSynthesizeRequest]:
            for request in requests:
                yield request
            if hold_open:
                await done.wait()

        try:
            async with asyncio.timeout(DEADLINE_S):
                stream = await self._client.streaming_synthesize(requests=sending(), retry=None, timeout=DEADLINE_S)
                return [response.audio_content async for response in stream]
        finally:
            done.set()

    async def file(self, encoding: int, text: str = SENTENCE, voice: Any = VOICE) -> bytes:
        """The content of the unary call."""
        async with asyncio.timeout(DEADLINE_S):
            answer = await self._client.synthesize_speech(
                input=texttospeech.SynthesisInput(text=text),
                voice=voice,
                audio_config=texttospeech.AudioConfig(audio_encoding=encoding, sample_rate_hertz=8000),
                retry=None,
                timeout=DEADLINE_S,
            )
        return answer.audio_content


@pytest.fixture
async def voice() -> AsyncIterator[Voice]:
    server = VoiceServer("tones", QUICK.model_copy())
    async with running(SERVICE, server.handlers(), server.control) as (channel, steering):
        yield Voice(TextToSpeechAsyncClient(transport=TextToSpeechGrpcAsyncIOTransport(channel=channel)), steering)


async def test_streamed_text_comes_back_as_telephone_sound(voice: Voice) -> None:
    """If this fails, the product has no voice in the local stack."""
    chunks = await voice.stream([opening(), saying("One moment please."), saying(" Thank you.")])
    assert tones.decode(b"".join(chunks)) == "one moment please thank you"
    assert max(map(len, chunks)) == 800


async def test_streamed_pcm_is_headerless_samples(voice: Voice) -> None:
    """If this fails, the product's second path, for voices without mu-law, is untested."""
    sound = b"".join(await voice.stream([opening(Encoding.PCM), saying(SENTENCE)]))
    assert tones.decode(encode_mulaw(np.frombuffer(sound, "<i2").astype(np.int16))) == WORDS


async def test_unary_mulaw_has_the_header_of_a_wav_file(voice: Voice) -> None:
    """If this fails, a stock line that plays its header as a click goes unnoticed."""
    content = await voice.file(Encoding.MULAW)
    assert content[:4] + content[8:16] == b"RIFFWAVEfmt "
    assert struct.unpack_from("<HHIIHH", content, 20) == (7, 1, 8000, 8000, 1, 8)
    assert struct.unpack_from("<I", content, 4)[0] == len(content) - 8
    assert tones.decode(content[content.index(b"data") + 8 :]) == WORDS


async def test_unary_linear16_is_a_wav_file_and_pcm_is_not(voice: Voice) -> None:
    """If this fails, the two linear encodings are mixed up."""
    with wave.open(io.BytesIO(await voice.file(Encoding.LINEAR16))) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8000, 2, 1)
        pcm = file.readframes(file.getnframes())
    assert await voice.file(Encoding.PCM) == pcm


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        ([], "streaming_config"),
        ([saying("hello")], "streaming_config"),
        ([opening(), opening()], "first message"),
        ([opening(), saying(" ")], "text"),
        ([opening(), saying("x" * (MAX_TEXT_BYTES + 1))], "longer"),
        ([opening(Encoding.MP3)], "encoding"),
        ([opening(Encoding.LINEAR16)], "encoding"),
        ([opening(rate=11025)], "sample_rate"),
        ([opening(speaking_rate=3.0)], "speaking_rate"),
        ([opening(voice={"language_code": "en-US", "name": "en-US-Standard-A"})], "Chirp 3"),
        ([opening(voice={"language_code": "en-US"})], "Chirp 3"),
        ([opening(voice={"name": "en-US-Chirp3-HD-Charon"})], "language_code"),
        ([opening(voice={"language_code": "de-DE", "name": "en-US-Chirp3-HD-Charon"})], "does not match"),
    ],
)
async def test_what_the_vendor_refuses_is_refused(
    voice: Voice, requests: list[texttospeech.StreamingSynthesizeRequest], reason: str
) -> None:
    """If this fails, a wrong request works locally and fails at the vendor."""
    with pytest.raises(exceptions.InvalidArgument, match=reason):
        await voice.stream(requests, hold_open=bool(requests))


async def test_an_unknown_voice_is_refused_in_the_unary_call(voice: Voice) -> None:
    """If this fails, a misspelt voice is found out in production."""
    with pytest.raises(exceptions.InvalidArgument, match="does not exist"):
        await voice.file(Encoding.MULAW, voice={"language_code": "en-US", "name": "charon"})


async def test_an_idle_stream_is_ended(voice: Voice) -> None:
    """If this fails, a stream kept open between replies works locally and breaks at the vendor."""
    assert await voice.steering.post("settings", idle_limit_s=0.1) == 200
    with pytest.raises(exceptions.Aborted, match="without input"):
        await voice.stream([opening(), saying("hello")], hold_open=True)


async def test_faults_damage_the_sound(voice: Voice) -> None:
    """If this fails, tests of a failing voice test nothing."""
    whole = b"".join(await voice.stream([opening(), saying(SENTENCE)]))
    assert await voice.steering.post("faults", kind="truncated") == 201
    cut = b"".join(await voice.stream([opening(), saying(SENTENCE)]))
    assert whole.startswith(cut)
    assert len(cut) == len(whole) // 2
    assert await voice.steering.post("faults", kind="wrong_rate") == 201
    slow = b"".join(await voice.stream([opening(), saying(SENTENCE)]))
    assert len(slow) == 2 * len(whole)
    assert loudness_db(slow) == pytest.approx(loudness_db(whole), abs=1)


async def test_a_status_strikes_either_call(voice: Voice) -> None:
    """If this fails, a voice that is refused cannot be tested."""
    assert await voice.steering.post("faults", kind="status", code="RESOURCE_EXHAUSTED", times=2) == 201
    with pytest.raises(exceptions.ResourceExhausted):
        await voice.stream([opening()], hold_open=True)
    with pytest.raises(exceptions.ResourceExhausted):
        await voice.file(Encoding.MULAW)
    assert await voice.stream([opening(), saying("hello")])


@pytest.mark.parametrize("method", ["stream", "file"])
async def test_a_hanging_voice_says_nothing_until_cancelled(voice: Voice, method: str) -> None:
    """If this fails, a product without deadlines of its own passes."""
    assert await voice.steering.post("faults", kind="hang") == 201
    wanted = voice.stream([opening(), saying("hello")]) if method == "stream" else voice.file(Encoding.MULAW)
    call = asyncio.create_task(wanted)
    async with asyncio.timeout(DEADLINE_S):
        while not (await voice.steering.get("texts"))["texts"]:
            pass
    assert not call.done()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_the_log_holds_each_text_with_its_voice(voice: Voice) -> None:
    """If this fails, a test cannot tell what reached the vendor: no canary can be searched for."""
    await voice.stream([opening(), saying("One moment."), saying("Thank you.")])
    await voice.file(Encoding.MULAW, text="Goodbye.")
    log = await voice.steering.get("texts")
    assert log["engine"] == "tones"
    assert [(entry["method"], entry["text"]) for entry in log["texts"]] == [
        ("StreamingSynthesize", "One moment."),
        ("StreamingSynthesize", "Thank you."),
        ("SynthesizeSpeech", "Goodbye."),
    ]
    assert {entry["voice"] for entry in log["texts"]} == {VOICE.name}


@pytest.mark.skipif(
    "rms" not in speaker.available(), reason="NOT TESTED: real voices need the program flite, which is not installed"
)
async def test_a_real_voice_speaks_through_the_real_client() -> None:
    """If this fails, nobody can listen to a demo call."""
    server = VoiceServer("rms", QUICK.model_copy())
    async with running(SERVICE, server.handlers(), server.control) as (channel, steering):
        client = TextToSpeechAsyncClient(transport=TextToSpeechGrpcAsyncIOTransport(channel=channel))
        sound = b"".join(await Voice(client, steering).stream([opening(), saying(SENTENCE)]))
    assert sound == speaker.render(SENTENCE, "rms")
    assert loudness_db(sound) > -25
