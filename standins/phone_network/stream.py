"""Twilio's side of one bidirectional Media Stream, over a socket.

Built on the Sans-I/O half of `websockets`, so that a frame goes out with one write and no task switch: 50 calls make
5,000 messages a second.
"""

import asyncio
import base64
import binascii
import socket
import ssl
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

import orjson
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from standins.phone_network.faults import Faults
from standins.phone_network.line import PlayOut
from standins.phone_network.twiml import Stream

if TYPE_CHECKING:
    from standins.phone_network.life import Life

OPEN_S = 10.0
"""To a 101, connection included."""

CLOSE_S = 1.0
"""How long the server may take to agree to a close."""

MAX_UNREAD_BYTES = 1 << 20
"""A server that has not read this much is taken for dead."""

CLEAN_CLOSES = frozenset({1000, 1001, 1005})

_MEDIA = (
    '{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d",'
    '"payload":"%s"},"streamSid":"%s"}'
)

_FIELDS = {
    "media": {"event", "streamSid", "media"},
    "mark": {"event", "streamSid", "mark"},
    "clear": {"event", "streamSid"},
}


class Ending(Enum):
    """How a stream came to its end."""

    CLOSED = "closed by the server"
    DROPPED = "dropped"
    """The connection died without a close frame."""
    FAILED = "never opened"


