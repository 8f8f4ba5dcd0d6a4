"""The hand on the network, which Twilio does not have: callees, faults, strangers, and the record of what happened."""

import io
import wave
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from standins import audio
from standins.phone_network.call import Call
from standins.phone_network.exchange import Exchange, Scripted, is_number
from standins.phone_network.faults import Faults
from standins.phone_network.handset import Handset
from standins.phone_network.script import Script
from standins.phone_network.typist import Keyboard

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Text(_Body):
    """A person texts in."""

    from_: str = Field(alias="from")
    to: str
    body: str


class Ring(_Body):
    """A stranger rings one of the account's numbers."""

    from_: str = Field(alias="from")
    to: str
    script: Script = Script(name="stranger")


class Number(_Body):
    """Where a number of the account sends its webhooks."""

    sms_url: str | None = None
    voice_url: str | None = None


class Control:
    """The handlers under /control/."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def add_routes(self, app: web.Application) -> None:
        """JSON in, JSON out; 400 with the reason for what makes no sense, 404 for what is not there."""
        for method, path, handler in (
            ("PUT", "/callees/{number}", self._put_callee),
            ("GET", "/callees", self._callees),
            ("GET", "/rings", self._rings),
            ("GET", "/refusals", self._refusals),
            ("GET", "/calls", self._calls),
            ("POST", "/calls", self._stranger_rings),
            ("GET", "/calls/{sid}", self._call),
            ("GET", "/calls/{sid}/audio.wav", self._audio),
            ("POST", "/calls/{sid}/drop_stream", self._drop_stream),
            ("GET", "/messages", self._messages),
            ("POST", "/messages", self._person_texts),
            ("PUT", "/numbers/{number}", self._put_number),
            ("GET", "/faults", self._faults),
            ("PUT", "/faults", self._put_faults),
            ("GET", "/keyboard/{number}", self._keyboard),
        ):
            app.router.add_route(method, f"/control{path}", _told(handler))

    # Callees

    async def _put_callee(self, request: web.Request) -> web.Response:
        number = _number(request)
        self._exchange.enlist(number, Script.model_validate_json(await request.text()))
        return web.json_response({"number": number})

    async def _callees(self, request: web.Request) -> web.Response:
        people = self._exchange.subscribers.items()
        return web.json_response(
            [
                {"number": number, "name": person.script.name if isinstance(person, Scripted) else "keyboard"}
                for number, person in people
            ]
        )

    async def _keyboard(self, request: web.Request) -> web.StreamResponse:
        number = _number(request)
        subscribers = self._exchange.subscribers
        before = subscribers.get(number)
        keyboard = subscribers[number] = Keyboard(self._exchange.voices, request.query.get("voice", "rms"))
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        try:
            await keyboard.serve(socket)
        finally:
            if subscribers.get(number) is keyboard:
                del subscribers[number]
                if before is not None:
                    subscribers[number] = before
        return socket

    # The record

    async def _rings(self, request: web.Request) -> web.Response:
        number = request.query.get("number")
        return web.json_response([ring for ring in self._exchange.rings if number in {None, ring["number"]}])

    async def _refusals(self, request: web.Request) -> web.Response:
        return web.json_response(self._exchange.refusals)

    async def _calls(self, request: web.Request) -> web.Response:
        return web.json_response([_summary(call) for call in self._exchange.calls.values()])

    async def _call(self, request: web.Request) -> web.Response:
        """`?words=false` spares the decoding."""
        call = self._find(request)
        record = _summary(call) | {
            "timeline": call.timeline,
            "violations": call.violations,
            "clock_late_ms": round(self._exchange.pace.late_ms, 1),
        }
        if call.handset is not None:
            record |= _sound_record(call, call.handset)
            if request.query.get("words") != "false":
                record["heard"] = await self._heard(call, call.handset)
        return web.json_response(record)

    async def _heard(self, call: Call, handset: Handset) -> list[dict[str, object]]:
        start = call.ms(handset.answered_at)
        words = await self._exchange.hearing.words(b"".join(handset.heard))
        return [{"word": w.text, "start_ms": start + w.start_ms, "end_ms": start + w.end_ms} for w in words]

    async def _audio(self, request: web.Request) -> web.Response:
        """Stereo from the answer on: left the callee, right Floyd as heard at the callee's ear."""
        handset = self._find(request).handset
        if handset is None:
            raise web.HTTPNotFound(text="the call was not answered")
        sides = [audio.decode_mulaw(b"".join(side)) for side in (handset.said, handset.heard)]
        file = io.BytesIO()
        with wave.open(file, "wb") as sound:
            sound.setnchannels(2)
            sound.setsampwidth(2)
            sound.setframerate(audio.SAMPLE_RATE)
            sound.writeframes(np.stack(sides, axis=1).astype("<i2").tobytes())
        return web.Response(body=file.getvalue(), content_type="audio/wav")

    async def _messages(self, request: web.Request) -> web.Response:
        texts = self._exchange.messages.all.values()
        return web.json_response([text.resource() | {"webhook_error": text.error} for text in texts])

    # Doing

    async def _put_number(self, request: web.Request) -> web.Response:
        number, urls = _number(request), Number.model_validate_json(await request.text())
        if urls.sms_url is not None:
            self._exchange.messages.sms_urls[number] = urls.sms_url
        if urls.voice_url is not None:
            self._exchange.voice_urls[number] = urls.voice_url
        return web.json_response({"number": number, **urls.model_dump()})

    async def _person_texts(self, request: web.Request) -> web.Response:
        text = Text.model_validate_json(await request.text())
        return web.json_response(self._exchange.messages.receive(text.to, text.from_, text.body).resource(), status=201)

    async def _stranger_rings(self, request: web.Request) -> web.Response:
        ring = Ring.model_validate_json(await request.text())
        if ring.to not in self._exchange.voice_urls:
            raise web.HTTPNotFound(text=f"{ring.to} has no voice_url: PUT /control/numbers/{ring.to} first")
        if "script" in ring.model_fields_set or ring.from_ not in self._exchange.subscribers:
            self._exchange.enlist(ring.from_, ring.script)
        return web.json_response(self._exchange.stranger_calls(ring.from_, ring.to).resource(), status=201)

    async def _drop_stream(self, request: web.Request) -> web.Response:
        handset = self._find(request).handset
        if handset is None or handset.stream is None:
            raise web.HTTPConflict(text="the call has no stream now")
        handset.stream.drop()
        return web.json_response({"dropped": handset.stream.sid})

    async def _faults(self, request: web.Request) -> web.Response:
        return web.json_response(self._exchange.faults.model_dump())

    async def _put_faults(self, request: web.Request) -> web.Response:
        self._exchange.faults.replace(Faults.model_validate_json(await request.text()))
        return web.json_response(self._exchange.faults.model_dump())

    def _find(self, request: web.Request) -> Call:
        call = self._exchange.calls.get(request.match_info["sid"])
        if call is None:
            raise web.HTTPNotFound(text="no such call")
        return call


