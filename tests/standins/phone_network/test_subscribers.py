"""A person who wants to be the callee."""

import asyncio
import sys

from tests.standins.phone_network.peer import CALLEE, FLOYD, Setting, Wire, hear, read_on, say

TERMINAL = [sys.executable, "-W", "error", "-m", "websockets"]


async def test_a_call_in_the_terminal(setting: Setting) -> None:
    """If this fails nobody can be the callee themselves."""

    async def converse(wire: Wire) -> None:
        await wire.until("start")
        await say(wire, "good morning", "greeting")
        await hear(wire, "who is it")
        assert (await wire.until("dtmf"))["dtmf"] == {"track": "inbound_track", "digit": "5"}
        await read_on(wire)

    setting.peer.on_stream = converse
    url = str(setting.control._base_url).replace("http", "ws")
    pipe = asyncio.subprocess.PIPE
    address = f"{url.rstrip('/')}/control/keyboard/{CALLEE}?voice=tones"
    terminal = await asyncio.create_subprocess_exec(*TERMINAL, address, stdin=pipe, stdout=pipe)
    assert terminal.stdin is not None
    assert terminal.stdout is not None

    async def shown(wanted: str) -> None:
        async with asyncio.timeout(30):
            while wanted not in (await terminal.stdout.readline()).decode():  # type: ignore[union-attr]
                assert not terminal.stdout.at_eof()  # type: ignore[union-attr]

    await shown("A line is spoken")
    terminal.stdin.write(b"hello\n")
    await shown("there is no call")
    sid = await setting.call(setting.connect())
    await shown(f"ringing: {FLOYD}")
    await shown(f"connected: {sid}")
    await shown("heard: good morning")
    terminal.stdin.write(b"who is it\n/5\n")
    await setting.peer.until(lambda: setting.peer.events("dtmf"))
    terminal.stdin.write(b"\n")
    await shown("ended: completed")
    terminal.stdin.close()
    assert await asyncio.wait_for(terminal.wait(), 5) == 0
    assert (await setting.over(sid, words="false"))["ended_by"] == "callee"
