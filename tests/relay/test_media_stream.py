"""The wire format of Media Streams: strict in what it takes, exact in what it sends."""

from __future__ import annotations

import base64
import json
import random
import time
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from floyd.mulaw import SILENT_FRAME
from relay.core.events import DigitPressed, StreamStopped
from relay.media_stream import MarkEchoed, MediaStream, Outbound, Started, ViolationError

SID = "MZ" + "0" * 32
CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
START: dict[str, Any] = {
    "event": "start",
    "sequenceNumber": "1",
    "streamSid": SID,
    "start": {
        "streamSid": SID,
        "accountSid": "AC" + "1" * 32,
        "callSid": "CA" + "2" * 32,
        "tracks": ["inbound"],
        "customParameters": {"token": "secret"},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    },
}


def media(sequence: int = 2, payload: bytes = SILENT_FRAME) -> dict[str, Any]:
    return {
        "event": "media",
        "sequenceNumber": str(sequence),
        "streamSid": SID,
        "media": {
            "track": "inbound",
            "chunk": "1",
            "timestamp": "20",
            "payload": base64.b64encode(payload).decode(),
        },
    }


def running() -> MediaStream:
    stream = MediaStream()
    assert stream.receive(json.dumps(CONNECTED)) is None
    assert isinstance(stream.receive(json.dumps(START)), Started)
    return stream


def refused(stream: MediaStream, message: str | bytes) -> int:
    with pytest.raises(ViolationError) as caught:
        stream.receive(message)
    return caught.value.code


def outcome_of(stream: MediaStream, message: str) -> int | str:
    try:
        stream.receive(message)
    except ViolationError as violation:
        return violation.code
    return "taken"


def test_start_gives_the_ids_and_the_token() -> None:
    """Fails if a stream could not be tied to its call."""
    stream = MediaStream()
    stream.receive(json.dumps(CONNECTED))
    started = stream.receive(json.dumps(START))
    assert started == Started.model_validate(START["start"])
    assert isinstance(started, Started)
    assert (started.stream_sid, started.call_sid, started.account_sid) == (SID, "CA" + "2" * 32, "AC" + "1" * 32)
    assert started.custom_parameters == {"token": "secret"}


def test_media_marks_digits_and_stop_are_read() -> None:
    """Fails if any of the four running messages is misread."""
    stream = running()
    assert stream.receive(json.dumps(media())) == SILENT_FRAME
    mark = {"event": "mark", "sequenceNumber": "3", "streamSid": SID, "mark": {"name": "s1.0"}}
    assert stream.receive(json.dumps(mark)) == MarkEchoed(name="s1.0")
    key = {"event": "dtmf", "sequenceNumber": "4", "streamSid": SID, "dtmf": {"track": "inbound_track", "digit": "5"}}
    assert stream.receive(json.dumps(key)) == DigitPressed("5")
    stop = {"event": "stop", "sequenceNumber": "5", "streamSid": SID, "stop": {"accountSid": "AC", "callSid": "CA"}}
    assert stream.receive(json.dumps(stop)) == StreamStopped("stop")
    assert stream.gaps == 0


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\x00", 1003),
        ("{", 1007),
        ("[]", 1007),
        ('{"event": NaN}', 1007),
        ("[" * 100_000, 1007),
        ('{"event": 1}', 1007),
        (json.dumps(CONNECTED), 1008),
        (json.dumps(START), 1008),
        (json.dumps(media() | {"streamSid": "MZother"}), 1008),
        (json.dumps(media() | {"media": "x"}), 1007),
        (json.dumps(media() | {"media": {"payload": 5}}), 1007),
        (json.dumps(media() | {"media": {"payload": "a"}}), 1007),
        (json.dumps(media() | {"media": {"payload": "\u20ac"}}), 1007),
        (json.dumps(media() | {"sequenceNumber": "1e9"}), 1007),
        (json.dumps(media() | {"sequenceNumber": 2**60}), 1007),
        (json.dumps({"event": "dtmf", "streamSid": SID, "dtmf": {"digit": "x"}}), 1007),
        (json.dumps({"event": "mark", "streamSid": SID, "mark": {"name": "n" * 501}}), 1007),
    ],
)
def test_each_violation_has_its_close_code(message: str | bytes, code: int) -> None:
    """Fails if nonsense gets through, or is answered with the wrong code."""
    assert refused(running(), message) == code


@pytest.mark.parametrize("message", [START, media(), {"event": "stop", "streamSid": SID}])
def test_nothing_comes_before_connected(message: dict[str, Any]) -> None:
    """Fails if a stream could begin in the middle."""
    assert refused(MediaStream(), json.dumps(message)) == 1008


def test_nothing_comes_after_stop() -> None:
    """Fails if a stopped stream could go on."""
    stream = running()
    stream.receive(json.dumps({"event": "stop", "streamSid": SID, "stop": {}}))
    assert refused(stream, json.dumps(media())) == 1008