def _told(handler: Handler) -> Handler:
    async def told(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from error

    return told


def _number(request: web.Request) -> str:
    number = request.match_info["number"]
    if not is_number(number):
        raise web.HTTPBadRequest(text=f"{number} is not a valid E.164 number")
    return number


def _summary(call: Call) -> dict[str, Any]:
    resource = call.resource()
    kept = ("sid", "to", "from", "status", "direction", "duration", "date_created", "start_time", "end_time")
    return {name: resource[name] for name in kept} | {"ended_by": call.ended_by}


def _sound_record(call: Call, handset: Handset) -> dict[str, Any]:
    """What the phone measured; times are milliseconds since the call was placed."""
    line, watch = handset.playout, handset.stopwatch
    return {
        "answered_ms": call.ms(handset.answered_at),
        "said": [
            {
                "text": said.text,
                "start_ms": call.ms(said.start),
                "end_ms": None if said.end is None else call.ms(said.end),
            }
            for said in handset.person.said
        ],
        "turn_gaps": [{"at_ms": call.ms(gap.at), "gap_ms": round(gap.gap_ms)} for gap in watch.turn_gaps],
        "barge_ins": [
            {"at_ms": call.ms(barge.at), "stopped_after_ms": round(barge.stopped_after_ms)} for barge in watch.barge_ins
        ],
        "line": {
            "frames": line.frames,
            "late_ms": [round(late, 1) for late in line.late_ms],
            "gaps": [{"at_ms": call.ms(gap.at), "gap_ms": round(gap.gap_ms, 1)} for gap in line.under_runs],
            "deepest_ms": round(line.deepest_s * 1000),
        },
    }
