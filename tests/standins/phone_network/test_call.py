"""Whole calls over real sockets, placed with the vendor's own client."""

import asyncio
import base64

import pytest

from standins import tones
from standins.phone_network.forms import Update
from tests.standins.phone_network.peer import FLOYD, Setting, Wire, hear, read_on, say


async def test_a_conversation_from_ring_to_goodbye(setting: Setting) -> None:
    """If this fails nothing else here means anything: ring, stream, both voices, marks, verbs after the stream, end."""
    await setting.callee(
        greeting="rose flowers", greeting_after_s=0.1, lines=[{"say": "certainly"}, {"say": "bye", "hang_up": True}]
    )

    async def converse(wire: Wire) -> None:
        assert await wire.receive() == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
        start = await wire.receive()
        assert start["sequenceNumber"] == "1"
        assert start["start"]["customParameters"] == {"token": "t0k"}
        assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        await hear(wire, "rose flowers")
        await say(wire, "hello there", "one")
        await hear(wire, "certainly")
        await say(wire, "one bouquet please", "two")
        await read_on(wire)

    setting.peer.on_stream = converse
    sid = await setting.call(setting.connect(statusCallback=f"{setting.peer.url}/stream"))
    record = await setting.over(sid)

    assert [word["word"] for word in record["heard"]] == ["hello", "there", "one", "bouquet", "please"]
    assert [said["text"] for said in record["said"]] == ["rose flowers", "certainly", "bye"]
    assert record["violations"] == []
    assert record["ended_by"] == "callee"
    assert len(record["turn_gaps"]) >= 1
    assert setting.peer.handshakes == [True]
    assert all(hook.signed for hook in setting.peer.hooks)
    told = setting.peer.forms("/status")
    assert [form["CallStatus"] for form in told] == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in told] == ["0", "1", "2", "3"]
    assert told[-1]["SipResponseCode"] == "200"
    await setting.peer.until(lambda: len(setting.peer.forms("/stream")) == 2)
    assert [form["StreamEvent"] for form in setting.peer.forms("/stream")] == ["stream-started", "stream-stopped"]
    media = setting.peer.events("media")
    assert [int(message["media"]["chunk"]) for message in media] == list(range(1, len(media) + 1))
    assert [int(message["media"]["timestamp"]) for message in media] == [20 * n for n in range(len(media))]
    sequence = [int(message["sequenceNumber"]) for message in setting.peer.received[1:]]
    assert sequence == list(range(1, len(sequence) + 1))
    assert setting.peer.received[-1]["event"] == "stop"


async def test_the_next_verb_runs_when_the_server_closes(setting: Setting) -> None:
    """If this fails a relay cannot hand a call on: the redirect after the stream would never be asked for."""
    await setting.callee()

    async def close(wire: Wire) -> None:
        await wire.until("start")
        await wire.socket.close()

    setting.peer.on_stream = close
    setting.peer.answers["/resume"] = (200, "<Response><Hangup/></Response>")
    sid = await setting.call(setting.connect(after=f"<Redirect>{setting.peer.url}/resume</Redirect>"))
    record = await setting.over(sid)

    assert [form["CallStatus"] for form in setting.peer.forms("/resume")] == ["in-progress"]
    assert record["violations"] == []


@pytest.mark.parametrize(("then", "resumed"), [("continue", 1), ("end", 0)])
async def test_an_abnormal_drop_goes_on_or_ends_as_told(setting: Setting, then: str, resumed: int) -> None:
    """If this fails the two things Twilio may do after a dead connection cannot both be rehearsed."""
    await setting.callee()
    await setting.fault(abnormal_drop=then)

    async def die(wire: Wire) -> None:
        await wire.until("media")
        wire.socket.transport.abort()

    setting.peer.on_stream = die
    sid = await setting.call(setting.connect(after=f"<Redirect>{setting.peer.url}/resume</Redirect>"))
    record = await setting.over(sid)

    assert len(setting.peer.forms("/resume")) == resumed
    assert [violation["code"] for violation in record["violations"]] == [31921]


async def test_new_twiml_by_rest_stops_the_stream(setting: Setting) -> None:
    """If this fails a call whose relay died cannot be moved to another by an update."""
    await setting.callee()
    setting.peer.on_stream = read_on
    sid = await setting.call(setting.connect())
    await setting.peer.until(lambda: setting.peer.events("media"))
    await setting.client.calls(sid).update_async(twiml="<Response><Pause length='1'/><Hangup/></Response>")
    record = await setting.over(sid)

    assert setting.peer.events("stop")
    assert record["ended_by"] == "end of TwiML"


