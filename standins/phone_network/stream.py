"""Twilio's side of one bidirectional Media Stream, over a socket."""

import asyncio
import base64
import socket
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import broadcast
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.protocol import State

from standins.phone_network.forms import new_sid
from standins.phone_network.line import PlayOut
from standins.phone_network.twiml import Verb

if TYPE_CHECKING:
    from standins.phone_network.call import Call

OPEN_S = 10.0  # to a 101, connection included
CLOSE_S = 1.0  # how long the server may take to agree to a close
MAX_UNREAD_BYTES = 1 << 20  # a server that has not read this much is taken for dead
CLEAN_CLOSES = frozenset({1000, 1001, 1005})
THROTTLE_BYTES = 4096  # read at once from a socket that is read slowly: its whole buffer in the kernel
NOT_OPENED = (
    (TimeoutError, 31901, f"no websocket within {OPEN_S:.0f} s"),
    (ssl.SSLError, 31910, "TLS"),
    (InvalidHandshake, 31920, "the handshake was not answered with 101"),
    (OSError, 31902, "no connection"),
)


def _sound(payload: object) -> bytes:
    """Base64 to bytes, at least one."""
    sound = base64.b64decode(payload, validate=True) if isinstance(payload, str) else b""
    if not sound:
        raise ValueError("sound as base64 was expected")
    return sound


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Payload(_Strict):
    payload: Annotated[bytes, BeforeValidator(_sound)]


class _Name(_Strict):
    name: str = Field(min_length=1)


class _Message(_Strict):
    stream_sid: str = Field(alias="streamSid")


class Media(_Message):
    """Sound for the callee."""

    event: Literal["media"]
    media: _Payload


class Mark(_Message):
    """To be sent back when the sound before it has been heard."""

    event: Literal["mark"]
    mark: _Name


class Clear(_Message):
    """What has not been heard yet shall not be."""

    event: Literal["clear"]


INCOMING: TypeAdapter[Media | Mark | Clear] = TypeAdapter(Annotated[Media | Mark | Clear, Field(discriminator="event")])


