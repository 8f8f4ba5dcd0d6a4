"""The little terminal of a person who wants to be the callee."""

import asyncio
import sys

from tests.standins.phone_network.peer import CALLEE, FLOYD, Setting, Wire, read_on, say


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
    assert await shown() == f"* {FLOYD} is calling"
    assert await shown() == "* connected"
    assert await shown() == "they say: good morning"
    terminal.stdin.write(b"/7\n\n")
    assert await shown() == "* ended completed"
    terminal.stdin.close()
    assert await asyncio.wait_for(terminal.wait(), 5) == 0
    assert (await setting.over(sid, words="false"))["ended_by"] == "callee"
