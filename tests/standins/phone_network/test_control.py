"""The control surface and the record that it gives."""

import asyncio
import io
import wave

import aiohttp
import pytest

from standins import tones
from standins.phone_network.exchange import Exchange
from tests.standins.phone_network.peer import CALLEE, FLOYD, Peer, Setting, Wire, hear, read_on, say


async def test_the_recording_has_the_callee_left_and_floyd_right(setting: Setting) -> None:
    """If this fails nobody can listen to what happened."""
    await setting.callee(greeting="left side")

    async def converse(wire: Wire) -> None:
        await hear(wire, "left side")
        await say(wire, "right side", "done")

    setting.peer.on_stream = converse
    sid = await setting.call(setting.connect())
    await setting.over(sid)
    async with setting.control.get(f"/control/calls/{sid}/audio.wav") as response:
        file = io.BytesIO(await response.read())
    with wave.open(file) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (2, 8000, 2)
        both = sound.readframes(sound.getnframes())
    handset = setting.exchange.calls[sid].handset
    assert handset is not None
    assert len(both) == len(handset.said) * 4
    assert tones.decode(bytes(handset.said)) == "left side"
    assert tones.decode(bytes(handset.heard)) == "right side"


async def test_dropping_a_stream_by_hand(setting: Setting) -> None:
    """If this fails the network between Twilio and a relay never breaks."""
    await setting.callee()
    setting.peer.on_stream = read_on
    sid = await setting.call(setting.connect())
    await setting.peer.until(lambda: setting.peer.events("media"))
    async with setting.control.post(f"/control/calls/{sid}/drop_stream") as response:
        assert response.status == 200
    record = await setting.over(sid)

    assert [violation["code"] for violation in record["violations"]] == [31921]
    assert not setting.peer.events("stop")
    async with setting.control.post(f"/control/calls/{sid}/drop_stream") as response:
        assert response.status == 409


async def test_marks_can_be_lost(setting: Setting) -> None:
    """If this fails Floyd's own clock for play-out is never tried."""
    await setting.callee()
    await setting.fault(suppress_marks=True)

    async def converse(wire: Wire) -> None:
        await wire.until("start")
        await wire.send("mark", mark={"name": "lost"})
        for _ in range(10):
            await wire.until("media")

    setting.peer.on_stream = converse
    await setting.over(await setting.call(setting.connect()))

    assert not setting.peer.events("mark")


async def test_a_slow_reader_makes_the_server_wait(setting: Setting) -> None:
    """If this fails back-pressure from the network is never felt: sends would always succeed at once."""
    await setting.callee()
    await setting.fault(throttle_bytes_s=2000)
    stuck: list[bool] = []

    async def flood(wire: Wire) -> None:
        await wire.until("start")
        sending = asyncio.ensure_future(wire.send("media", media={"payload": "/" * 10_000_000}))
        await asyncio.wait({sending}, timeout=0.5)
        stuck.append(not sending.done())
        sending.cancel()
        await read_on(wire)

    setting.peer.on_stream = flood
    sid = await setting.call(setting.connect())
    await setting.peer.until(lambda: stuck)
    await setting.client.calls(sid).update_async(status="completed")
    await setting.over(sid, words="false")

    assert stuck == [True], "ten megabytes at two thousand bytes a second"


async def test_a_stranger_rings(control: aiohttp.ClientSession, base_url: str, peer: Peer, exchange: Exchange) -> None:
    """If this fails incoming calls, signed and carried out, are not there."""
    ring = {"from": CALLEE, "to": FLOYD}
    async with control.post("/control/calls", json=ring) as response:
        assert response.status == 404
    await control.put(f"/control/numbers/{FLOYD}", json={"voice_url": f"{peer.url}/inbound"})
    peer.answers["/inbound"] = (200, "<Response><Pause length='0'/></Response>")
    async with control.post("/control/calls", json=ring) as response:
        sid = (await response.json())["sid"]
    await peer.until(lambda: peer.hooks)

    assert peer.hooks[0].signed
    form = peer.forms("/inbound")[0]
    assert (form["CallSid"], form["CallStatus"], form["Direction"]) == (sid, "ringing", "inbound")
    assert exchange.rings[0]["number"] == FLOYD


