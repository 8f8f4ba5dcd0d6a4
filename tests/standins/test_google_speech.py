"""The speech stand-in against Google's own asynchronous client."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.speech_v2 import SpeechAsyncClient
from google.cloud.speech_v2 import types as speech
from google.cloud.speech_v2.services.speech.transports.grpc_asyncio import SpeechGrpcAsyncIOTransport

from standins import speaker
from standins.audio import SAMPLE_RATE, SILENCE, decode_mulaw
from standins.google_speech import MAX_AUDIO_BYTES, SERVICE, SpeechServer, SpeechSettings, written_numbers
from standins.language_model import phone_phrases
from standins.listener import Ears
from tests.standins.vendor_client import DEADLINE_S, Steering, running

RECOGNIZER = "projects/demo/locations/us/recognizers/_"
HELLO = speaker.render("Hello, this is an AI assistant calling for Tom Baker.") + SILENCE * 4000
Event = speech.StreamingRecognizeResponse.SpeechEventType


def opening(encoding: str = "MULAW", rate: int = 8000, **changes: Any) -> speech.StreamingRecognizeRequest:
    """A right first message, or one that *changes* make wrong."""
    decoding = speech.ExplicitDecodingConfig(
        encoding=encoding, sample_rate_hertz=rate, audio_channel_count=changes.pop("channels", 1)
    )
    config = {"explicit_decoding_config": decoding, "model": "chirp_3", "language_codes": ["en-US"]}
    return speech.StreamingRecognizeRequest(
        recognizer=changes.pop("recognizer", RECOGNIZER),
        streaming_config=speech.StreamingRecognitionConfig(
            config=speech.RecognitionConfig(**(config | changes.pop("config", {}))),
            streaming_features=speech.StreamingRecognitionFeatures(
                interim_results=changes.pop("interims", True), enable_voice_activity_events=changes.pop("events", True)
            ),
        ),
    )


def chunks(sound: bytes, size: int = 320) -> list[speech.StreamingRecognizeRequest]:
    return [speech.StreamingRecognizeRequest(audio=sound[at : at + size]) for at in range(0, len(sound), size)]


class Recogniser:
    """Google's client, and the stand-in's control port."""

    def __init__(self, client: SpeechAsyncClient, steering: Steering) -> None:
        self._client = client
        self.steering = steering

    async def recognise(
        self, requests: Sequence[speech.StreamingRecognizeRequest], hold_open: bool = False
    ) -> list[speech.StreamingRecognizeResponse]:
        """Every response to *requests*; with *hold_open* the client does not half-close."""
        done = asyncio.Event()

        async def sending() -> AsyncIterator[speech.StreamingRecognizeRequest]:
            for request in requests:
                yield request
            if hold_open:
                await done.wait()

        try:
            async with asyncio.timeout(DEADLINE_S):
                stream = await self._client.streaming_recognize(requests=sending(), retry=None, timeout=DEADLINE_S)
                return [response async for response in stream]
        finally:
            done.set()


def finals(responses: list[speech.StreamingRecognizeResponse]) -> str:
    return "".join(r.alternatives[0].transcript for response in responses for r in response.results if r.is_final)


async def log_shows(recogniser: Recogniser, expected: Callable[[Any], bool]) -> None:
    """Return when the log is as *expected*; the deadline fails the test."""
    async with asyncio.timeout(DEADLINE_S):
        while not expected(await recogniser.steering.get("streams")):
            pass


def seconds(offset: Any) -> float:
    """A duration as the client's library gives it (a timedelta, whatever its types say)."""
    return float(offset.total_seconds())


@pytest.fixture
async def recogniser() -> AsyncIterator[Recogniser]:
    server = SpeechServer(Ears([], "tones"), SpeechSettings())
    async with running(SERVICE, server.handlers(), server.control) as (channel, steering):
        yield Recogniser(SpeechAsyncClient(transport=SpeechGrpcAsyncIOTransport(channel=channel)), steering)


async def test_a_sentence_comes_back_as_events_interims_and_a_final(recogniser: Recogniser) -> None:
    """If this fails, the product's ears hear nothing in the local stack."""
    responses = await recogniser.recognise([opening(), *chunks(HELLO)])
    assert finals(responses) == "hello this is an ai assistant calling for tom baker"
    assert responses[0].speech_event_type == Event.SPEECH_ACTIVITY_BEGIN
    assert responses[-2].speech_event_type == Event.SPEECH_ACTIVITY_END
    final, spoken_s = responses[-1].results[0], len(HELLO.rstrip(SILENCE)) / SAMPLE_RATE
    assert seconds(final.result_end_offset) == pytest.approx(spoken_s, abs=0.05)
    assert seconds(responses[-2].speech_event_offset) == pytest.approx(spoken_s + 0.2, abs=0.05)
    assert final.alternatives[0].confidence > 0.5
    interims = [response.results[0] for response in responses[1:-2]]
    assert [len(interim.alternatives[0].transcript.split()) for interim in interims] == list(range(1, 11))
    assert all(interim.stability > 0 and not interim.is_final for interim in interims)


