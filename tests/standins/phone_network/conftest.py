"""A running phone network, and a program under test that records everything the network sends it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator
from websockets.asyncio.server import Server, ServerConnection, serve

from standins.phone_network.exchange import Exchange
from standins.phone_network.server import running
from tests.standins.phone_network.peer import ACCOUNT, TOKEN, Hook, Peer, Setting, Wire


@pytest.fixture
async def exchange() -> Exchange:
    """The network's state."""
    return Exchange(ACCOUNT, TOKEN)


@pytest.fixture
async def base_url(exchange: Exchange) -> AsyncIterator[str]:
    """Where the network listens."""
    async with running(exchange, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def control(base_url: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the control surface: `control.put("/control/...")`."""
    async with aiohttp.ClientSession(base_url) as session:
        yield session


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A running program under test."""
    peer = Peer()
    validator = RequestValidator(TOKEN)

    async def hook(request: web.Request) -> web.Response:
        form = dict((await request.post()).items())
        signature = request.headers.get("X-Twilio-Signature", "")
        signed = validator.validate(peer.url + request.path_qs, form, signature)
        peer.hooks.append(Hook(request.path, {key: str(value) for key, value in form.items()}, signed))
        await peer.arrived()
        status, text = peer.answers.get(request.path, (200, "<Response/>"))
        return web.Response(status=status, text=text, content_type="text/xml")

    async def stream(socket: ServerConnection) -> None:
        assert socket.request is not None
        signature = socket.request.headers.get("X-Twilio-Signature", "")
        peer.handshakes.append(validator.validate(peer.ws_url, {}, signature))
        assert peer.on_stream is not None
        await peer.on_stream(Wire(socket, peer))
        await peer.arrived()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    server: Server = await serve(stream, "127.0.0.1", 0, compression=None)
    peer.ws_url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/media"
    try:
        yield peer
    finally:
        server.close()
        await server.wait_closed()
        await runner.cleanup()


@pytest.fixture
async def setting(
    base_url: str, control: aiohttp.ClientSession, peer: Peer, exchange: Exchange
) -> AsyncIterator[Setting]:
    """A callee, a program under test and a client."""
    setting = Setting(base_url, control, peer, exchange)
    yield setting
    await setting.http.close()
