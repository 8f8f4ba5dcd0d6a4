"""The hand on the network, which Twilio does not have: callees, faults, strangers, and the record of what happened.

JSON in, JSON out; 400 with the reason for what makes no sense, 404 for what is not there.
"""

import asyncio
import io
import wave
from typing import Any

import numpy as np
from aiohttp import web
from pydantic import Field

from standins.audio import SAMPLE_RATE, decode_mulaw
from standins.control import Closed
from standins.phone_network.call import Call
from standins.phone_network.exchange import Exchange
from standins.phone_network.faults import Faults
from standins.phone_network.forms import is_number
from standins.phone_network.handset import Handset
from standins.phone_network.keyboard import Keyboard
from standins.phone_network.line import Span
from standins.phone_network.script import Script


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
        """Under /control."""
        routes = [
            web.put("/control/callees/{number}", self._enlist),
            web.get("/control/callees", self._callees),
            web.put("/control/numbers/{number}", self._connect_number),
            web.get("/control/rings", self._rings),
            web.get("/control/messages", self._messages),
            web.post("/control/messages", self._person_texts),
            web.post("/control/calls", self._stranger_rings),
            web.get("/control/faults", self._read_faults),
            web.put("/control/faults", self._set_faults),
            web.get("/control/calls/{sid}", self._record),
            web.get("/control/calls/{sid}/audio.wav", self._audio),
            web.post("/control/calls/{sid}/drop_stream", self._drop_stream),
            web.get("/control/keyboard/{number}", self._keyboard),
        ]
        app.add_routes(routes)

    async def _enlist(self, request: web.Request) -> web.Response:
        number = _number(request)
        self._exchange.enlist(number, Script.model_validate_json(await request.text()))
        return web.json_response({"number": number})

    async def _callees(self, _: web.Request) -> web.Response:
        people = self._exchange.subscribers.items()
        return web.json_response([{"number": number, "name": person.script.name} for number, person in people])

    async def _connect_number(self, request: web.Request) -> web.Response:
        number, urls = _number(request), Number.model_validate_json(await request.text())
        if urls.sms_url is not None:
            self._exchange.messages.sms_urls[number] = urls.sms_url
        if urls.voice_url is not None:
            self._exchange.voice_urls[number] = urls.voice_url
        return web.json_response({"number": number, **urls.model_dump()})

    async def _rings(self, request: web.Request) -> web.Response:
        number = request.query.get("number")
        return web.json_response([ring for ring in self._exchange.rings if number in {None, ring["number"]}])

    async def _messages(self, _: web.Request) -> web.Response:
        texts = self._exchange.messages.all.values()
        return web.json_response([text.resource() | {"webhook_error": text.error} for text in texts])

    async def _person_texts(self, request: web.Request) -> web.Response:
        text = Text.model_validate_json(await request.text())
        return web.json_response(self._exchange.messages.receive(text.to, text.from_, text.body).resource(), status=201)

    async def _stranger_rings(self, request: web.Request) -> web.Response:
        ring = Ring.model_validate_json(await request.text())
        if ring.to not in self._exchange.voice_urls:
            raise web.HTTPNotFound(text=f"{ring.to} has no voice_url: PUT /control/numbers/{ring.to} first")
        if ring.script or ring.from_ not in self._exchange.subscribers:
            self._exchange.enlist(ring.from_, ring.script or Script(name="stranger"))
        return web.json_response(self._exchange.stranger_calls(ring.from_, ring.to).resource(), status=201)

    async def _read_faults(self, _: web.Request) -> web.Response:
        return web.json_response(self._exchange.faults.model_dump())

    async def _set_faults(self, request: web.Request) -> web.Response:
        self._exchange.faults.become(Faults.model_validate_json(await request.text()))
        return web.json_response(self._exchange.faults.model_dump())

    async def _record(self, request: web.Request) -> web.Response:
        """`?words=false` spares the decoding."""
        call, resource = self._find(request), self._find(request).resource()
        kept = ("sid", "to", "from", "status", "direction", "duration", "date_created", "start_time", "end_time")
        found: dict[str, Any] = {name: resource[name] for name in kept} | {
            "ended_by": call.ended_by,
            "timeline": call.timeline,
            "violations": call.violations,
            "clock_late_ms": round(self._exchange.pace.late_ms, 1),
        }
        if handset := call.handset:
            found |= _measured(call, handset)
            if request.query.get("words") != "false":
                if call.listening and call.over:
                    await asyncio.wait({call.listening})
                words = handset.words if call.listening else await self._exchange.hearing.words(b"".join(handset.heard))
                start = call.ms(handset.answered_at)
                found["heard"] = [{"word": word.text, "start_ms": start + word.start_ms} for word in words]
        return web.json_response(found)

    async def _audio(self, request: web.Request) -> web.Response:
        """Stereo from the answer on: left the callee, right Floyd as heard at the callee's ear."""
        handset = self._find(request).handset
        if handset is None:
            raise web.HTTPNotFound(text="the call was not answered")
        sides = [decode_mulaw(b"".join(side)) for side in (handset.said, handset.heard)]
        file = io.BytesIO()
        with wave.open(file, "wb") as sound:
            sound.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
            sound.writeframes(np.stack(sides, axis=1).astype("<i2").tobytes())
        return web.Response(body=file.getvalue(), content_type="audio/wav")

    async def _drop_stream(self, request: web.Request) -> web.Response:
        handset = self._find(request).handset
        if handset is None or handset.stream is None:
            raise web.HTTPConflict(text="the call has no stream now")
        handset.stream.drop()
        return web.json_response({"dropped": handset.stream.sid})

    async def _keyboard(self, request: web.Request) -> web.StreamResponse:
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


def _number(request: web.Request) -> str:
    number = request.match_info["number"]
    if not is_number(number):
        raise web.HTTPBadRequest(text=f"{number} is not a valid E.164 number")
    return number


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