class MediaStream(asyncio.Protocol):
    """One websocket from Twilio to the server named by `<Stream url>`."""

    def __init__(
        self, stream: Stream, sids: tuple[str, str, str], playout: PlayOut, faults: Faults, notes: "Life"
    ) -> None:
        """sids: of the account, the call and this stream."""
        self._stream = stream
        self._account_sid, self._call_sid, self.sid = sids
        self._playout = playout
        self._faults = faults
        self._notes, self._call = notes, notes.call
        self._loop = asyncio.get_running_loop()
        self._wire = ClientProtocol(parse_uri(stream.url), max_size=None)
        self._transport: asyncio.Transport | None = None
        self._answered: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._sequence = self._chunk = 0
        self._live = False
        self._began = self._loop.time()
        self._warned: set[int] = set()
        self._text = bytearray()
        self._text_opcode = Opcode.TEXT

    # What the call asks for

    async def run(self, sign: Callable[[str], str]) -> Ending:
        """Open, stay until the server closes or the connection dies; cancelled: stop and close."""
        try:
            await asyncio.wait_for(self._open(sign(self._stream.url)), OPEN_S)
        except (OSError, TimeoutError, InvalidHandshake) as error:
            self._fail(error)
            return Ending.FAILED
        try:
            self._start()
            # Not awaited itself: our own cancellation would then look like a lost connection.
            await asyncio.wait([self._lost])
        finally:
            await self._stop()
        close = self._wire.close_rcvd
        if close is None:
            self._error(31921, "the connection died without a close frame")
            return Ending.DROPPED
        if close.code not in CLEAN_CLOSES:
            self._error(31921, f"the server closed with {close.code} {close.reason}")
        return Ending.CLOSED

    def send_media(self, payload: str) -> None:
        """20 ms of the callee, base64; nothing before `start` or after the end."""
        if self._live:
            self._sequence += 1
            self._chunk += 1
            self._write(_MEDIA % (self._sequence, self._chunk, (self._chunk - 1) * 20, payload, self.sid))

    def send_mark(self, name: str) -> None:
        """The sound before this mark has been heard, or dropped by a clear."""
        if not self._faults.suppress_marks:
            self._call.note("mark", name=name)
            self._send({"event": "mark", "mark": {"name": name}})

    def send_key(self, digit: str) -> None:
        """The callee pressed a key."""
        self._send({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": digit}})

    def drop(self) -> None:
        """Tear the connection, as a network does."""
        if self._transport is not None:
            self._transport.abort()

    # Opening and closing

    async def _open(self, signature: str) -> None:
        uri = self._wire.uri
        tls = ssl.create_default_context() if uri.secure else None
        await self._loop.create_connection(lambda: self, uri.host, uri.port, ssl=tls)
        request = self._wire.connect()
        request.headers["X-Twilio-Signature"] = signature
        request.headers["User-Agent"] = "Twilio.TmeWs/1.0"
        self._wire.send_request(request)
        self._flush()
        await self._answered

    def _start(self) -> None:
        if self._wire.state is not State.OPEN:
            return  # the server accepted and closed in one breath
        self._write('{"event":"connected","protocol":"Call","version":"1.0.0"}')
        self._live, self._began = True, self._loop.time()
        media_format = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        start = {
            "accountSid": self._account_sid,
            "streamSid": self.sid,
            "callSid": self._call_sid,
            "tracks": ["inbound"],
            "mediaFormat": media_format,
            "customParameters": self._stream.parameters,
        }
        self._send({"event": "start", "start": start})
        parameters = dict(self._stream.parameters)
        self._call.note("stream started", stream_sid=self.sid, url=self._stream.url, parameters=parameters)
        self._notes.stream_event(self._stream, self.sid, "stream-started")

    async def _stop(self) -> None:
        """Say stop and close, if the server has not closed first; then be rid of the connection."""
        if not self._lost.done():
            if self._live:
                self._send({"event": "stop", "stop": {"accountSid": self._account_sid, "callSid": self._call_sid}})
                self._live = False
                self._wire.send_close(1000)
                self._flush()
            await asyncio.wait([self._lost], timeout=CLOSE_S)
        self.drop()
        self._call.note("stream stopped", stream_sid=self.sid, seconds=round(self._loop.time() - self._began, 3))
        self._notes.stream_event(self._stream, self.sid, "stream-stopped")

    def _fail(self, error: Exception) -> None:
        self.drop()
        if isinstance(error, TimeoutError):
            self._error(31901, f"no websocket within {OPEN_S:.0f} s")
        elif isinstance(error, ssl.SSLError):
            self._error(31910, f"TLS: {error}")
        elif isinstance(error, InvalidHandshake | ConnectionResetError):
            self._error(31920, f"the handshake was not answered with 101: {error}")
        else:
            self._error(31902, f"no connection: {error}")

    def _error(self, code: int, message: str) -> None:
        self._call.violation(code, message)
        self._notes.stream_event(self._stream, self.sid, "stream-error", f"{code} {message}")

    # The wire

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._faults.throttle_bytes_s is not None:
            # A large kernel buffer would hide the slow reader from the server for a long time.
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came in."""
        self._wire.receive_data(data)
        for event in self._wire.events_received():
            if isinstance(event, Response):
                self._handshake_done()
            elif isinstance(event, Frame):
                self._frame(event)
        if self._wire.parser_exc is not None and self._live:
            self._error(31924, f"websocket protocol: {self._wire.parser_exc}")
        self._flush()
        if self._wire.close_rcvd is not None or self._wire.parser_exc is not None:
            self._live = False
            self._loop.call_later(CLOSE_S, self.drop)
        self._read_slowly(len(data))

    def eof_received(self) -> None:
        """asyncio: the server will send no more."""
        self._wire.receive_eof()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: gone."""
        self._live = False
        if not self._answered.done():
            self._answered.set_exception(ConnectionResetError("closed during the handshake"))
        if not self._lost.done():
            self._lost.set_result(None)

    def _handshake_done(self) -> None:
        if self._answered.done():
            return
        if self._wire.handshake_exc is not None:
            self._answered.set_exception(self._wire.handshake_exc)
        else:
            self._answered.set_result(None)

    def _read_slowly(self, count: int) -> None:
        rate = self._faults.throttle_bytes_s
        if rate is None or self._transport is None or self._transport.is_closing():
            return
        self._transport.pause_reading()
        self._loop.call_later(count / rate, self._resume)

    def _resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _send(self, message: dict[str, Any]) -> None:
        if not self._live:
            return
        self._sequence += 1
        message |= {"sequenceNumber": str(self._sequence), "streamSid": self.sid}
        self._write(orjson.dumps(message).decode())

    def _write(self, text: str) -> None:
        self._wire.send_text(text.encode())
        self._flush()

    def _flush(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        for data in self._wire.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()
        if self._transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            self._call.violation(31921, f"the server left {MAX_UNREAD_BYTES} bytes unread")
            self._transport.abort()

    # What the server says

    def _frame(self, frame: Frame) -> None:
        """Messages may come in fragments; control frames are answered by the wire itself."""
        if frame.opcode in {Opcode.TEXT, Opcode.BINARY}:
            self._text, self._text_opcode = bytearray(frame.data), frame.opcode
        elif frame.opcode is Opcode.CONT:
            self._text += frame.data
        else:
            return
        if not frame.fin or not self._live:
            return
        if self._text_opcode is Opcode.BINARY:
            self._warn(31950, "malformed message: binary, must be text")
        elif problem := self._message(bytes(self._text)):
            self._warn(31951, f"invalid message: {problem}")

    def _warn(self, code: int, message: str) -> None:
        """Twilio warns once per stream and goes on; every violation is kept here, the callback comes once."""
        self._call.violation(code, message)
        if code not in self._warned:
            self._warned.add(code)
            self._notes.stream_event(self._stream, self.sid, "stream-error", f"{code} {message}")

    def _message(self, text: bytes) -> str:
        """Carry out one message; what is wrong with it, or nothing."""
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            return f"not JSON: {error}"
        if not isinstance(message, dict) or message.get("event") not in _FIELDS:
            return f"an object with event media, mark or clear was expected, got {text[:80]!r}"
        event = message["event"]
        if set(message) != _FIELDS[event]:
            return f"{event} has the fields {sorted(message)}, must have {sorted(_FIELDS[event])}"
        if message["streamSid"] != self.sid:
            return f"streamSid {message['streamSid']!r} is not this stream's {self.sid}"
        if event == "clear":
            names = self._playout.clear()
            self._call.note("clear", marks=names)
            for name in names:
                self.send_mark(name)
            return ""
        return self._media(message["media"]) if event == "media" else self._mark(message["mark"])

    def _media(self, media: object) -> str:
        if not isinstance(media, dict) or set(media) != {"payload"} or not isinstance(media["payload"], str):
            return 'media must be {"payload": base64}'
        try:
            sound = base64.b64decode(media["payload"], validate=True)
        except binascii.Error as error:
            return f"payload is not base64: {error}"
        if not sound:
            return "payload is empty"
        self._playout.media(sound, self._loop.time())
        if sound.startswith(b"RIFF") or sound.startswith(b".snd"):
            return "payload has a file header, which is heard as noise"
        return ""

    def _mark(self, mark: object) -> str:
        if not isinstance(mark, dict) or set(mark) != {"name"} or not isinstance(mark["name"], str) or not mark["name"]:
            return 'mark must be {"name": text}'
        if self._playout.mark(mark["name"]):
            self.send_mark(mark["name"])
        return ""