@pytest.mark.parametrize("first", ["redirect", "end"])
async def test_a_hang_up_wins_over_new_twiml(setting: Setting, first: str) -> None:
    """If this fails a call that is moved at the moment in which it is ended goes on, or never gets its last status."""
    await setting.callee()
    setting.peer.on_stream = read_on
    sid = await setting.call(setting.connect())
    await setting.peer.until(lambda: setting.peer.events("media"))
    call = setting.exchange.calls[sid]
    orders = [
        lambda: call.redirect(Update.model_validate({"Twiml": "<Response><Pause length='60'/></Response>"})),
        lambda: call.end("completed", "REST"),
    ]
    for order in orders if first == "redirect" else reversed(orders):
        order()
    record = await setting.over(sid, words="false")

    assert (record["status"], record["ended_by"]) == ("completed", "REST")


@pytest.mark.parametrize("status", ["completed", "canceled"])
async def test_hanging_up_by_rest(setting: Setting, status: str) -> None:
    """If this fails calls cannot be ended; `canceled` must leave an answered call alone."""
    await setting.callee()
    setting.peer.on_stream = read_on
    sid = await setting.call(setting.connect())
    await setting.peer.until(lambda: setting.peer.events("media"))
    await setting.client.calls(sid).update_async(status=status)
    if status == "canceled":
        assert setting.exchange.calls[sid].status == "in-progress"
        await setting.client.calls(sid).update_async(status="completed")
    record = await setting.over(sid)

    assert record["status"] == "completed"
    assert record["ended_by"] == "REST"


@pytest.mark.parametrize(
    ("script", "more", "status", "code"),
    [
        ({"outcome": "busy"}, {}, "busy", "486"),
        ({"outcome": "no-answer"}, {"timeout": 1}, "no-answer", "487"),
        ({"outcome": "failed"}, {}, "failed", "404"),
    ],
)
async def test_calls_that_nobody_takes(
    setting: Setting, script: dict[str, object], more: dict[str, object], status: str, code: str
) -> None:
    """If this fails busy, silence and dead numbers cannot be told apart."""
    await setting.callee(**script)
    sid = await setting.call("<Response/>", **more)
    record = await setting.over(sid)

    assert record["status"] == status
    assert setting.peer.forms("/status")[-1]["SipResponseCode"] == code
    assert len(setting.exchange.rings) == (status != "failed")


async def test_a_ringing_call_can_be_cancelled(setting: Setting) -> None:
    """If this fails a person's change of mind comes too late."""
    await setting.callee(outcome="no-answer")
    sid = await setting.call("<Response/>")
    await setting.peer.until(lambda: len(setting.peer.forms("/status")) == 2)
    await setting.client.calls(sid).update_async(status="canceled")

    assert (await setting.over(sid))["status"] == "canceled"


async def test_the_time_limit_ends_a_call(setting: Setting) -> None:
    """If this fails the carrier's own cap, the last of three, is not there."""
    await setting.callee()
    setting.peer.on_stream = read_on
    sid = await setting.call(setting.connect(), time_limit=1)

    assert (await setting.over(sid))["ended_by"] == "time limit"


async def test_what_the_server_must_not_send(setting: Setting) -> None:
    """If this fails a product that speaks the protocol wrongly passes here and fails at the vendor."""
    await setting.callee()

    async def misbehave(wire: Wire) -> None:
        await wire.until("start")
        await wire.socket.send(b"binary")
        await wire.socket.send("{")
        await wire.send("media", media={"payload": "not base64!"})
        await wire.send("media", media={"payload": "/w==", "track": "outbound"})
        await wire.send("hello")
        await wire.send("media", media={"payload": base64.b64encode(b"RIFF" + b"\xff" * 40).decode()})
        sid, wire.stream_sid = wire.stream_sid, "MZother"
        await wire.send("clear")
        wire.stream_sid = sid
        await wire.send("mark", mark={"name": "done"})
        await wire.until("mark")

    setting.peer.on_stream = misbehave
    sid = await setting.call(setting.connect(statusCallback=f"{setting.peer.url}/stream"))
    record = await setting.over(sid)

    assert [violation["code"] for violation in record["violations"]] == [31950] + [31951] * 6
    await setting.peer.until(lambda: len(setting.peer.forms("/stream")) == 4)
    errors = [
        form["StreamError"][:5] for form in setting.peer.forms("/stream") if form["StreamEvent"] == "stream-error"
    ]
    assert errors == ["31950", "31951"]


