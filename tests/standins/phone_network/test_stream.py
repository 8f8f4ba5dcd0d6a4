"""A server that stops half-way through a close, which no well-behaved websocket library can be made to do."""

import asyncio

import pytest
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tests.standins.phone_network.peer import Setting

CLOSE_1000 = b"\x88\x02\x03\xe8"


@pytest.mark.parametrize("hang_up", [True, False])
async def test_a_server_that_says_close_and_stays(setting: Setting, hang_up: bool) -> None:
    """If this fails such a server keeps a call for ever, or breaks it when somebody hangs up just then."""
    closing = asyncio.Event()

    async def half_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = ServerProtocol()
        wire.receive_data(await reader.readuntil(b"\r\n\r\n"))
        (request,) = wire.events_received()
        assert isinstance(request, Request)
        wire.send_response(wire.accept(request))
        writer.write(b"".join(wire.data_to_send()) + CLOSE_1000)
        while await reader.read(4096):
            closing.set()
        writer.close()

    server = await asyncio.start_server(half_close, "127.0.0.1", 0)
    setting.peer.ws_url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/media"
    await setting.callee()
    sid = await setting.call(setting.connect())
    async with asyncio.timeout(10):
        await closing.wait()
    if hang_up:
        await setting.client.calls(sid).update_async(status="completed")
    record = await setting.over(sid, words="false")
    server.close()

    assert (record["status"], record["ended_by"]) == ("completed", "REST" if hang_up else "end of TwiML")
    assert record["violations"] == []
