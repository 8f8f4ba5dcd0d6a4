"""Dialling on a stage of real parts: the Firestore emulator, the phone network's stand-in, sockets between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import WSMsgType, web

from floyd.carrier import Carrier
from floyd.documents import Call, Request, Status
from floyd.hours import is_allowed
from floyd.lifecycle import Errand
from floyd.plans import Callee, MandateTerms, Plan
from floyd.relays import Heartbeat
from floyd.settings import Settings
from floyd.signatures import HEADER
from floyd.store import Store, request_path
from functions.carrier import Incoming, receive
from functions.dialing import dial_call, intend_call
from functions.parts import Parts
from functions.sweeping import sweep
from standins.phone_network.call import Call as NetworkCall
from standins.phone_network.exchange import Exchange
from standins.phone_network.script import Script
from standins.phone_network.server import running

ACCOUNT, TOKEN = "AC" + "2" * 32, "token-of-the-stage"
REGIONS = "US,GB,JP"
FLOYD = "+14155550100"
RINGS_ON = Script(answer_after_s=60)
BUSY = Script(outcome="busy", answer_after_s=0.05)
ANSWERS = Script(answer_after_s=0.05, patience_s=60)


def daytime_number(index: int, now: datetime) -> str:
    """A number, one of a hundred, where it is day at any hour that the tests run."""
    candidates = (f"+13125550{index + 100:03}", f"+4420718387{index:02}", f"+813123456{index:02}")
    return next(number for number in candidates if is_allowed(number, now))


@dataclass
class StageRelay:
    """A relay's front door: says whether it is ready, and holds what is streamed to it."""

    url: str = ""
    ready: bool = True
    streams: list[web.WebSocketResponse] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def serve_ready(self, request: web.Request) -> web.Response:
        return web.Response(status=200 if self.ready else 503)

    async def serve_media(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.streams.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT and message.json()["event"] == "start":
                async with self.changed:
                    self.tokens.append(message.json()["start"]["customParameters"]["token"])
                    self.changed.notify_all()
        return socket

    async def streamed(self, count: int) -> None:
        """Wait until this many streams have begun here."""
        async with asyncio.timeout(15), self.changed:
            await self.changed.wait_for(lambda: len(self.tokens) >= count)


class WatchedExchange(Exchange):
    """The network, with a bell for whoever waits for a ring."""

    def __init__(self) -> None:
        super().__init__(ACCOUNT, TOKEN)
        self.bell = asyncio.Event()

    def rang(self, call: NetworkCall) -> None:
        super().rang(call)
        self.bell.set()


@dataclass
class Stage:
    """Everything that a call needs, and the ring log that judges."""

    store: Store
    exchange: WatchedExchange
    carrier: Carrier
    settings: Settings
    relays: list[StageRelay]
    now: datetime
    answered: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def parts(self) -> Parts:
        return replace(Parts.of(self.settings, self.store), carrier=self.carrier)

    def with_settings(self, **changed: object) -> Stage:
        return replace(self, settings=self.settings.model_copy(update=changed))

    def number(self, index: int, script: Script | None = RINGS_ON) -> str:
        """A callee's number where it is day; `script` is how they take the call."""
        number = daytime_number(index, self.now)
        if script is not None:
            self.exchange.enlist(number, script)
        return number

    async def ready(self, rid: str, number: str, *, uid: str = "tom", **fields: object) -> None:
        """A request that is ready to ring."""
        plan = Plan(
            needs_call=True,
            answer_key=None,
            goal="tell them",
            done_when=[],
            callee=Callee(name="School", number=number, number_source="request"),
            facts_needed=[],
            facts_missing=[],
            steps=[],
            opening="I am calling to tell you something.",
            voicemail="",
            mandate=MandateTerms(),
            questions=[],
        )
        request = Request(
            text="tell them",
            status=Status.READY,
            created_at=self.now,
            deadline=self.now + timedelta(minutes=1),
            plan=plan,
            mandate=MandateTerms(),
        )
        document = request.model_copy(update=fields).to_store()
        await self.store.put(request_path(uid, rid), document)

    async def intend(self, rid: str, *, uid: str = "tom") -> int:
        """Write down the intent; the attempt it is for."""
        request = await self.store.request(uid, rid)
        assert request is not None
        await intend_call(uid, rid, request, self.parts, self.now)
        return request.attempt

    async def dial(self, rid: str, attempt: int = 1, *, uid: str = "tom") -> str:
        return await dial_call(uid, rid, attempt, replace(self.parts, now=self.now))

    async def ring(self, rid: str, number: str, *, uid: str = "tom") -> str:
        """A ready request, its intent, and one delivery of it to the dialler."""
        await self.ready(rid, number, uid=uid)
        return await self.dial(rid, await self.intend(rid, uid=uid), uid=uid)

    async def errand(self, rid: str, *, uid: str = "tom") -> Errand:
        return await self.store.load(uid, rid)

    async def call(self, rid: str, *, uid: str = "tom") -> Call:
        call = (await self.errand(rid, uid=uid)).call
        assert call is not None
        return call

    async def sweep(self, after: timedelta = timedelta(0)) -> dict[str, int]:
        return await sweep(replace(self.parts, now=datetime.now(UTC) + after))

    async def rings(self, count: int) -> list[str]:
        """Wait until so many phones have rung; all numbers that rang."""
        async with asyncio.timeout(15):
            while len(self.exchange.rings) < count:
                self.exchange.bell.clear()
                await self.exchange.bell.wait()
        return [str(ring["number"]) for ring in self.exchange.rings]

    async def until_status(self, rid: str, *statuses: Status, uid: str = "tom") -> Errand:
        """Wait until callbacks have brought the request there."""
        async with asyncio.timeout(15), self.answered:
            while (errand := await self.errand(rid, uid=uid)).request.status not in statuses:
                await self.answered.wait()
        return errand

    async def serve_webhook(self, request: web.Request) -> web.Response:
        """What the entry point does: the request's plain values in, the answer out."""
        incoming = Incoming(
            request.method,
            request.rel_url.raw_path,
            request.rel_url.raw_query_string,
            request.headers.get(HEADER, ""),
            await request.read(),
        )
        answer = await receive(incoming, self.parts)
        async with self.answered:
            self.answered.notify_all()
        return web.Response(status=answer.status_code, body=answer.body, content_type=answer.media_type)


async def _listen(app: web.Application) -> tuple[web.AppRunner, int]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, int(runner.addresses[0][1])


@pytest.fixture
async def stage(store: Store) -> AsyncIterator[Stage]:
    exchange, relays, runners = WatchedExchange(), [StageRelay(), StageRelay()], []
    for relay in relays:
        app = web.Application()
        app.router.add_get("/ready", relay.serve_ready)
        app.router.add_get("/media", relay.serve_media)
        runner, port = await _listen(app)
        relay.url = f"ws://127.0.0.1:{port}"
        await store.beat(Heartbeat(url=relay.url, live=0, room=30, draining=False, beat_at=datetime.now(UTC)))
        runners.append(runner)
    front = web.Application()
    async with running(exchange, "127.0.0.1", 0) as network_port:
        carrier = Carrier(ACCOUNT, TOKEN, api_base=f"http://127.0.0.1:{network_port}")
        now = datetime.now(UTC)
        settings = Settings.model_validate(
            {
                "floyd_env": "local",
                "twilio_account_sid": ACCOUNT,
                "twilio_auth_token": TOKEN,
                "floyd_caller_number": FLOYD,
                "floyd_relay_urls": ",".join(relay.url for relay in relays),
                "floyd_dial_regions": REGIONS,
                "floyd_dial_allow": ",".join(daytime_number(index, now) for index in range(60)),
                "floyd_max_calls": 50,
                "floyd_daily_spend": "1000",
            }
        )
        stage = Stage(store, exchange, carrier, settings, relays, now)
        front.router.add_route("*", "/{path:.*}", stage.serve_webhook)
        runner, port = await _listen(front)
        runners.append(runner)
        stage.settings = settings.model_copy(update={"floyd_carrier_url": f"http://127.0.0.1:{port}/carrier"})
        yield stage
        await carrier.close()
    for runner in runners:
        await runner.cleanup()
