"""Starting and stopping a stand-in as a process."""

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process

import pytest

DEADLINE_S = 30


async def start(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "standins", *arguments, stdout=PIPE, stderr=PIPE)


@pytest.mark.parametrize("name", ["google-speech", "google-tts"])
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
async def test_a_stand_in_says_ready_and_ends_when_told(name: str, ending: signal.Signals) -> None:
    """If this fails, the stack cannot know when to go on, or leaves a process behind."""
    process = await start(name)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            ready = json.loads(await process.stdout.readline())
            assert ready["standin"] == name
            assert ready["pid"] == process.pid
            for port in (ready["port"], ready["control_port"]):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
            process.send_signal(ending)
            assert await process.wait() == 0
            assert await process.stdout.read() == b""
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize("option", ["--port", "--control-port"])
async def test_a_busy_port_is_named(option: str) -> None:
    """If this fails, a second stack fails without saying why."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = await start("google-tts", option, port)
        async with asyncio.timeout(DEADLINE_S):
            out, err = await process.communicate()
    assert process.returncode == 1
    assert out == b""
    assert port in err.decode()
    assert "Traceback" not in err.decode()


async def test_a_voice_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, a demo with a real voice fails on a machine without flite and does not say what to install."""
    monkeypatch.setenv("PATH", "/nonexistent")
    process = await start("google-tts", "--voice", "rms")
    async with asyncio.timeout(DEADLINE_S):
        _, err = await process.communicate()
    assert process.returncode == 1
    assert "install" in err.decode()
    assert "Traceback" not in err.decode()


async def test_an_unknown_name_lists_the_known_ones() -> None:
    """If this fails, nobody finds out what can be started."""
    process = await start("google-translate")
    async with asyncio.timeout(DEADLINE_S):
        _, err = await process.communicate()
    assert process.returncode == 2
    assert "google-speech" in err.decode()
