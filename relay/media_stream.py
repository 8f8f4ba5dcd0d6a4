"""Twilio Media Streams, the wire format both ways. Pure: text in, values out; values in, text out.

Twilio sends `connected`, `start`, then `media`, `dtmf` and `mark` in any order, then `stop`. All of it is JSON in text
frames (Twilio, "Media Streams: WebSocket messages"). Whoever breaks that order or form is refused with the close code
RFC 6455, 7.4.1 has for it; what a later version of the protocol may add is ignored.
"""

import binascii
import re
from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from floyd.errors import FloydError
from relay.core.events import DigitPressed, StreamStopped

_NUMBER = re.compile("[0-9]{1,15}")
"""Counters beyond the range of a JSON number (RFC 8259, 6) come from nobody's telephone."""

_Sid = Annotated[str, Field(pattern="^[A-Za-z0-9]{1,64}$")]
"""Two letters and 32 hexadecimal digits today. They go into our own JSON, so nothing else may be in them."""
_Text = Annotated[str, Field(max_length=500)]
"""The carrier's own limit for a parameter's value, and ours for any other text but sound."""
T = TypeVar("T")


class ViolationError(FloydError):
    """The peer broke the protocol; `code` is the websocket close code to answer with."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def json_object(message: str | bytes) -> dict[str, Any]:
    """A message of a peer who is to send JSON objects in text frames; ViolationError for anything else."""
    if isinstance(message, bytes):
        raise ViolationError(1003, "expected a text frame")
    try:
        document = orjson.loads(message)
    except orjson.JSONDecodeError:
        raise ViolationError(1007, "expected JSON") from None
    if not isinstance(document, dict):
        raise ViolationError(1007, "expected a JSON object")
    return document


class _Fields(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, strict=True, frozen=True)


class _Format(_Fields):
    encoding: Literal["audio/x-mulaw"]
    sample_rate: Literal[8000, "8000"]
    channels: Literal[1, "1"]


class Started(_Fields):
    """The stream is set up; sound follows."""

    stream_sid: _Sid
    call_sid: _Sid
    account_sid: _Sid
    custom_parameters: Annotated[dict[str, _Text], Field(max_length=16)] = {}
    media_format: _Format


class MarkEchoed(_Fields):
    """A mark of ours came back, because it was played or because a clear dropped it."""

    name: _Text


Inbound = Started | MarkEchoed | DigitPressed | StreamStopped


class MediaStream:
    """Reads one socket's messages in order. `gaps` counts jumps of the sequence number; they are not fatal."""

    def __init__(self) -> None:
        self._state: Literal["fresh", "connected", "started", "stopped"] = "fresh"
        self._sequence = 1
        self._stream_sid = ""
        self.gaps = 0

    def receive(self, message: str | bytes) -> bytes | Inbound | None:
        """Take one message: the mu-law bytes of a media message, another value, or None if nothing follows from it.

        Raises ViolationError, after which the stream is of no more use.
        """
        document = json_object(message)
        match document.get("event"):
            case "media":
                self._check_running(document)
                return _audio(document.get("media"))
            case "connected":
                self._check_state("fresh")
                self._state = "connected"
            case "start":
                return self._start(document)
            case "mark":
                self._check_running(document)
                return _read(_MARK, document, "mark")
            case "dtmf":
                self._check_running(document)
                return _read(_DIGIT, document, "dtmf")
            case "stop":
                self._check_running(document)
                self._state = "stopped"
                return StreamStopped("stop")
            case event if not isinstance(event, str):
                raise ViolationError(1007, "expected a text in field event")
        return None

    def _check_state(self, expected: str) -> None:
        if self._state != expected:
            raise ViolationError(1008, f"a message out of order: the stream is {self._state}")

    def _check_running(self, document: dict[str, Any]) -> None:
        self._check_state("started")
        if document.get("streamSid") != self._stream_sid:
            raise ViolationError(1008, "message of another stream")
        if "sequenceNumber" in document:
            sequence = _number(document["sequenceNumber"])
            self.gaps += sequence != self._sequence + 1
            self._sequence = sequence

    def _start(self, document: dict[str, Any]) -> Started:
        self._check_state("connected")
        started = _read(_START, document, "start")
        if document.get("streamSid") != started.stream_sid:
            raise ViolationError(1008, "start names two streams")
        self._state, self._stream_sid = "started", started.stream_sid
        self._sequence = _number(document.get("sequenceNumber", 1))
        return started


_START, _MARK, _DIGIT = TypeAdapter(Started), TypeAdapter(MarkEchoed), TypeAdapter(DigitPressed)


def _read(kind: TypeAdapter[T], document: dict[str, Any], field: str) -> T:
    try:
        return kind.validate_python(document.get(field))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"][:1])
        raise ViolationError(1007, f"expected Twilio's form of {field}, not so: {where or field}"[:100]) from None


def _audio(media: object) -> bytes | None:
    if not isinstance(media, dict):
        raise ViolationError(1007, "expected an object in field media")
    if media.get("track", "inbound") != "inbound":
        return None
    try:
        return binascii.a2b_base64(media["payload"], strict_mode=True) or None
    except (KeyError, TypeError, ValueError):  # not there, no text, or neither ASCII nor base64
        raise ViolationError(1007, "expected base64 in field media.payload") from None


def _number(value: object) -> int:
    """Numbers come as texts; read both ways."""
    text = str(value)
    if not _NUMBER.fullmatch(text):
        raise ViolationError(1007, "expected a number in field sequenceNumber")
    return int(text)


class Outbound:
    """Writes messages for one stream. The constant parts are made once: a call sends ten of them a second."""

    def __init__(self, stream_sid: str) -> None:
        self._before_media = f'{{"event":"media","streamSid":"{stream_sid}","media":{{"payload":"'
        self._before_mark = f'{{"event":"mark","streamSid":"{stream_sid}","mark":{{"name":"'
        self.clear = f'{{"event":"clear","streamSid":"{stream_sid}"}}'

    def media(self, audio: bytes) -> str:
        """Mu-law of any length, without a header."""
        return f'{self._before_media}{binascii.b2a_base64(audio, newline=False).decode()}"}}}}'

    def mark(self, name: str) -> str:
        """`name` must need no escaping in JSON; it is one of ours."""
        return f'{self._before_mark}{name}"}}}}'
