"""The relay's front door: who may open which socket, how many calls fit, and how a process takes its leave."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

from google.api_core.exceptions import GoogleAPIError
from websockets.asyncio.server import Server as SocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from floyd import logs
from floyd.errors import FloydError, LostGuardError
from floyd.signatures import HEADER
from floyd.store import InboxCommand, line_holder
from relay.admission import Admission, NotWantedError
from relay.media_call import House, MediaCall, end_call
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
START_S = 5.0  # from the opened socket to its `start`; whoever has no start holds a place for nothing
PING_S = 20.0
DRAIN_S = 5.5  # of the ten seconds that Cloud Run leaves after SIGTERM: for the last sentences
ABANDON_S = 1.8  # and for saving what was said, when a sentence would not end
TICK_S = 1.0

ClientHandler = Callable[[ServerConnection], Awaitable[None]]


@dataclass(eq=False)
class RelayServer:
    """Accepts sockets until told to stop."""

    house: House
    admission: Admission
    registry: Registry
    calls: set[MediaCall]  # the live ones
    dictate: ClientHandler  # these two serve clients' sockets, once their Origin has been looked at
    attend: ClientHandler
    _left: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _warming: asyncio.Task[None] | None = field(default=None, init=False)

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
            works = (self.registry.run(), self.registry.poll(self._deliver), self._tick())
            tasks = [asyncio.create_task(work) for work in works]
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
            ready = self.registry.room > 0
            status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
            return connection.respond(status, "ready\n" if ready else "draining or full\n")
        if self.registry.draining:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "draining\n")
        if not self.admission.is_origin_allowed(request.headers.get("Origin")):
            return connection.respond(HTTPStatus.FORBIDDEN, "this origin is not allowed\n")
        if path == MEDIA:
            if not self.admission.may_open(MEDIA, request.headers.get(HEADER, "")):
                return connection.respond(HTTPStatus.FORBIDDEN, "not signed by the carrier\n")
            if self.registry.room <= 0:
                return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "draining or full\n")
            return None
        if path == DICTATE or path.startswith(CALLS):
            return None
        return connection.respond(HTTPStatus.NOT_FOUND, "not here\n")

    def _warm(self) -> None:
        """The phone is rung as soon as `/ready` is answered: connections to the vendors are made while it rings."""
        tools = self.house.tools
        tools.recogniser.warm()
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
                await self.dictate(connection)
            else:
                await self.attend(connection)
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
            admitted = await self.admission.admit(started)
        except LostGuardError:
            raise ViolationError(1008, "this stream is not wanted") from None
        except NotWantedError:
            await end_call(self.house.carrier, started.call_sid)
            raise ViolationError(1008, "this call is not wanted") from None
        call = MediaCall(self.house, admitted, connection, stream, started, since)
        logs.trace.set(admitted.errand.request.trace)  # admission read it in a task of its own
        logger.info("stream begun", extra={"rid": call.key.rid, "attempt": call.key.attempt, "epoch": admitted.epoch})
        self.calls.add(call)
        self.registry.changed()
        freeing = asyncio.create_task(self.registry.free(line_holder(*call.key, admitted.epoch)))
        try:
            await call.run()
        finally:
            self.calls.discard(call)
            self.registry.changed()
            self._left.set()
            await freeing

    def _deliver(self, command: InboxCommand) -> bool:
        wanted = (command.uid, command.rid, command.attempt)
        return any(call.deliver(command) for call in self.calls if call.key == wanted)

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_S)
            for call in tuple(self.calls):
                call.tick(loop.time())

    # Leaving

    async def _drain(self, server: SocketServer) -> None:
        """Take no more calls, let each finish its sentence, and have the carrier bring them to another relay."""
        self.registry.draining = True
        self.registry.changed()
        for call in tuple(self.calls):
            call.drain()
        if not await self._emptied(DRAIN_S):
            logger.warning("%d calls are handed over in mid-sentence", len(self.calls))
            for call in tuple(self.calls):
                call.abandon()
            await self._emptied(ABANDON_S)
        server.close(code=1012, reason="the relay is leaving")
        await server.wait_closed()

    async def _emptied(self, within_s: float) -> bool:
        """Wait until the last call has left; False when it did not in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.calls:
                    self._left.clear()
                    await self._left.wait()
        return not self.calls
