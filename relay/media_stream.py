"""Twilio Media Streams, the wire format both ways. Pure: text in, values out; values in, text out.

Twilio sends `connected`, `start`, then `media`, `dtmf` and `mark` in any order, then `stop`. All of it is JSON in text
frames (Twilio, "Media Streams: WebSocket messages"). Whoever breaks that order or form is refused with the close code
RFC 6455, 7.4.1 has for it; what a later version of the protocol may add is ignored.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import orjson

from floyd.errors import FloydError

FRAME_BYTES = 160
"""One frame: 20 ms of mu-law at 8 kHz."""
BYTES_PER_MS = 8
SILENCE = b"\xff" * FRAME_BYTES
"""A frame in which nothing is heard: 0xFF is mu-law zero (ITU-T G.711)."""

_SID = re.compile(r"[A-Za-z0-9]{1,64}")
"""Two letters and 32 hexadecimal digits today. They go into our own JSON, so nothing else may be in them."""
_DIGITS = frozenset("0123456789*#ABCD")
_MAX_PARAMETERS = 16
_MAX_TEXT = 500
"""Characters of a parameter's value, the carrier's own limit, and of any other text but sound."""
_BIGGEST_NUMBER = 2**53
"""Counters beyond the range of a JSON number (RFC 8259, 6) come from nobody's telephone."""


class ViolationError(FloydError):
    """The peer broke the protocol; `code` is the websocket close code to answer with."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Started:
    """The stream is set up; sound follows."""

    stream_sid: str
    call_sid: str
    account_sid: str
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class Digit:
    """The callee pressed a key."""

    digit: str


@dataclass(frozen=True, slots=True)
class MarkEchoed:
    """A mark of ours came back, because it was played or because a clear dropped it."""

    name: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The call has ended, or the carrier ended the stream."""


Inbound = Started | Digit | MarkEchoed | Stopped


class _State(Enum):
    FRESH = auto()
    CONNECTED = auto()
    STARTED = auto()
    STOPPED = auto()


