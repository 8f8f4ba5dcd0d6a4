"""The program under test as the network sees it: a web server, a media stream server, a client of the REST API."""

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from standins import tones
from standins.phone_network.exchange import Exchange

ACCOUNT = "AC" + "a" * 32
TOKEN = "network-test-token"
FLOYD = "+13125550100"
CALLEE = "+12125550150"


@dataclass
class Hook:
    """One webhook request as it arrived."""

    path: str
    form: dict[str, str]
    signed: bool


@dataclass
class Peer:
    """The program under test: answers webhooks with `answers`, media streams with `on_stream`."""

    url: str = ""
    ws_url: str = ""
    hooks: list[Hook] = field(default_factory=list)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    received: list[dict[str, Any]] = field(default_factory=list)
    """Every message of every stream."""
    handshakes: list[bool] = field(default_factory=list)
    """For each handshake, whether its signature was right."""
    on_stream: Callable[["Wire"], Awaitable[None]] | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, condition: Callable[[], object], within_s: float = 10) -> None:
        """Wait for something to have arrived; looked at on every arrival."""
        async with asyncio.timeout(within_s), self.changed:
            await self.changed.wait_for(lambda: bool(condition()))

    async def arrived(self) -> None:
        """Wake whoever waits."""
        async with self.changed:
            self.changed.notify_all()

    def forms(self, path: str) -> list[dict[str, str]]:
        """The forms sent to one path, in order."""
        return [hook.form for hook in self.hooks if hook.path == path]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The stream messages of one kind, in order."""
        return [message for message in self.received if message["event"] == name]


class Wire:
    """The server's end of a media stream."""

    def __init__(self, socket: ServerConnection, peer: Peer) -> None:
        self.socket = socket
        self._peer = peer
        self.stream_sid = ""

    async def receive(self) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any] = orjson.loads(await self.socket.recv())
        self.stream_sid = message.get("streamSid", self.stream_sid)
        self._peer.received.append(message)
        await self._peer.arrived()
        return message

    async def until(self, event: str) -> dict[str, Any]:
        """Read on to the next message of this kind."""
        while True:
            message = await self.receive()
            if message["event"] == event:
                return message

    async def send(self, event: str, **body: object) -> None:
        """One message to the network."""
        await self.socket.send(orjson.dumps({"event": event, "streamSid": self.stream_sid, **body}).decode())


ALL_EVENTS = ["initiated", "ringing", "answered", "completed"]


class Setting:
    """A callee, a program under test and a client, ready to call."""

    def __init__(self, base_url: str, control: aiohttp.ClientSession, peer: Peer, exchange: Exchange) -> None:
        self.control, self.peer, self.exchange = control, peer, exchange
        self.http = AsyncTwilioHttpClient(timeout=10)
        self.client = Client(ACCOUNT, TOKEN, http_client=self.http)
        self.client.api.base_url = base_url

    async def callee(self, **script: object) -> None:
        """Who answers at CALLEE."""
        body = {"voice": "tones", "answer_after_s": 0.02, **script}
        async with self.control.put(f"/control/callees/{CALLEE}", json=body) as response:
            assert response.status == 200, await response.text()

    async def fault(self, **faults: object) -> None:
        """What goes wrong."""
        async with self.control.put("/control/faults", json=faults) as response:
            assert response.status == 200, await response.text()

    async def call(self, twiml: str, **more: object) -> str:
        """Place a call; its sid."""
        created = await self.client.calls.create_async(
            to=CALLEE,
            from_=FLOYD,
            twiml=twiml,
            status_callback=f"{self.peer.url}/status",
            status_callback_event=ALL_EVENTS,
            **more,
        )
        return str(created.sid)

    async def over(self, sid: str, **query: str) -> dict[str, Any]:
        """The record of a call, once its end has been told."""
        await self.peer.until(lambda: self.statuses(sid)[-1:] and self.exchange.calls[sid].over)
        async with self.control.get(f"/control/calls/{sid}", params=query) as response:
            return dict(await response.json())

    def statuses(self, sid: str) -> list[str]:
        """The CallStatus values told so far."""
        final = {"completed", "busy", "no-answer", "failed", "canceled"}
        told = [form["CallStatus"] for form in self.peer.forms("/status") if form["CallSid"] == sid]
        return told if told and told[-1] in final else []

    def connect(self, after: str = "", **attributes: str) -> str:
        """TwiML that opens the program's media stream."""
        extra = "".join(f" {name}='{value}'" for name, value in attributes.items())
        parameter = "<Parameter name='token' value='t0k'/>"
        stream = f"<Stream url='{self.peer.ws_url}'{extra}>{parameter}</Stream>"
        return f"<Response><Connect>{stream}</Connect>{after}</Response>"


async def say(wire: Wire, text: str, mark: str) -> None:
    """Send speech and a mark, and wait until it has been heard."""
    sound = tones.encode(text)
    for start in range(0, len(sound), 800):
        await wire.send("media", media={"payload": base64.b64encode(sound[start : start + 800]).decode()})
    await wire.send("mark", mark={"name": mark})
    while (await wire.until("mark"))["mark"]["name"] != mark:
        pass


async def hear(wire: Wire, text: str) -> None:
    """Read until the callee has said this."""
    decoder, words = tones.Decoder(), ""
    while not words.endswith(text):
        media = (await wire.until("media"))["media"]
        words = " ".join([words, *(word.word for word in decoder.feed(base64.b64decode(media["payload"])))])


async def read_on(wire: Wire) -> None:
    """Read until the network closes."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await wire.receive()
