"""The hand on the network, which Twilio does not have: callees, faults, strangers, and the record of what happened.

JSON in, JSON out; 400 with the reason for what makes no sense, 404 for what is not there.
"""

import asyncio
import io
import wave
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from aiohttp import web
from pydantic import BaseModel, Field

from standins.audio import SAMPLE_RATE, decode_mulaw
from standins.control import Closed
from standins.phone_network.call import Call
from standins.phone_network.exchange import Exchange
from standins.phone_network.faults import Faults
from standins.phone_network.forms import is_number
from standins.phone_network.handset import Handset
from standins.phone_network.line import Span
from standins.phone_network.script import Script
from standins.phone_network.subscribers import Keyboard

KEPT = ("sid", "to", "from", "status", "direction", "duration", "date_created", "start_time", "end_time")
"""Of a call's resource in its record."""

Handler = Callable[[web.Request, Any], object]
"""Gets the request and, checked, what was sent with it; its answer, or what it returns when awaited, is JSON."""


class Text(Closed):
    """A person texts in."""

    from_: str = Field(alias="from")
    to: str
    body: str


class Ring(Closed):
    """A stranger rings one of the account's numbers."""

    from_: str = Field(alias="from")
    to: str
    script: Script | None = None


class Number(Closed):
    """Where a number of the account sends its webhooks."""

    sms_url: str | None = None
    voice_url: str | None = None


class Control:
    """The handlers; state lives in the exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def add_routes(self, app: web.Application) -> None:
        """Under /control: what is sent is checked against its type before the handler sees it."""
        network = self._exchange
        routes: tuple[tuple[str, str, type[BaseModel] | None, Handler], ...] = (
            ("GET", "callees", None, self._callees),
            ("PUT", "callees/{number}", Script, lambda request, script: network.enlist(_number(request), script)),
            ("PUT", "numbers/{number}", Number, self._connect_number),
            ("GET", "rings", None, self._rings),
            ("GET", "messages", None, self._messages),
            ("POST", "messages", Text, self._person_texts),
            ("POST", "calls", Ring, self._stranger_rings),
            ("GET", "calls/{sid}", None, self._record),
            ("POST", "calls/{sid}/drop_stream", None, self._drop_stream),
            ("GET", "calls/{sid}/audio.wav", None, self._audio),
            ("GET", "faults", None, lambda _, __: network.faults.model_dump()),
            ("PUT", "faults", Faults, lambda _, faults: network.faults.become(faults)),
            ("GET", "keyboard/{number}", None, self._keyboard),
        )
        for method, path, sent, handler in routes:
            app.router.add_route(method, f"/control/{path}", _as_json(sent, handler))

    def _callees(self, _: web.Request, __: None) -> object:
        people = self._exchange.subscribers.items()
        return [{"number": number, "name": person.script.name} for number, person in people]

    def _connect_number(self, request: web.Request, urls: Number) -> None:
        number = _number(request)
        if urls.sms_url is not None:
            self._exchange.messages.sms_urls[number] = urls.sms_url
        if urls.voice_url is not None:
            self._exchange.voice_urls[number] = urls.voice_url

    def _rings(self, request: web.Request, _: None) -> object:
        return [ring for ring in self._exchange.rings if request.query.get("number") in {None, ring["number"]}]

    def _messages(self, _: web.Request, __: None) -> object:
        return [text.resource() | {"webhook_error": text.error} for text in self._exchange.messages.all.values()]

    def _person_texts(self, _: web.Request, text: Text) -> object:
        received = self._exchange.messages.receive(text.to, text.from_, text.body)
        return web.json_response(received.resource(), status=201)

    def _stranger_rings(self, _: web.Request, ring: Ring) -> object:
        if ring.to not in self._exchange.voice_urls:
            raise web.HTTPNotFound(text=f"{ring.to} has no voice_url: PUT /control/numbers/{ring.to} first")
        if ring.script or ring.from_ not in self._exchange.subscribers:
            self._exchange.enlist(ring.from_, ring.script or Script(name="stranger"))
        return web.json_response(self._exchange.stranger_calls(ring.from_, ring.to).resource(), status=201)

    async def _record(self, request: web.Request, _: None) -> object:
        """`?words=false` spares the decoding."""
        call, pace = self._find(request), self._exchange.pace
        resource, clock = (
            call.resource(),
            {"clock_late_ms": round(pace.late_ms, 1), "clock_starved_ms": pace.starved_ms},
        )
        told = {"ended_by": call.ended_by, "timeline": call.timeline, "violations": call.violations}
        found: dict[str, Any] = {name: resource[name] for name in KEPT} | told | clock
        if handset := call.handset:
            found |= _measured(call, handset)
            if request.query.get("words") != "false":
                if call.listening and call.over:
                    await asyncio.wait({call.listening})
                words = handset.words if call.listening else await self._exchange.hearing.words(bytes(handset.heard))
                start = call.ms(handset.answered_at)
                found["heard"] = [{"word": word.text, "start_ms": start + word.start_ms} for word in words]
        return found

    async def _audio(self, request: web.Request, _: None) -> web.Response:
        """Stereo from the answer on: left the callee, right Floyd as heard at the callee's ear."""
        handset = self._find(request).handset
        if handset is None:
            raise web.HTTPNotFound(text="the call was not answered")
        # Five minutes take 30 to 80 ms, in which the clock of all calls would stand.
        file = await asyncio.to_thread(_wav, bytes(handset.said), bytes(handset.heard))
        return web.Response(body=file, content_type="audio/wav")

    def _drop_stream(self, request: web.Request, _: None) -> object:
        handset = self._find(request).handset
        if handset is None or handset.stream is None:
            raise web.HTTPConflict(text="the call has no stream now")
        handset.stream.drop()
        return {"dropped": handset.stream.sid}

    async def _keyboard(self, request: web.Request, _: None) -> web.StreamResponse:
        number, people = _number(request), self._exchange.subscribers
        before = people.get(number)
        mine = people[number] = Keyboard(request.query.get("voice", "rms"))
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        try:
            await mine.serve(socket)
        finally:
            if people.get(number) is mine:
                del people[number]
                people.update({number: before} if before else {})
        return socket

    def _find(self, request: web.Request) -> Call:
        call = self._exchange.calls.get(request.match_info["sid"])
        if call is None:
            raise web.HTTPNotFound(text="no such call")
        return call