class MediaStream:
    """One websocket from Twilio to the server named by `<Stream url>`."""

    def __init__(self, verb: Verb, call: "Call", playout: PlayOut) -> None:
        self.sid = new_sid("MZ")
        self._verb, self._call, self._network, self._playout = verb, call, call.network, playout
        self._loop = asyncio.get_running_loop()
        self._socket: ClientConnection | None = None
        self._sequence = self._chunk = 0
        self._closing: asyncio.TimerHandle | None = None
        self._told: set[int] = set()

    # What the call asks for

    async def run(self) -> bool:
        """Open, stay until the server closes or the connection dies; cancelled: stop and close.

        False when the connection died without a close frame.
        """
        url = self._verb.attributes["url"]
        try:
            opened = await connect(
                url,
                additional_headers={"X-Twilio-Signature": self._network.webhooks.sign(url, {})},
                user_agent_header="Twilio.TmeWs/1.0",
                compression=None,
                proxy=None,
                ping_interval=None,
                open_timeout=OPEN_S,
                close_timeout=CLOSE_S,
                max_size=None,
                max_queue=None,
            )
        except (OSError, InvalidHandshake) as error:
            code, words = next((code, words) for kind, code, words in NOT_OPENED if isinstance(error, kind))
            self._error(code, f"{words}: {error}")
            return True
        throttling = self._loop.create_task(self._throttle(opened))
        began = self._loop.time()
        try:
            self._start(opened)
            while True:
                self._receive(await opened.recv())
        except ConnectionClosed:
            pass
        finally:
            self._send("stop", stop={"accountSid": self._call.account_sid, "callSid": self._call.sid})
            self._socket = None
            await opened.close()
            throttling.cancel()
            self._call.note("stream stopped", stream_sid=self.sid, seconds=round(self._loop.time() - began, 3))
            self._tell("stream-stopped")
        broken, close = opened.protocol.parser_exc, opened.protocol.close_rcvd
        if broken is not None and not isinstance(broken, EOFError):
            self._error(31924, f"websocket protocol: {broken}")
        if close is None:
            self._error(31921, "the connection died without a close frame")
        elif close.code not in CLEAN_CLOSES:
            self._error(31921, f"the server closed with {close.code} {close.reason}")
        return close is not None

    def send_media(self, frame: bytes) -> None:
        """20 ms of the callee; nothing before `start` or after the end."""
        if self._socket is None:
            return
        at = str(self._chunk * 20)
        self._chunk += 1
        payload = base64.b64encode(frame).decode()
        self._send("media", media={"track": "inbound", "chunk": str(self._chunk), "timestamp": at, "payload": payload})
        transport = self._socket.transport
        if transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            self._error(31921, f"the server left {MAX_UNREAD_BYTES} bytes unread")
            transport.abort()
        elif self._socket.state is not State.OPEN and self._closing is None:
            # A server that has closed must also hang up.
            self._closing = self._loop.call_later(CLOSE_S, transport.abort)

    def send_mark(self, name: str) -> None:
        """The sound before this mark has been heard, or dropped by a clear."""
        if not self._network.faults.suppress_marks:
            self._call.note("mark", name=name)
            self._send("mark", mark={"name": name})

    def send_key(self, digit: str) -> None:
        self._send("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def drop(self) -> None:
        """Tear the connection, as a network does."""
        if self._socket is not None:
            self._socket.transport.abort()

    # The wire

    def _start(self, opened: ClientConnection) -> None:
        broadcast((opened,), '{"event":"connected","protocol":"Call","version":"1.0.0"}')
        self._socket = opened
        start = {
            "accountSid": self._call.account_sid,
            "streamSid": self.sid,
            "callSid": self._call.sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": self._verb.parameters,
        }
        self._send("start", start=start)
        url, parameters = self._verb.attributes["url"], self._verb.parameters
        self._call.note("stream started", stream_sid=self.sid, url=url, parameters=parameters)
        self._tell("stream-started")

    def _send(self, event: str, **body: object) -> None:
        """Without a task switch, since 50 calls make 2,500 messages a second; to an open connection only."""
        if self._socket is not None:
            self._sequence += 1
            message = {"event": event, "sequenceNumber": str(self._sequence), **body, "streamSid": self.sid}
            broadcast((self._socket,), orjson.dumps(message), text=True)

    async def _throttle(self, opened: ClientConnection) -> None:
        """Read no faster than the fault says. A large kernel buffer would hide it from the server for a long time."""
        if self._network.faults.throttle_bytes_s is None:
            return
        opened.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, THROTTLE_BYTES)
        while not opened.transport.is_closing():
            opened.transport.pause_reading()
            await asyncio.sleep(THROTTLE_BYTES / self._network.faults.throttle_bytes_s)
            opened.transport.resume_reading()
            await asyncio.sleep(0)

    def _error(self, code: int, message: str) -> None:
        """Every error is kept; of its kind Twilio tells about the first in a stream."""
        self._call.violation(code, message)
        if code not in self._told:
            self._told.add(code)
            self._tell("stream-error", StreamError=f"{code} {message}")

    def _tell(self, event: str, **more: str) -> None:
        given = self._verb.attributes
        if not (url := given.get("statusCallback")):
            return
        params = {
            "AccountSid": self._call.account_sid,
            "CallSid": self._call.sid,
            "StreamSid": self.sid,
            "StreamName": given.get("name") or self.sid,
            "StreamEvent": event,
            "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        method = given.get("statusCallbackMethod", "POST")
        self._network.spawn(self._network.webhooks.send(url, params | more, self._call.violation, method))

    # What the server says

    def _receive(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            return self._error(31950, "malformed message: binary, must be text")
        try:
            message = INCOMING.validate_json(data)
        except ValidationError as error:
            return self._error(31951, f"invalid message: {error}")
        if message.stream_sid != self.sid:
            return self._error(31951, f"invalid message: {message.stream_sid!r} is not this stream's {self.sid}")
        match message:
            case Media():
                self._playout.media(message.media.payload, self._loop.time())
                if message.media.payload.startswith((b"RIFF", b".snd")):
                    self._error(31951, "invalid message: the payload has a file header, which is heard as noise")
            case Mark():
                if self._playout.mark(message.mark.name):
                    self.send_mark(message.mark.name)
            case Clear():
                names = self._playout.clear()
                self._call.note("clear", marks=names)
                for name in names:
                    self.send_mark(name)
        return None
