"""What a stand-in for a gRPC vendor needs beside the calls it answers: a port, faults, refusals in the vendor's form.

A fault strikes the next `times` calls, each `after_ms` after it began; with `live` the calls now open as well,
`after_ms` from now.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import grpc
import grpc.aio
from pydantic import Field, field_validator

from standins.control import Control, Fault, S, listening

T = TypeVar("T")

ANYWHERE = argparse.Namespace(host="127.0.0.1", port=0, control_port=0)

WATCH_S = 0.1
"""How often a call's limits and faults are looked at."""


class RefusalError(Exception):
    """The call ends with this status: the vendor's own, or one that a fault asks for."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def refuse(*checks: tuple[object, str]) -> None:
    """Raise the vendor's INVALID_ARGUMENT with the first message whose condition holds."""
    for wrong, message in checks:
        if wrong:
            raise RefusalError(grpc.StatusCode.INVALID_ARGUMENT, message)


class CallFault(Fault):
    """Kinds that all know: ``status`` (any gRPC code), ``hang`` (nothing is answered), ``slow``."""

    live: bool = False
    after_ms: int = Field(default=0, ge=0)
    code: str = "UNAVAILABLE"
    message: str = "The service is currently unavailable."
    delay_ms: int = Field(default=2000, ge=0)
    """For ``slow``: added to every answer."""

    @field_validator("code")
    @classmethod
    def _known_code(cls, code: str) -> str:
        if code not in grpc.StatusCode.__members__ or code == "OK":
            raise ValueError(f"{code} is not the name of a gRPC error code")
        return code


class Struck:
    """The fault of one call, and the clock by which it strikes."""

    def __init__(self, fault: CallFault | None) -> None:
        self.strike(fault)

    def strike(self, fault: CallFault | None) -> None:
        """Replace the fault by one that counts from now."""
        self._fault = fault
        self._at = asyncio.get_running_loop().time() + (fault.after_ms / 1000 if fault else 0)

    @property
    def kind(self) -> str:
        """What goes wrong at this moment, or nothing."""
        return self._fault.kind if self._fault and asyncio.get_running_loop().time() >= self._at else ""

    @property
    def delay_s(self) -> float:
        """What a ``slow`` fault adds to an answer now."""
        return self._fault.delay_ms / 1000 if self._fault and self.kind == "slow" else 0.0

    async def answer(self) -> None:
        """Return if an answer may be given now; in a ``hang`` never."""
        if self.kind == "hang":
            await asyncio.get_running_loop().create_future()

    async def guard(self, work: Awaitable[T], limits: Callable[[], None] = lambda: None) -> T:
        """What *work* comes to. Raises `RefusalError` when a ``status`` fault strikes, or *limits* raises it."""
        doing = asyncio.ensure_future(work)
        try:
            while not doing.done():
                limits()
                if self._fault and self.kind == "status":
                    raise RefusalError(grpc.StatusCode[self._fault.code], self._fault.message)
                await asyncio.wait({doing}, timeout=WATCH_S)
            return doing.result()
        finally:
            doing.cancel()
            await asyncio.wait({doing})


class CallControl(Control[S, CallFault]):
    """Settings and faults of calls that stay open."""

    def __init__(self, settings: S, fault_type: type[CallFault], **logs: Callable[[], object]) -> None:
        super().__init__(settings, fault_type, **logs)
        self._live: set[Struck] = set()

    @contextmanager
    def call(self) -> Generator[Struck, None, None]:
        """For the length of one call: the fault that strikes it, now or later."""
        struck = Struck(self.next_fault())
        self._live.add(struck)
        try:
            yield struck
        finally:
            self._live.discard(struck)

    def added(self, fault: CallFault) -> None:
        """Strike the calls that are open, if asked to."""
        for struck in self._live if fault.live else ():
            struck.strike(fault)


class StreamingCall:
    """One streaming call: the first message configures it, the others bring work, answers go out when they are due."""

    def __init__(self, struck: Struck) -> None:
        self.struck = struck
        self.loop = asyncio.get_running_loop()
        self.opened = self.last_message = self.loop.time()
        self.messages = 0
        self.half_closed = False
        self.ended: str | None = None
        """The gRPC code, or None while it is open."""
        self._outbox: asyncio.Queue[tuple[float, Any] | None] = asyncio.Queue()

    def configure(self, request: Any) -> None:
        """The first message."""
        raise NotImplementedError

    async def take(self, request: Any) -> None:
        """A further message."""
        raise NotImplementedError

    def check_limits(self) -> None:
        """Raise `RefusalError` if the stream has lived too long, or waited."""
        raise NotImplementedError

    async def finish(self) -> None:
        """No more messages come: because the client has half-closed, and again when the call ends in whatever way."""

    def answer(self, response: Any, due: float) -> None:
        """Send this at loop time *due*, or after what must come before."""
        self._outbox.put_nowait((due, response))

    async def run(self, requests: AsyncIterator[Any], context: Any) -> None:
        """Serve until the client half-closes and all is answered."""
        answering = asyncio.ensure_future(self._answer(context.write))
        ended = "CANCELLED"
        try:
            await self.struck.guard(self._read(requests, answering), self.check_limits)
            ended = "OK"
        except RefusalError as refusal:
            ended = refusal.code.name
            raise
        finally:
            answering.cancel()
            await self.finish()
            self.ended = ended

    async def _read(self, requests: AsyncIterator[Any], answering: Awaitable[None]) -> None:
        async for request in requests:
            self.messages += 1
            self.last_message = self.loop.time()
            if self.messages == 1:
                self.configure(request)
            else:
                await self.take(request)
        refuse((not self.messages, "The stream ended before its first message, which must hold a streaming_config."))
        self.half_closed = True
        await self.finish()
        self._outbox.put_nowait(None)
        await answering

    async def _answer(self, write: Callable[[Any], Awaitable[None]]) -> None:
        while (item := await self._outbox.get()) is not None:
            due, response = item
            await asyncio.sleep(max(0.0, due + self.struck.delay_s - self.loop.time()))
            await self.struck.answer()
            await write(response)
        await self.struck.answer()


def answered(handler: Callable[[Any, Any], Awaitable[T]]) -> Callable[[Any, Any], Awaitable[T]]:
    """A handler whose refusals become the call's status."""

    async def answer(request: Any, context: Any) -> T:
        try:
            return await handler(request, context)
        except RefusalError as refusal:
            await context.abort(refusal.code, refusal.message)
            raise

    return answer


async def open_server(
    service: str, handlers: "Mapping[str, grpc.RpcMethodHandler[Any, Any]]", host: str, port: int
) -> tuple[grpc.aio.Server, int]:
    """A started plain-text server for *service* and the port it got. OSError when the port is taken."""
    # Without this two servers may share a port, and each gets a part of the calls.
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, dict(handlers)),))
    try:
        bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise OSError(str(error)) from error
    await server.start()
    return server, bound


@asynccontextmanager
async def serving(
    service: str,
    handlers: "Mapping[str, grpc.RpcMethodHandler[Any, Any]]",
    control: Control[Any, Any],
    where: argparse.Namespace = ANYWHERE,
) -> AsyncIterator[tuple[int, int]]:
    """Serve until the block is left; the port of the service and that of its control surface."""
    server, port = await open_server(service, handlers, where.host, where.port)
    try:
        async with listening(control.application(), where.host, where.control_port) as control_port:
            yield port, control_port
    finally:
        await server.stop(grace=None)
