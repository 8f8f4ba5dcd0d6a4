"""A whole relay in the test's process, with stand-ins for its vendors, and a telephone line to it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from floyd import hours
from floyd.carrier import Carrier
from floyd.documents import Call, CallStatus, Person, Released, Request, Status
from floyd.errors import NotAuthenticatedError
from floyd.identity import Identity
from floyd.intake import Intake
from floyd.plans import Callee, MandateTerms, Plan
from floyd.settings import Settings
from floyd.signatures import new_token, sign, token_digest
from floyd.store import Store, StreamToken
from relay.admission import Admission
from relay.clients import attend
from relay.core.policy import Policy
from relay.dictation import Dictation
from relay.google_services import GoogleSpeech, GoogleVoice
from relay.media_call import House, MediaCall
from relay.mouth import RenderedLines
from relay.openai_responses import OpenAIMind
from relay.pacer import Pacer
from relay.registry import Registry
from relay.replying import Breaker
from relay.server import RelayServer
from relay.session import Tools
from relay.voice import PunctualVoice
from standins import google_speech, google_tts, tones
from standins.listener import Ears
from standins.openai.server import Delays, application, listening
from standins.phone_network.exchange import Exchange
from standins.phone_network.server import running as phone_network
from tests.standins.vendor_client import Steering
from tests.standins.vendor_client import running as vendor

T = TypeVar("T")

ACCOUNT, SECRET = "AC" + "1" * 32, "token-of-the-tests"
CALL_SID, STREAM_SID = "CA" + "2" * 32, "MZ" + "3" * 32
CALLER = "+13125550100"
UID, RID, TRACE = "person-1", "errand-1", "0" * 31 + "9"
DEADLINE_S = 90.0
SCRIPTED = Policy(speculations_per_turn=1)
"""A reply thought ahead in vain would use up what a test had scripted for the next one."""
WORLD = (
    "+13125550142",
    "+18085550142",
    "+81312345678",
    "+919812345678",
    "+442079460123",
    "+971501234567",
    "+6421123456",
)
"""Somewhere it is day."""


def callee_number() -> str:
    """A number that may be rung at this hour."""
    return next(number for number in WORLD if hours.is_allowed(number, datetime.now(UTC)))


@dataclass
class Relay:
    """A running relay and its surroundings."""

    store: Store
    server: RelayServer
    calls: set[MediaCall]
    stop: asyncio.Event
    speech: Steering
    voice: Steering
    mind: str
    exchange: Exchange
    port: int = 0
    url: str = ""
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    def socket(self, path: str, **headers: str) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}{path}", additional_headers=headers, compression=None, proxy=None)

    def signature(self, path: str = "/media") -> str:
        return sign(SECRET, self.url + path)

    def media(self) -> connect:
        return self.socket("/media", **{"X-Twilio-Signature": self.signature()})

    async def errand(self, *, status: Status = Status.RINGING, sid: str | None = CALL_SID, epoch: int = 1) -> str:
        """Store an errand whose phone is being answered; its stream token."""
        now = datetime.now(UTC)
        plan = Plan(
            needs_call=True,
            answer_key=None,
            goal="tell the school that Mara is sick today",
            done_when=["the school has noted it"],
            callee=Callee(name="Lincoln Elementary", number=None, number_source="fact"),
            facts_needed=["child_name"],
            facts_missing=[],
            steps=["say that {child_name} is sick today"],
            opening="{child_name} is sick today.",
            voicemail="",
            mandate=MandateTerms(),
            questions=[],
        )
        request = Request(
            text="tell the school",
            trace=TRACE,
            status=status,
            created_at=now,
            deadline=now + timedelta(minutes=5),
            plan=plan,
            release=[Released(key="child_name", value="Mara")],
            mandate=MandateTerms(),
        )
        call = Call.model_validate(
            {"to": callee_number(), "from": CALLER, "status": CallStatus.RINGING, "sid": sid, "epoch": epoch}
        )
        path = f"users/{UID}/requests/{RID}"
        await self.store.put(f"users/{UID}", Person(name="Tom Baker"))
        await self.store.put(path, request)
        await self.store.put(f"{path}/calls/1", call)
        return await self.token(epoch=epoch)

    async def token(self, *, epoch: int = 1, minutes: float = 5, account: str = ACCOUNT) -> str:
        token = new_token()
        not_after = datetime.now(UTC) + timedelta(minutes=minutes)
        kept = StreamToken(uid=UID, rid=RID, attempt=1, epoch=epoch, account_sid=account, not_after=not_after)
        await self.store.keep_token(token_digest(token), kept)
        return token


class Phone:
    """The carrier's end of one media stream: plays what it is sent at its own pace, and speaks in audible code."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard = b""
        self.clears = 0
        self._loop = asyncio.get_running_loop()
        self._played_until = 0.0
        self._marks: list[tuple[asyncio.TimerHandle, str]] = []
        self._to_say = b""
        self._sequence = 1
        self._changed = asyncio.Event()
        self._frames = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, token: str, **changed: Any) -> None:
        """Send the first two messages, then frames every 20 ms."""
        await self.send(event="connected", protocol="Call", version="1.0.0")
        start = {
            "streamSid": STREAM_SID,
            "accountSid": ACCOUNT,
            "callSid": CALL_SID,
            "tracks": ["inbound"],
            "customParameters": {"token": token},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        }
        await self.send(event="start", sequenceNumber="1", streamSid=STREAM_SID, start=start | changed)
        self._tasks = [self._loop.create_task(self._talk()), self._loop.create_task(self._listen())]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.socket.close()

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def send_next(self, event: str, **body: Any) -> None:
        self._sequence += 1
        await self.send(event=event, sequenceNumber=str(self._sequence), streamSid=STREAM_SID, **body)

    def say(self, text: str) -> None:
        self._to_say += tones.encode(text)

    def words(self) -> str:
        return tones.decode(self.heard)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds; looked at whenever something arrived."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def look(self, at: Callable[[], Awaitable[T]], good: Callable[[T], bool]) -> T:
        """What is stored, once it is as wanted; looked at as time passes on the line."""
        async with asyncio.timeout(DEADLINE_S):
            while not good(found := await at()):
                await self._frames.wait()
                self._frames.clear()
        return found

    async def closed(self) -> tuple[int, str]:
        """How the relay closed the socket."""
        async with asyncio.timeout(DEADLINE_S):
            await self.socket.wait_closed()
        return self.socket.close_code or 0, self.socket.close_reason or ""

    async def _talk(self) -> None:
        due = self._loop.time()
        with suppress(ConnectionClosed):
            while True:
                frame, self._to_say = self._to_say[:160].ljust(160, b"\xff"), self._to_say[160:]
                payload = base64.b64encode(frame).decode()
                await self.send_next("media", media={"track": "inbound", "payload": payload})
                due += 0.02
                self._frames.set()
                await asyncio.sleep(max(0.0, due - self._loop.time()))

    async def _listen(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self.socket:
                message = json.loads(text)
                now = self._loop.time()
                if message["event"] == "media":
                    sound = base64.b64decode(message["media"]["payload"])
                    if now > self._played_until:
                        self.heard += b"\xff" * 2400  # a pause, so that words on both sides of it stay words
                    self.heard += sound
                    self._played_until = max(now, self._played_until) + len(sound) / 8000
                elif message["event"] == "mark":
                    name = message["mark"]["name"]
                    timer = self._loop.call_at(max(now, self._played_until), self._echo, name)
                    self._marks.append((timer, name))
                elif message["event"] == "clear":
                    self.clears += 1
                    unplayed = round(max(0.0, self._played_until - now) * 8000)
                    self.heard = self.heard[: len(self.heard) - unplayed]
                    self._played_until = now
                    for timer, name in tuple(self._marks):
                        timer.cancel()
                        self._echo(name)
                self._changed.set()

    def _echo(self, name: str) -> None:
        self._marks = [(timer, each) for timer, each in self._marks if each != name]
        self._tasks.append(self._loop.create_task(self._send_mark(name)))

    async def _send_mark(self, name: str) -> None:
        with suppress(ConnectionClosed):
            await self.send_next("mark", mark={"name": name})


async def verify(token: str) -> Identity:
    """Identity as a deployment of one's own sees it: the token is the person's id."""
    if not token.startswith("person-"):
        raise NotAuthenticatedError("no")
    return Identity(token)


@asynccontextmanager
async def relay(store: Store) -> AsyncIterator[Relay]:
    """A relay on a free port; every vendor is a stand-in on another, quick and in audible code."""
    hearing = google_speech.SpeechServer(Ears([], "tones"), google_speech.SpeechSettings())
    speaking = google_tts.VoiceServer("tones", google_tts.VoiceSettings(first_byte_ms=20))
    exchange = Exchange(ACCOUNT, SECRET)
    async with (
        vendor(google_speech.SERVICE, hearing.handlers(), hearing.control) as (speech_channel, speech_steering),
        vendor(google_tts.SERVICE, speaking.handlers(), speaking.control) as (voice_channel, voice_steering),
        listening(application(delays=Delays(first_token_ms=20)), "127.0.0.1", 0) as mind_port,
        phone_network(exchange, "127.0.0.1", 0) as phone_port,
    ):
        mind_url = f"http://127.0.0.1:{mind_port}"
        mind = OpenAIMind(api_key="key", base_url=f"{mind_url}/v1")
        ears = GoogleSpeech(speech_channel, project="p", location="global", model="telephony")
        voice = PunctualVoice(GoogleVoice(voice_channel, name="en-US-Chirp3-HD-Charon"))
        tools = Tools(ears, mind, voice, Pacer(), Breaker("gpt-6-luna", "gpt-5.6-luna"))
        carrier = Carrier(ACCOUNT, SECRET, api_base=f"http://127.0.0.1:{phone_port}")
        url = "wss://relay.test"
        calls: set[MediaCall] = set()
        registry = Registry(store, url, capacity=2, live=lambda: len(calls))
        settings = Settings.read("command", {"FLOYD_ENV": "local"})
        server = RelayServer(
            House(store, carrier, tools, RenderedLines(store, voice.name), CALLER, SCRIPTED),
            Admission(store, url, ACCOUNT, [SECRET], ["https://app.test"]),
            registry,
            calls,
            dictate=Dictation(ears, verify, Intake(store, settings).take, language="en-US").dictate,
            attend=partial(attend, verify=verify, calls=calls),
        )
        stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
        relay = Relay(store, server, calls, stop, speech_steering, voice_steering, mind_url, exchange, url=url)
        serving = asyncio.create_task(server.run(0, stop, started=started.set_result))
        try:
            relay.port = await started
            yield relay
        finally:
            stop.set()
            async with asyncio.timeout(DEADLINE_S):
                await serving
            await asyncio.gather(mind.close(), carrier.close())
