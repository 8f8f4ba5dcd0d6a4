"""The little terminal of a person who wants to be the callee."""

import asyncio
import sys

from tests.standins.phone_network.peer import CALLEE, FLOYD, Setting, Wire, hear, read_on, say


async def test_a_call_in_the_terminal(setting: Setting) -> None:
    """If this fails `python -m standins.phone_network.keyboard` cannot be used to talk to Floyd."""

    async def converse(wire: Wire) -> None:
        await wire.until("start")
        await say(wire, "good morning", "greeting")
        await wire.until("dtmf")
        await read_on(wire)

    setting.peer.on_stream = converse
    base = str(setting.control._base_url)
    program = [sys.executable, "-W", "error", "-m", "standins.phone_network.keyboard", CALLEE, "--url", base]
    pipe = asyncio.subprocess.PIPE
    terminal = await asyncio.create_subprocess_exec(*program, stdin=pipe, stdout=pipe)
    assert terminal.stdin is not None
    assert terminal.stdout is not None

    async def shown() -> str:
        async with asyncio.timeout(10):
            return (await terminal.stdout.readline()).decode().strip()  # type: ignore[union-attr]

    assert (await shown()).startswith(f"You are {CALLEE}")
    sid = await setting.call(setting.connect())
    assert await shown() == f"* ringing {FLOYD}"
    assert await shown() == f"* connected {sid}"
    assert await shown() == "* heard good morning"
    terminal.stdin.write(b"/7\n\n")
    assert await shown() == "* ended completed"
    terminal.stdin.close()
    assert await asyncio.wait_for(terminal.wait(), 5) == 0
    assert (await setting.over(sid, words="false"))["ended_by"] == "callee"


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
