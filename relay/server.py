"""The relay's front door: who may open which socket, how many calls fit, and how a process takes its leave."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from google.api_core.exceptions import GoogleAPIError
from websockets.asyncio.server import Server as SocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from floyd import logs
from floyd.errors import FloydError, LostGuardError, VendorError
from floyd.signatures import HEADER
from floyd.store import InboxCommand, line_holder
from relay.admission import Admission, NotWantedError
from relay.media_call import House, MediaCall
from relay.media_stream import MediaStream, Started, ViolationError
from relay.registry import Registry

logger = logging.getLogger(__name__)

MEDIA = "/media"
DICTATE = "/dictate"
CALLS = "/calls/"
MAX_MESSAGE = 65_536
"""A media message has some 350 bytes; anything near this is an attack (OpenAI's Twilio example draws the same line)."""
QUEUED_MESSAGES = 64
"""Received but not yet read: more than a second of sound, so that nothing is lost while a call is being admitted."""
START_S = 5.0
"""From the opened socket to its `start`; whoever has no start holds a place for nothing."""
PING_S = 20.0
DRAIN_S = 5.5
"""Of the ten seconds that Cloud Run leaves after SIGTERM: for the last sentences."""
ABANDON_S = 1.8
"""And for saving what was said, when a sentence would not end."""
TICK_S = 1.0

ClientHandler = Callable[[ServerConnection], Awaitable[None]]


class RelayServer:
    """Accepts sockets until told to stop. `calls` holds the live calls."""

    def __init__(
        self,
        house: House,
        admission: Admission,
        registry: Registry,
        calls: set[MediaCall],
        *,
        dictate: ClientHandler,
        attend: ClientHandler,
    ) -> None:
        """`dictate` and `attend` serve clients' sockets, once their Origin has been looked at."""
        self._house = house
        self._admission = admission
        self._registry = registry
        self._calls = calls
        self._dictate = dictate
        self._attend = attend
        self._last_left = asyncio.Event()
        self._warming: asyncio.Task[None] | None = None

    async def run(self, port: int, stop: asyncio.Event, *, started: Callable[[int], None] = lambda port: None) -> None:
        """Serve on all interfaces until `stop` is set, then hand the calls over. `started` is told the port."""
        async with serve(
            self._handle,
            "0.0.0.0",  # noqa: S104 - a container is reached from outside; who may talk to it is decided below
            port,
            process_request=self._look_at,
            compression=None,
            max_size=MAX_MESSAGE,
            max_queue=QUEUED_MESSAGES,
            ping_interval=PING_S,
            open_timeout=START_S,
            close_timeout=1,
        ) as server:
            loop = asyncio.get_running_loop()
            tasks = [
                loop.create_task(self._registry.run()),
                loop.create_task(self._registry.poll(self._deliver)),
                loop.create_task(self._tick()),
            ]
            started(next(iter(server.sockets)).getsockname()[1])
            try:
                await stop.wait()
                await self._drain(server)
            finally:
                tasks += [self._warming] if self._warming else []
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    # Before the socket opens

    def _look_at(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer plain HTTP, refuse strangers before the handshake; None lets the socket open."""
        path = request.path
        if path == "/ready":
            self._warm()
            ready = self._registry.room > 0
            status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
            return connection.respond(status, "ready\n" if ready else "draining or full\n")
        if self._registry.draining:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "draining\n")
        if not self._admission.is_origin_allowed(request.headers.get("Origin")):
            return connection.respond(HTTPStatus.FORBIDDEN, "this origin is not allowed\n")
        if path == MEDIA:
            if not self._admission.may_open(MEDIA, request.headers.get(HEADER, "")):
                return connection.respond(HTTPStatus.FORBIDDEN, "not signed by the carrier\n")
            if self._registry.room <= 0:
                return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "draining or full\n")
            return None
        if path == DICTATE or path.startswith(CALLS):
            return None
        return connection.respond(HTTPStatus.NOT_FOUND, "not here\n")

    def _warm(self) -> None:
        """The phone is rung as soon as `/ready` is answered: connections to the vendors are made while it rings."""
        tools = self._house.tools
        tools.ears.warm()
        tools.voice.warm()
        if self._warming is None or self._warming.done():
            self._warming = asyncio.get_running_loop().create_task(tools.mind.warm())

    async def _handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        path = connection.request.path
        try:
            if path == MEDIA:
                await self._media(connection)
            elif path == DICTATE:
                await self._dictate(connection)
            else:
                await self._attend(connection)
        except ViolationError as violation:
            await connection.close(violation.code, violation.reason)
        except ConnectionClosed:
            return
        except (GoogleAPIError, FloydError):
            logger.exception("a socket failed")
            await connection.close(1011, "try again")

    # Calls

    async def _media(self, connection: ServerConnection) -> None:
        stream = MediaStream()
        try:
            async with asyncio.timeout(START_S):
                while not isinstance(started := stream.receive(await connection.recv()), Started):
                    pass
        except TimeoutError:
            raise ViolationError(1008, "no start in time") from None
        since = asyncio.get_running_loop().time()
        try:
            admitted = await self._admission.admit(started)
        except LostGuardError:
            raise ViolationError(1008, "this stream is not wanted") from None
        except NotWantedError:
            await self._end_unwanted(started.call_sid)
            raise ViolationError(1008, "this call is not wanted") from None
        call = MediaCall(self._house, admitted, connection=connection, stream=stream, started=started, since=since)
        logs.trace.set(admitted.errand.request.trace)  # admission read it in a task of its own
        about = {"rid": call.key.rid, "attempt": call.key.attempt, "epoch": admitted.epoch}
        logger.info("stream begun", extra=about)
        self._calls.add(call)
        self._registry.changed()
        holder = line_holder(call.key.uid, call.key.rid, call.key.attempt, admitted.epoch)
        freeing = asyncio.create_task(self._registry.free(holder))
        try:
            await call.run()
        finally:
            self._calls.discard(call)
            self._registry.changed()
            if not self._calls:
                self._last_left.set()
            await freeing

    async def _end_unwanted(self, call_sid: str) -> None:
        try:
            await self._house.carrier.end_call(call_sid)
        except VendorError:
            logger.warning("an unwanted call could not be ended; the carrier asks again when its stream closes")

    def _deliver(self, command: InboxCommand) -> bool:
        for call in self._calls:
            key = call.key
            if (key.uid, key.rid, key.attempt) == (command.uid, command.rid, command.attempt):
                return call.deliver(command)
        return False

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_S)
            for call in tuple(self._calls):
                call.tick(loop.time())

    # Leaving

    async def _drain(self, server: SocketServer) -> None:
        """Take no more calls, let each finish its sentence, and have the carrier bring them to another relay."""
        self._registry.draining = True
        self._registry.changed()
        for call in tuple(self._calls):
            call.drain()
        if not await self._emptied(DRAIN_S):
            logger.warning("%d calls are handed over in mid-sentence", len(self._calls))
            for call in tuple(self._calls):
                call.abandon()
            await self._emptied(ABANDON_S)
        server.close(code=1012, reason="the relay is leaving")
        await server.wait_closed()

    async def _emptied(self, within_s: float) -> bool:
        """Wait until the last call has left; False when it did not in time."""
        self._last_left.clear()
        if not self._calls:
            return True
        try:
            async with asyncio.timeout(within_s):
                await self._last_left.wait()
        except TimeoutError:
            return False
        return True