async def test_features_not_asked_for_are_not_sent(recogniser: Recogniser) -> None:
    """If this fails, a product that forgets to ask for interims or events works here and not at the vendor."""
    responses = await recogniser.recognise([opening(interims=False, events=False), *chunks(HELLO)])
    assert len(responses) == 1
    assert responses[0].results[0].is_final


async def test_finals_of_one_stream_concatenate(recogniser: Recogniser) -> None:
    """If this fails, the product need not strip the vendor's leading space, and will be surprised by it."""
    sound = speaker.render("one moment. thank you") + SILENCE * 4000
    assert finals(await recogniser.recognise([opening(), *chunks(sound)])) == "one moment thank you"


async def test_dictation_at_16_khz_is_heard(recogniser: Recogniser) -> None:
    """If this fails, a person cannot speak a request."""
    linear = decode_mulaw(HELLO).repeat(2).astype("<i2").tobytes()
    responses = await recogniser.recognise([opening("LINEAR16", 16000), *chunks(linear, 1366)])
    assert finals(responses) == "hello this is an ai assistant calling for tom baker"


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        ([], "first message"),
        (chunks(HELLO)[:1], "recognizer"),
        ([opening(recognizer="recognizers/_")], "recognizer"),
        ([opening(recognizer="projects/p/locations/us/recognizers/mine")], "recognizer"),
        ([speech.StreamingRecognizeRequest(recognizer=RECOGNIZER)], "streaming_config"),
        ([opening(rate=16000)], "MULAW at 8000"),
        ([opening(rate=0)], "MULAW at 8000"),
        ([opening(channels=0)], "audio_channel_count"),
        ([opening(config={"model": ""})], "model"),
        ([opening(config={"language_codes": []})], "language_codes"),
        ([opening(config={"explicit_decoding_config": None})], "explicit_decoding_config"),
        ([opening(), opening()], "first message"),
        ([opening(), speech.StreamingRecognizeRequest(audio=b"")], "audio"),
        ([opening(), speech.StreamingRecognizeRequest(audio=SILENCE * (MAX_AUDIO_BYTES + 1))], "maximum"),
        ([opening("LINEAR16", 16000), speech.StreamingRecognizeRequest(audio=b"odd")], "whole samples"),
    ],
)
async def test_what_the_vendor_refuses_is_refused(
    recogniser: Recogniser, requests: list[speech.StreamingRecognizeRequest], reason: str
) -> None:
    """If this fails, a wrong request works locally and fails at the vendor."""
    with pytest.raises(exceptions.InvalidArgument, match=reason):
        await recogniser.recognise(requests, hold_open=bool(requests))


@pytest.mark.parametrize(
    ("limit", "message"),
    [("stream_limit_s", "Max duration of .* minutes reached for stream"), ("idle_limit_s", "no more client requests")],
)
async def test_a_stream_ends_by_its_limits(recogniser: Recogniser, limit: str, message: str) -> None:
    """If this fails, a relay that never rotates its stream, or stops sending, passes locally."""
    assert await recogniser.steering.post("settings", **{limit: 0.2}) == 200
    with pytest.raises(exceptions.Aborted, match=message):
        await recogniser.recognise([opening(), *chunks(HELLO[:1600])], hold_open=True)


async def test_a_fault_strikes_the_next_stream_only(recogniser: Recogniser) -> None:
    """If this fails, tests of vendor failures test nothing."""
    assert await recogniser.steering.post("faults", kind="status", code="RESOURCE_EXHAUSTED", message="Quota") == 201
    with pytest.raises(exceptions.ResourceExhausted, match="Quota"):
        await recogniser.recognise([opening()], hold_open=True)
    assert finals(await recogniser.recognise([opening(), *chunks(HELLO)]))
    streams = (await recogniser.steering.get("streams"))["streams"]
    assert [stream["ended"] for stream in streams] == ["RESOURCE_EXHAUSTED", "OK"]