def _as_json(sent: type[BaseModel] | None, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        found = handler(request, sent and sent.model_validate_json(await request.text()))
        if isinstance(found, Awaitable):
            found = await found
        return found if isinstance(found, web.StreamResponse) else web.json_response(found)

    return answer


def _number(request: web.Request) -> str:
    number = request.match_info["number"]
    if not is_number(number):
        raise web.HTTPBadRequest(text=f"{number} is not a valid E.164 number")
    return number


def _wav(left: bytes, right: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
        sound.writeframes(np.stack([decode_mulaw(left), decode_mulaw(right)], axis=1).astype("<i2").tobytes())
    return file.getvalue()


def _measured(call: Call, handset: Handset) -> dict[str, Any]:
    """What the phone measured; times are milliseconds since the call was placed."""
    line, watch = handset.playout, handset.stopwatch

    def spans(found: list[Span], name: str) -> list[dict[str, float]]:
        return [{"at_ms": call.ms(span.at), name: round(span.ms, 1)} for span in found]

    return {
        "answered_ms": call.ms(handset.answered_at),
        "said": [
            {"text": said.text, "start_ms": call.ms(said.start), "end_ms": said.end and call.ms(said.end)}
            for said in handset.person.said
        ],
        "turn_gaps": spans(watch.turn_gaps, "gap_ms"),
        "barge_ins": spans(watch.barge_ins, "stopped_after_ms"),
        "line": {
            "frames": line.frames,
            "late_ms": [round(late, 1) for late in line.late_ms],
            "gaps": spans(line.under_runs, "gap_ms"),
        },
    }
