"""What a stand-in for a gRPC vendor needs beside the calls it answers: a port, refusals in its form, faults."""

import argparse
import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import grpc
import grpc.aio

from standins.control import Control, Struck, listening

T = TypeVar("T")

ANYWHERE = argparse.Namespace(host="127.0.0.1", port=0, control_port=0)

WATCH_S = 0.1
"""How often a call's limits and faults are looked at."""


class RefusalError(Exception):
    """The call ends with this status: the vendor's own, or one that a fault asks for."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def refuse(*checks: tuple[object, str]) -> None:
    """Raise the vendor's INVALID_ARGUMENT with the first message whose condition holds."""
    for wrong, message in checks:
        if wrong:
            raise RefusalError(grpc.StatusCode.INVALID_ARGUMENT, message)


async def answerable(struck: Struck, due: float = 0) -> None:
    """Return at loop time *due*, or later if the call is slow: an answer may be given. In a ``hang`` never."""
    loop, slow = asyncio.get_running_loop(), struck.by("slow")
    await asyncio.sleep(max(0.0, due + (slow.delay_ms / 1000 if slow else 0) - loop.time()))
    if struck.by("hang"):
        await loop.create_future()


async def guarded(struck: Struck, work: Awaitable[T], check_limits: Callable[[], None] = lambda: None) -> T:
    """What *work* comes to. Raises `RefusalError` when a ``status`` fault strikes, or *check_limits* raises it."""
    doing = asyncio.ensure_future(work)
    try:
        while not doing.done():
            check_limits()
            if fault := struck.by("status"):
                raise RefusalError(grpc.StatusCode[fault.code], fault.message)
            await asyncio.wait({doing}, timeout=WATCH_S)
        return doing.result()
    finally:
        doing.cancel()
        await asyncio.wait({doing})


class StreamingCall:
    """One streaming call: the first message configures it, the others bring work, answers go out when they are due."""

    IDLE: str
    """The vendor's words when the client waits too long with its next message."""

    def __init__(self, struck: Struck, idle_limit_s: float, limit_s: float = math.inf) -> None:
        self.struck = struck
        self.loop = asyncio.get_running_loop()
        self.opened = self.last_message = self.loop.time()
        self.messages = 0
        self.half_closed = False
        self.ended: str | None = None
        """The gRPC code, or None while it is open."""
        self._idle_limit_s, self._limit_s = idle_limit_s, limit_s
        self._outbox: asyncio.Queue[tuple[float, Any] | None] = asyncio.Queue()

    def configure(self, request: Any) -> None:
        """The first message."""
        raise NotImplementedError

    async def take(self, request: Any) -> None:
        """A further message."""
        raise NotImplementedError

    async def finish(self) -> None:
        """No more messages come: because the client has half-closed, and again when the call ends in whatever way."""

    def answer(self, response: Any, due: float) -> None:
        """Send this at loop time *due*, or after what must come before."""
        self._outbox.put_nowait((due, response))

    def _check_limits(self) -> None:
        now = self.loop.time()
        if now - self.opened >= self._limit_s:
            message = f"Max duration of {self._limit_s / 60:g} minutes reached for stream."
            raise RefusalError(grpc.StatusCode.ABORTED, message)
        if not self.half_closed and now - self.last_message >= self._idle_limit_s:
            raise RefusalError(grpc.StatusCode.ABORTED, self.IDLE)

    async def run(self, requests: AsyncIterator[Any], context: Any) -> None:
        """Serve until the client half-closes and all is answered."""
        answering = asyncio.ensure_future(self._answer(context.write))
        ended = "CANCELLED"
        try:
            await guarded(self.struck, self._read(requests, answering), self._check_limits)
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
            await answerable(self.struck, due)
            await write(response)
        await answerable(self.struck)


def answered(handler: Callable[[Any, Any], Awaitable[T]]) -> Callable[[Any, Any], Awaitable[T]]:
    """A handler whose refusals become the call's status."""

    async def answer(request: Any, context: Any) -> T:
        try:
            return await handler(request, context)
        except RefusalError as refusal:
            await context.abort(refusal.code, refusal.message)
            raise

    return answer


def streamed(
    handler: Callable[[Any, Any], Awaitable[None]], read: Callable[[bytes], Any], write: Callable[[Any], bytes]
) -> "grpc.RpcMethodHandler[Any, Any]":
    """A method of a service that streams both ways."""
    return grpc.stream_stream_rpc_method_handler(
        answered(handler), request_deserializer=read, response_serializer=write
    )


@asynccontextmanager
async def serving(
    service: str,
    handlers: "Mapping[str, grpc.RpcMethodHandler[Any, Any]]",
    control: Control[Any],
    where: argparse.Namespace = ANYWHERE,
) -> AsyncIterator[tuple[int, int]]:
    """Serve in plain text until the block is left; the ports of the service and of its control surface.

    OSError when a port is taken.
    """
    # Without this option two servers may share a port, and each gets a part of the calls.
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, dict(handlers)),))
    try:
        port = server.add_insecure_port(f"{where.host}:{where.port}")
    except RuntimeError as error:
        raise OSError(str(error)) from error
    await server.start()
    try:
        async with listening(control.application(), where.host, where.control_port) as control_port:
            yield port, control_port
    finally:
        await server.stop(grace=None)
