"""The dispatcher: what the emulator sends becomes what Eventarc sends, and is delivered until it is accepted."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from floyd.command import dispatcher
from floyd.command.dispatcher import application, deliver, production_form, tick

EVENT = {
    "ce-id": "1",
    "ce-type": "google.cloud.firestore.document.v1.created",
    "ce-source": "//firestore.googleapis.com/projects/projects/demo/databases/(default)",
    "ce-specversion": "1.0",
    "ce-document": "users/u/requests/r/jobs/new",
    "user-agent": "Google-HTTP-Java-Client",
}
DEADLINE_S = 20.0


def test_the_body_becomes_bytes_and_the_source_a_real_one() -> None:
    """If this fails product code meets a form of event that production never sends."""
    headers, body = production_form(EVENT, base64.b64encode(b"\x0a\x03abc"))

    assert body == b"\x0a\x03abc"
    assert headers["ce-source"] == "//firestore.googleapis.com/projects/demo/databases/(default)"
    assert headers["content-type"] == "application/protobuf"
    assert "user-agent" not in headers


@pytest.mark.parametrize(
    ("headers", "body"), [({}, b"AAAA"), ({**EVENT}, b"not base64!"), ({"ce-id": "1", "ce-type": "x"}, b"AAAA")]
)
def test_what_is_no_event_is_refused(headers: dict[str, str], body: bytes) -> None:
    """If this fails a stray request runs a function."""
    with pytest.raises(ValueError, match=r"CloudEvent|base64"):
        production_form(headers, body)


class Function:
    """A server that answers with the given statuses, then 204, and remembers what it was sent."""

    def __init__(self, *statuses: int) -> None:
        self.received: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()
        self._statuses = list(statuses)
        self.app = Starlette(routes=[Route("/", self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> Response:
        self.received.put_nowait((dict(request.headers), await request.body()))
        return Response(status_code=self._statuses.pop(0) if self._statuses else 204)


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """The app behind a real socket."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def test_an_event_goes_from_the_emulator_to_its_function() -> None:
    """If this fails a trigger reaches the wrong function, or none."""
    function = Function()
    async with (
        serving(function.app) as target,
        serving(application({"plan": target}, {})) as origin,
        httpx2.AsyncClient() as emulator,
    ):
        path = "/functions/projects/demo/triggers/"
        answer = await emulator.post(f"{origin}{path}plan", headers=EVENT, content=base64.b64encode(b"event"))
        headers, body = await asyncio.wait_for(function.received.get(), DEADLINE_S)
        unknown = await emulator.post(f"{origin}{path}other", headers=EVENT, content=base64.b64encode(b"event"))
        broken = await emulator.post(f"{origin}{path}plan", headers=EVENT, content=b"!")

    assert (answer.status_code, unknown.status_code, broken.status_code) == (202, 404, 400)
    assert (headers["ce-id"], body) == ("1", b"event")


async def test_a_function_that_fails_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails an event is lost whenever a function restarts, which Eventarc never does."""
    monkeypatch.setattr(dispatcher, "BACK_OFF_S", (0, 0, 0))
    function = Function(500, 503)
    async with serving(function.app) as target, httpx2.AsyncClient() as client:
        assert await deliver(client, target, EVENT, b"event")

    assert function.received.qsize() == 3


async def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails an event that no function takes is delivered for ever."""
    monkeypatch.setattr(dispatcher, "BACK_OFF_S", (0, 0))
    async with httpx2.AsyncClient() as client:
        assert not await deliver(client, "http://127.0.0.1:9", EVENT, b"event")


async def test_ticks_go_on_after_a_failure() -> None:
    """If this fails one bad minute ends all sweeping."""
    function = Function(500)
    async with serving(function.app) as target, httpx2.AsyncClient() as client:
        ticking = asyncio.create_task(tick(client, 0.01, target))
        for _ in range(2):
            await asyncio.wait_for(function.received.get(), DEADLINE_S)
        ticking.cancel()