async def test_a_live_fault_strikes_an_open_stream(recogniser: Recogniser) -> None:
    """If this fails, a recogniser that fails in the middle of a call cannot be tested."""
    call = asyncio.create_task(recogniser.recognise([opening(), *chunks(HELLO[:320])], hold_open=True))
    await log_shows(recogniser, lambda log: log["audio_s"] > 0)
    assert await recogniser.steering.post("faults", kind="status", code="INTERNAL", live=True, times=0) == 201
    with pytest.raises(exceptions.InternalServerError):
        await call


async def test_dropped_results_leave_the_events(recogniser: Recogniser) -> None:
    """If this fails, a deaf recogniser cannot be simulated."""
    assert await recogniser.steering.post("faults", kind="drop") == 201
    responses = await recogniser.recognise([opening(), *chunks(HELLO)])
    assert [response.speech_event_type for response in responses] == [
        Event.SPEECH_ACTIVITY_BEGIN,
        Event.SPEECH_ACTIVITY_END,
    ]


async def test_a_hanging_stream_answers_nothing_until_cancelled(recogniser: Recogniser) -> None:
    """If this fails, a product without deadlines of its own passes."""
    assert await recogniser.steering.post("faults", kind="hang") == 201
    call = asyncio.create_task(recogniser.recognise([opening(), *chunks(HELLO)]))
    await log_shows(recogniser, lambda log: bool(log["streams"] and log["streams"][0]["finals"]))
    assert not call.done()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await log_shows(recogniser, lambda log: log["streams"][0]["ended"] == "CANCELLED")


async def test_the_log_counts_what_was_sent(recogniser: Recogniser) -> None:
    """If this fails, cost per call and lost audio cannot be measured."""
    await recogniser.recognise([opening(), *chunks(HELLO)])
    log = await recogniser.steering.get("streams")
    assert log["open"] == 0
    assert log["audio_s"] == pytest.approx(len(HELLO) / SAMPLE_RATE, abs=0.001)
    assert log["streams"][0]["model"] == "chirp_3"
    assert log["streams"][0]["messages"] == 1 + len(chunks(HELLO))


async def test_bad_control_messages_are_refused(recogniser: Recogniser) -> None:
    """If this fails, a misspelt fault is taken and never strikes."""
    assert await recogniser.steering.post("faults", kind="explode") == 400
    assert await recogniser.steering.post("faults", kind="status", code="NO_SUCH_CODE") == 400
    assert await recogniser.steering.post("settings", no_such_setting=1) == 400
    assert await recogniser.steering.post("settings", idle_limit_s=-1) == 400
    assert await recogniser.steering.post("faults", kind="drop", times=3) == 201
    assert await recogniser.steering.delete("faults") == 200
    assert await recogniser.steering.get("faults") == []


async def test_many_streams_at_once_hear_their_own(recogniser: Recogniser) -> None:
    """If this fails, one call's words turn up in another."""
    lines = [f"my number is {number}" for number in range(20)]
    sounds = [speaker.render(line) + SILENCE * 3000 for line in lines]
    heard = await asyncio.gather(*(recogniser.recognise([opening(), *chunks(sound, 800)]) for sound in sounds))
    assert [finals(responses) for responses in heard] == lines


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("the total is five hundred and sixty dollars", "the total is $560"),
        ("forty eight dollars and fifty cents", "$48.50"),
        ("tuesday at three thirty", "tuesday at 3:30"),
        ("hello there", "hello there"),
    ],
)
def test_numbers_can_be_written_as_the_vendor_does(words: str, written: str) -> None:
    """If this fails, code that reads prices sees only one of the two styles."""
    assert written_numbers(words) == written


@pytest.mark.skipif(
    "rms" not in speaker.available(), reason="NOT TESTED: real voices need the program flite, which is not installed"
)
async def test_a_real_voice_is_heard_through_the_real_client() -> None:
    """If this fails, scripted callees with real voices are not understood."""
    ears = Ears(phone_phrases())
    server = SpeechServer(ears, SpeechSettings(final_delay_ms=400, numbers="digits"))
    sound = SILENCE * 2400 + speaker.render("The total comes to $75, is that all right?", "rms") + SILENCE * 4800
    async with running(SERVICE, server.handlers(), server.control) as (channel, steering):
        client = SpeechAsyncClient(transport=SpeechGrpcAsyncIOTransport(channel=channel))
        responses = await Recogniser(client, steering).recognise([opening(), *chunks(sound)])
    ears.close()
    heard = finals(responses)
    assert "total comes to" in heard
    assert "$" in heard
    assert sum(not result.is_final for response in responses for result in response.results) >= 3