async def test_a_broken_websocket_frame_kills_the_stream(setting: Setting) -> None:
    """If this fails a server that breaks the websocket protocol itself goes unnoticed."""
    await setting.callee()

    async def break_it(wire: Wire) -> None:
        await wire.until("start")
        wire.socket.transport.write(b"\x83\x00")
        await read_on(wire)

    setting.peer.on_stream = break_it
    record = await setting.over(await setting.call(setting.connect()))

    assert record["violations"][0]["code"] == 31924


@pytest.mark.parametrize(
    ("url", "code"),
    [("ws://127.0.0.1:9/media", 31902), ("http://127.0.0.1:9/media", 31922), ("ws://127.0.0.1:9/media?a=b", 31923)],
)
async def test_streams_that_never_open(setting: Setting, url: str, code: int) -> None:
    """If this fails a wrong stream address shows up as an ordinary short call."""
    await setting.callee()
    twiml = f"<Response><Connect><Stream url='{url}'/></Connect></Response>"
    record = await setting.over(await setting.call(twiml))

    assert record["violations"][0]["code"] == code
    assert record["status"] == "completed"


async def test_a_handshake_that_is_not_accepted(setting: Setting) -> None:
    """If this fails a relay that refuses a stream looks like one that took it."""
    await setting.callee()
    url = setting.peer.url.replace("http", "ws")  # answers 200, not 101
    stream = f"<Stream url='{url}/media' statusCallback='{setting.peer.url}/stream'/>"
    record = await setting.over(await setting.call(f"<Response><Connect>{stream}</Connect></Response>"))

    assert [violation["code"] for violation in record["violations"]] == [31920]
    await setting.peer.until(lambda: setting.peer.forms("/stream"))
    assert [form["StreamEvent"] for form in setting.peer.forms("/stream")] == ["stream-error"]


async def test_a_clear_gives_back_marks_and_silences_the_line(setting: Setting) -> None:
    """If this fails a barge-in cannot be judged: what was cleared would still be heard."""
    await setting.callee()

    async def interrupt(wire: Wire) -> None:
        await wire.until("start")
        sound = tones.encode("first second third fourth fifth sixth seventh")
        await wire.send("media", media={"payload": base64.b64encode(sound).decode()})
        await wire.send("mark", mark={"name": "all"})
        for _ in range(50):
            await wire.until("media")
        await wire.send("clear")
        await wire.until("mark")

    setting.peer.on_stream = interrupt
    record = await setting.over(await setting.call(setting.connect()))

    words = [word["word"] for word in record["heard"]]
    assert words[0] == "first"
    assert "seventh" not in words


async def test_the_network_speaks_and_presses(setting: Setting) -> None:
    """If this fails the fallback verbs of a document are not carried out."""
    await setting.callee()
    sid = await setting.call("<Response><Say>sorry</Say><Play digits='1w2'/></Response>")
    record = await setting.over(sid, words="false")

    assert [line["digit"] for line in record["timeline"] if line["what"] == "key played"] == ["1", "w", "2"]


async def test_faults_of_status_callbacks(setting: Setting) -> None:
    """If this fails duplicated, reordered and lost callbacks cannot be rehearsed."""
    await setting.callee()
    await setting.fault(duplicate_callbacks=1, reorder_callbacks=True, suppress_callbacks=["initiated"])
    await setting.call("<Response/>")
    await setting.peer.until(lambda: len(setting.peer.forms("/status")) == 6)

    told = [form["CallStatus"] for form in setting.peer.forms("/status")]
    assert told == ["ringing", "ringing", "completed", "completed", "in-progress", "in-progress"]


async def test_fifty_calls_at_once(setting: Setting) -> None:
    """If this fails calls disturb each other: every callee must hear its own words, whole."""
    count = 50
    numbers = [f"+1212555{n:04d}" for n in range(4000, 4000 + count)]
    for number in numbers:
        async with setting.control.put(
            f"/control/callees/{number}", json={"voice": "tones", "answer_after_s": 0.02}
        ) as put:
            assert put.status == 200, await put.text()

    async def converse(wire: Wire) -> None:
        start = await wire.until("start")
        await say(wire, start["start"]["callSid"][-8:], "said")

    setting.peer.on_stream = converse
    placed = await asyncio.gather(
        *(setting.client.calls.create_async(to=number, from_=FLOYD, twiml=setting.connect()) for number in numbers)
    )
    lives = setting.exchange.calls
    await setting.peer.until(lambda: all(lives[call.sid].handset for call in placed), 20)
    async with asyncio.timeout(30):
        while not all(lives[call.sid].over for call in placed):
            await asyncio.wait(list(setting.exchange._tasks), return_when=asyncio.FIRST_COMPLETED)
    for call in placed:
        handset = lives[call.sid].handset
        assert handset is not None
        assert tones.decode(bytes(handset.heard)) == call.sid[-8:]
