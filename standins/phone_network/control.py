"""The hand on the network, which Twilio does not have: callees, faults, strangers, and the record of what happened.

JSON in, JSON out; 400 with the reason for what makes no sense, 404 for what is not there.
"""

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


EXCHANGE = web.AppKey("exchange", Exchange)

routes = web.RouteTableDef()


@routes.put("/control/callees/{number}")
async def enlist(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    number = _number(request)
    exchange.enlist(number, Script.model_validate_json(await request.text()))
    return web.json_response({"number": number})


@routes.get("/control/callees")
async def callees(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    people = exchange.subscribers.items()
    return web.json_response([{"number": number, "name": person.script.name} for number, person in people])


@routes.put("/control/numbers/{number}")
async def connect_number(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    number, urls = _number(request), Number.model_validate_json(await request.text())
    if urls.sms_url is not None:
        exchange.messages.sms_urls[number] = urls.sms_url
    if urls.voice_url is not None:
        exchange.voice_urls[number] = urls.voice_url
    return web.json_response({"number": number, **urls.model_dump()})


@routes.get("/control/rings")
async def rings(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    number = request.query.get("number")
    return web.json_response([ring for ring in exchange.rings if number in {None, ring["number"]}])


@routes.get("/control/messages")
async def messages(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    texts = exchange.messages.all.values()
    return web.json_response([text.resource() | {"webhook_error": text.error} for text in texts])


@routes.post("/control/messages")
async def person_texts(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    text = Text.model_validate_json(await request.text())
    return web.json_response(exchange.messages.receive(text.to, text.from_, text.body).resource(), status=201)


@routes.post("/control/calls")
async def stranger_rings(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    ring = Ring.model_validate_json(await request.text())
    if ring.to not in exchange.voice_urls:
        raise web.HTTPNotFound(text=f"{ring.to} has no voice_url: PUT /control/numbers/{ring.to} first")
    if ring.script or ring.from_ not in exchange.subscribers:
        exchange.enlist(ring.from_, ring.script or Script(name="stranger"))
    return web.json_response(exchange.stranger_calls(ring.from_, ring.to).resource(), status=201)


@routes.get("/control/faults")
async def read_faults(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    return web.json_response(exchange.faults.model_dump())


@routes.put("/control/faults")
async def set_faults(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    exchange.faults.become(Faults.model_validate_json(await request.text()))
    return web.json_response(exchange.faults.model_dump())


@routes.get("/control/calls/{sid}")
async def record(request: web.Request) -> web.Response:
    """`?words=false` spares the decoding."""
    exchange = request.app[EXCHANGE]
    call, resource = _find(request), _find(request).resource()
    kept = ("sid", "to", "from", "status", "direction", "duration", "date_created", "start_time", "end_time")
    found: dict[str, Any] = {name: resource[name] for name in kept} | {
        "ended_by": call.ended_by,
        "timeline": call.timeline,
        "violations": call.violations,
        "clock_late_ms": round(exchange.pace.late_ms, 1),
    }
    if handset := call.handset:
        found |= _measured(call, handset)
        if request.query.get("words") != "false":
            words = await exchange.hearing.words(b"".join(handset.heard))
            start = call.ms(handset.answered_at)
            found["heard"] = [{"word": word.text, "start_ms": start + word.start_ms} for word in words]
    return web.json_response(found)


@routes.get("/control/calls/{sid}/audio.wav")
async def audio(request: web.Request) -> web.Response:
    """Stereo from the answer on: left the callee, right Floyd as heard at the callee's ear."""
    handset = _find(request).handset
    if handset is None:
        raise web.HTTPNotFound(text="the call was not answered")
    sides = [decode_mulaw(b"".join(side)) for side in (handset.said, handset.heard)]
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
        sound.writeframes(np.stack(sides, axis=1).astype("<i2").tobytes())
    return web.Response(body=file.getvalue(), content_type="audio/wav")


@routes.post("/control/calls/{sid}/drop_stream")
async def drop_stream(request: web.Request) -> web.Response:
    handset = _find(request).handset
    if handset is None or handset.stream is None:
        raise web.HTTPConflict(text="the call has no stream now")
    handset.stream.drop()
    return web.json_response({"dropped": handset.stream.sid})


@routes.get("/control/keyboard/{number}")
async def keyboard(request: web.Request) -> web.StreamResponse:
    exchange = request.app[EXCHANGE]
    number, people = _number(request), exchange.subscribers
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


def _find(request: web.Request) -> Call:
    call = request.app[EXCHANGE].calls.get(request.match_info["sid"])
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