GATHER = "<Gather input='dtmf speech' numDigits='2' timeout='1' action='{}/keyed'><Say>press nine</Say></Gather>"
ANSWERS = [
    ([], {}),
    ([{"press": "9", "wait_for": "nothing", "pause_s": 0.5}], {"Digits": "9"}),
    ([{"press": "97#", "wait_for": "nothing", "pause_s": 0.5}], {"Digits": "97"}),
    ([{"press": "9#", "wait_for": "nothing", "pause_s": 0.5}], {"Digits": "9", "FinishedOnKey": "#"}),
    ([{"say": "never again"}], {"SpeechResult": "never again"}),
]


@pytest.mark.parametrize(("lines", "told"), ANSWERS)
async def test_a_stranger_is_asked_for_keys_or_words(
    control: aiohttp.ClientSession, peer: Peer, exchange: Exchange, lines: list[object], told: dict[str, str]
) -> None:
    """If this fails a person who rings back cannot be asked for anything."""
    await control.put(f"/control/numbers/{FLOYD}", json={"voice_url": f"{peer.url}/inbound"})
    peer.answers["/inbound"] = (
        200,
        f"<Response>{GATHER.format(peer.url)}<Redirect>{peer.url}/none</Redirect></Response>",
    )
    script = {"voice": "tones", "answer_after_s": 0.02, "lines": lines}
    async with control.post("/control/calls", json={"from": CALLEE, "to": FLOYD, "script": script}) as response:
        sid = (await response.json())["sid"]
    async with asyncio.timeout(30):
        while not exchange.calls[sid].over:
            await asyncio.wait(list(exchange._tasks), return_when=asyncio.FIRST_COMPLETED)

    assert not exchange.calls[sid].violations
    assert len(peer.forms("/none")) == (not told)
    asked = ("Digits", "FinishedOnKey", "SpeechResult")
    assert [{key: form[key] for key in asked if key in form} for form in peer.forms("/keyed")] == (
        [told] if told else []
    )


async def test_a_person_texts_and_is_answered(
    control: aiohttp.ClientSession, base_url: str, peer: Peer, exchange: Exchange
) -> None:
    """If this fails answers by SMS cannot be rehearsed."""
    await control.put(f"/control/numbers/{FLOYD}", json={"sms_url": f"{peer.url}/sms"})
    peer.answers["/sms"] = (200, "<Response><Message>Thank you.</Message></Response>")
    async with control.post("/control/messages", json={"from": CALLEE, "to": FLOYD, "body": "yes, up to 80"}) as sent:
        assert sent.status == 201
    await peer.until(lambda: peer.hooks)

    assert peer.hooks[0].signed
    form = peer.forms("/sms")[0]
    assert (form["From"], form["Body"], form["NumSegments"]) == (CALLEE, "yes, up to 80", "1")
    async with control.post("/control/messages", json={"from": CALLEE, "to": FLOYD, "body": "Stop"}) as sent:
        assert sent.status == 201
    await peer.until(lambda: len(peer.hooks) == 2)
    assert peer.forms("/sms")[1]["OptOutType"] == "STOP"
    async with control.get("/control/messages") as response:
        assert [text["direction"] for text in await response.json()] == ["inbound", "outbound-reply", "inbound"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/control/callees/911", {}),
        (f"/control/callees/{CALLEE}", {"lines": [{"say": 5}]}),
        (f"/control/callees/{CALLEE}", {"lines": [{"when": [{"hears": ["a"], "then": "nowhere"}]}]}),
        (f"/control/callees/{CALLEE}", {"mood": "bad"}),
        ("/control/faults", {"explode": True}),
        ("/control/faults", {"status": 404}),
        (f"/control/numbers/{FLOYD}", {"fax_url": "http://x"}),
    ],
)
async def test_orders_that_make_no_sense(control: aiohttp.ClientSession, path: str, body: dict[str, object]) -> None:
    """If this fails a typing error in a test's set-up passes unseen and the test proves nothing."""
    async with control.put(path, json=body) as response:
        assert response.status == 400
        assert await response.text()
