"""A person at a keyboard, by the websocket itself."""

from tests.standins.phone_network.peer import CALLEE, FLOYD, Setting, Wire, hear, read_on, say


async def test_a_person_at_the_keyboard(setting: Setting) -> None:
    """If this fails nobody can be the callee themselves."""

    async def converse(wire: Wire) -> None:
        await wire.until("start")
        await say(wire, "good morning", "greeting")
        await hear(wire, "who is it")
        assert (await wire.until("dtmf"))["dtmf"] == {"track": "inbound_track", "digit": "5"}
        await read_on(wire)

    setting.peer.on_stream = converse
    async with setting.control.ws_connect(f"/control/keyboard/{CALLEE}?voice=tones") as keyboard:
        sid = await setting.call(setting.connect())
        assert await keyboard.receive_json() == {"type": "ringing", "from": FLOYD}
        assert await keyboard.receive_json() == {"type": "connected", "call_sid": sid}
        assert await keyboard.receive_json() == {"type": "heard", "text": "good morning"}
        await keyboard.send_json({"type": "say", "text": "who is it"})
        await keyboard.send_json({"type": "press", "digit": "5"})
        await setting.peer.until(lambda: setting.peer.events("dtmf"))
        await keyboard.send_json({"type": "shout"})
        assert (await keyboard.receive_json())["type"] == "error"
        await keyboard.send_json({"type": "hang_up"})
        assert await keyboard.receive_json() == {"type": "ended", "status": "completed"}
    assert (await setting.over(sid, words="false"))["ended_by"] == "callee"