class MediaStream:
    """Reads one socket's messages in order. `gaps` counts jumps of the sequence number; they are not fatal."""

    __slots__ = ("_sequence", "_state", "gaps", "stream_sid")

    def __init__(self) -> None:
        self._state = _State.FRESH
        self._sequence = 0
        self.stream_sid = ""
        self.gaps = 0

    def receive(self, message: str | bytes) -> bytes | Inbound | None:
        """Take one message: the mu-law bytes of a media message, another value, or None if nothing follows from it.

        Raises ViolationError, after which the stream is of no more use.
        """
        if isinstance(message, bytes):
            raise ViolationError(1003, "expected text frames")
        try:
            document = orjson.loads(message)
        except orjson.JSONDecodeError:
            raise ViolationError(1007, "expected JSON") from None
        if not isinstance(document, dict):
            raise ViolationError(1007, "expected a JSON object")
        event = document.get("event")
        if event == "media":
            self._check_running(document, "media")
            return self._audio(document)
        if event == "connected":
            self._advance(_State.FRESH, _State.CONNECTED, "connected")
            return None
        if event == "start":
            return self._start(document)
        if event == "mark":
            self._check_running(document, "mark")
            return MarkEchoed(_text(_object(document, "mark"), "name"))
        if event == "dtmf":
            self._check_running(document, "dtmf")
            return self._digit(document)
        if event == "stop":
            self._check_running(document, "stop")
            self._state = _State.STOPPED
            return Stopped()
        if not isinstance(event, str):
            raise ViolationError(1007, "expected a text in field event")
        return None

    def _advance(self, expected: _State, reached: _State, event: str) -> None:
        if self._state is not expected:
            raise ViolationError(1008, f"{event} out of order")
        self._state = reached

    def _check_running(self, document: dict[str, Any], event: str) -> None:
        if self._state is not _State.STARTED:
            raise ViolationError(1008, f"{event} out of order")
        if document.get("streamSid") != self.stream_sid:
            raise ViolationError(1008, "message of another stream")
        if "sequenceNumber" in document:
            sequence = _number(document, "sequenceNumber")
            self.gaps += sequence != self._sequence + 1
            self._sequence = sequence

    def _start(self, document: dict[str, Any]) -> Started:
        self._advance(_State.CONNECTED, _State.STARTED, "start")
        start = _object(document, "start")
        audio = _object(start, "mediaFormat")
        if (audio.get("encoding"), str(audio.get("sampleRate")), str(audio.get("channels"))) != (
            "audio/x-mulaw",
            "8000",
            "1",
        ):
            raise ViolationError(1007, "expected audio/x-mulaw, 8000 Hz, 1 channel")
        parameters = start.get("customParameters", {})
        if not isinstance(parameters, dict) or len(parameters) > _MAX_PARAMETERS:
            raise ViolationError(1007, "expected an object of texts in field customParameters")
        self.stream_sid = _sid(document, "streamSid")
        if _sid(start, "streamSid") != self.stream_sid:
            raise ViolationError(1008, "start names two streams")
        self._sequence = _number(document, "sequenceNumber") if "sequenceNumber" in document else 1
        return Started(
            stream_sid=self.stream_sid,
            call_sid=_sid(start, "callSid"),
            account_sid=_sid(start, "accountSid"),
            parameters={name: _text(parameters, name) for name in parameters},
        )

    @staticmethod
    def _audio(document: dict[str, Any]) -> bytes | None:
        media = document.get("media")
        if not isinstance(media, dict):
            raise ViolationError(1007, "expected an object in field media")
        if media.get("track", "inbound") != "inbound":
            return None
        payload = media.get("payload")
        if not isinstance(payload, str):
            raise ViolationError(1007, "expected a text in field payload")
        try:
            return binascii.a2b_base64(payload, strict_mode=True) or None
        except ValueError:  # binascii.Error, or characters outside ASCII
            raise ViolationError(1007, "expected base64 in field payload") from None

    @staticmethod
    def _digit(document: dict[str, Any]) -> Digit:
        digit = _text(_object(document, "dtmf"), "digit")
        if digit not in _DIGITS:
            raise ViolationError(1007, "expected a key in field digit")
        return Digit(digit)


def _object(document: dict[str, Any], field: str) -> dict[str, Any]:
    value = document.get(field)
    if not isinstance(value, dict):
        raise ViolationError(1007, f"expected an object in field {field}")
    return value


def _text(document: dict[str, Any], field: str) -> str:
    value = document.get(field)
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ViolationError(1007, "expected a short text in each field")
    return value


def _sid(document: dict[str, Any], field: str) -> str:
    value = document.get(field)
    if not isinstance(value, str) or not _SID.fullmatch(value):
        raise ViolationError(1007, f"expected an identifier in field {field}")
    return value


def _number(document: dict[str, Any], field: str) -> int:
    """Numbers come as texts; read both ways."""
    value = document.get(field)
    if isinstance(value, str) and len(value) < 20 and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _BIGGEST_NUMBER:
        raise ViolationError(1007, f"expected a number in field {field}")
    return value


class Outbound:
    """Writes messages for one stream. The constant parts are made once: a call sends ten of them a second."""

    __slots__ = ("_after_mark", "_after_media", "_before_mark", "_before_media", "clear")

    def __init__(self, stream_sid: str) -> None:
        self._before_media = f'{{"event":"media","streamSid":"{stream_sid}","media":{{"payload":"'
        self._after_media = '"}}'
        self._before_mark = f'{{"event":"mark","streamSid":"{stream_sid}","mark":{{"name":"'
        self._after_mark = '"}}'
        self.clear = f'{{"event":"clear","streamSid":"{stream_sid}"}}'

    def media(self, audio: bytes) -> str:
        """Mu-law of any length, without a header."""
        return f"{self._before_media}{binascii.b2a_base64(audio, newline=False).decode()}{self._after_media}"

    def mark(self, name: str) -> str:
        """`name` must need no escaping in JSON; it is one of ours."""
        return f"{self._before_mark}{name}{self._after_mark}"