def test_gaps_in_the_sequence_are_counted_and_not_fatal() -> None:
    """Fails if one lost message ended a call."""
    stream = running()
    assert stream.receive(json.dumps(media(7))) == SILENT_FRAME
    assert stream.gaps == 1


def test_unknown_events_and_our_own_track_are_ignored() -> None:
    """Fails if an addition to the protocol, or the other direction's sound, broke calls."""
    stream = running()
    assert stream.receive('{"event":"later"}') is None
    outbound = media()
    outbound["media"]["track"] = "outbound"
    assert stream.receive(json.dumps(outbound)) is None


def test_the_wrong_kind_of_sound_is_refused() -> None:
    """Fails if we played noise because a stream was not mu-law."""
    stream = MediaStream()
    stream.receive(json.dumps(CONNECTED))
    wrong = json.loads(json.dumps(START))
    wrong["start"]["mediaFormat"]["encoding"] = "audio/l16"
    assert refused(stream, json.dumps(wrong)) == 1007


def test_an_id_cannot_smuggle_json() -> None:
    """Fails if a peer's stream id could change the messages we write."""
    stream = MediaStream()
    stream.receive(json.dumps(CONNECTED))
    evil = json.loads(json.dumps(START))
    evil["streamSid"] = evil["start"]["streamSid"] = 'MZ","x":"'
    assert refused(stream, json.dumps(evil)) == 1007


def test_outgoing_messages_are_what_the_carrier_takes() -> None:
    """Fails if the carrier would call one of our messages malformed."""
    outbound = Outbound(SID)
    sent = json.loads(outbound.media(b"\x00\xff\x7f"))
    assert sent == {
        "event": "media",
        "streamSid": SID,
        "media": {"payload": base64.b64encode(b"\x00\xff\x7f").decode()},
    }
    assert json.loads(outbound.mark("s1.0")) == {"event": "mark", "streamSid": SID, "mark": {"name": "s1.0"}}
    assert json.loads(outbound.clear) == {"event": "clear", "streamSid": SID}


class Wire(RuleBasedStateMachine):
    """Any order of events: each is taken where the protocol allows it and refused with 1008 where it does not."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = MediaStream()
        self.stage = "fresh"

    def step(self, message: dict[str, Any], allowed: str, reached: str) -> None:
        if self.stage == "broken":
            return
        answer = outcome_of(self.stream, json.dumps(message))
        assert answer == ("taken" if self.stage == allowed else 1008)
        self.stage = reached if answer == "taken" else "broken"

    @rule()
    def connected(self) -> None:
        self.step(CONNECTED, "fresh", "connected")

    @rule()
    def start(self) -> None:
        self.step(START, "connected", "started")

    @rule(sequence=st.integers(0, 99))
    def media(self, sequence: int) -> None:
        self.step(media(sequence), "started", "started")

    @rule(name=st.text(max_size=20))
    def mark(self, name: str) -> None:
        self.step({"event": "mark", "streamSid": SID, "mark": {"name": name}}, "started", "started")

    @rule(digit=st.sampled_from("0123456789*#"))
    def dtmf(self, digit: str) -> None:
        self.step({"event": "dtmf", "streamSid": SID, "dtmf": {"digit": digit}}, "started", "started")

    @rule()
    def stop(self) -> None:
        self.step({"event": "stop", "streamSid": SID, "stop": {}}, "started", "stopped")


TestWire = Wire.TestCase
TestWire.settings = settings(max_examples=200, stateful_step_count=20, deadline=None)


def test_ten_thousand_mutated_messages_end_in_a_value_or_a_proper_close() -> None:
    """Fails if some malformed message raises anything but a violation, or takes long."""
    chosen = random.Random(1)
    originals = [json.dumps(each).encode() for each in (CONNECTED, START, media(), media(payload=b"\x00" * 4000))]
    begun = time.process_time()
    for _ in range(10_000):
        stream = running() if chosen.random() < 0.8 else MediaStream()
        message = bytearray(chosen.choice(originals))
        for _ in range(chosen.randint(1, 4)):
            at = chosen.randrange(len(message))
            match chosen.randrange(4):
                case 0:
                    message[at] = chosen.randrange(256)
                case 1:
                    del message[at : at + chosen.randint(1, 8)]
                case 2:
                    message[at:at] = chosen.choice([b"{", b"[", b'"', b"null", b"1e999", b"\\ud800", b"0" * 30])
                case _:
                    message[at:at] = message[: chosen.randint(1, 40)]
            message = message or bytearray(b" ")
        assert outcome_of(stream, message.decode("utf-8", "surrogateescape")) in {1003, 1007, 1008, "taken"}
    assert time.process_time() - begun < 60
