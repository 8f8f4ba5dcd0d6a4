"""The HTTP face: `POST /v1/responses` (unary and streamed), `GET /v1/models`, and the control surface."""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from standins import announce
from standins.openai import mind
from standins.openai.control import Control, Delays, Fault, faulty
from standins.openai.events import Answer, PromptCache, Token, shortened
from standins.openai.protocol import RefusedError, read_request

MAX_BODY_BYTES = 4_000_000
"""Far above any prompt of a phone call; keeps a stray upload from filling memory."""
MODELS = ("competent", "obedient", "poison")
"""Names for `GET /v1/models`. Any name is accepted; those holding `obedient` or `poison` choose that mind."""


class CutError(Exception):
    """Raised inside a body to break the connection there, as a crashing vendor does."""


class Body(StreamingResponse):
    """A streamed body that can end without its last chunk, which makes uvicorn close the connection."""

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except CutError:
            return


class Server:
    def __init__(self, control: Control, api_key: str | None) -> None:
        self.control = control
        self.cache = PromptCache()
        self.stopping = asyncio.Event()
        self.api_key = api_key
        """The only key accepted; any non-empty key when None."""

    async def respond(self, request: Request) -> Response:
        raw = await self._body(request)
        self._authorise(request)
        asked = read_request(raw)
        fault = self.control.next_fault(mind.kind_of(asked))
        await asyncio.sleep(self.control.delays.connect_ms / 1000)
        if fault and fault.kind == "status":
            return _failure(fault)
        if "poison" in asked.model:
            return _failure(Fault(kind="status", status=500))
        reply, cut_short = shortened(faulty(mind.think(asked), fault), asked.max_output_tokens)
        answer = Answer(asked, reply, self.cache.usage(asked, reply), cut_short)
        self.control.count(asked.model, answer.usage)
        headers = {"x-request-id": answer.id.replace("resp", "req"), "openai-version": "2020-10-01"}
        if asked.stream:
            return Body(self._stream(answer, fault), headers=headers, media_type="text/event-stream")
        return Body(self._whole(answer, fault), headers=headers, media_type="application/json")

    async def _stream(self, answer: Answer, fault: Fault | None) -> AsyncIterator[bytes]:
        clock = asyncio.get_running_loop()
        due, sent = clock.time() + self.control.delays.first_token_ms / 1000, 0
        for each in answer.events():
            if isinstance(each, Token):
                await self._break(fault, sent)
                # Each token has its own moment, so that slow writes do not add up.
                await asyncio.sleep(max(0.0, due - clock.time()))
                due, sent = due + 1 / self.control.delays.tokens_per_s, sent + 1
            event = each.event if isinstance(each, Token) else each
            if event["type"].endswith((".completed", ".incomplete")):
                await self._break(fault, None)
            yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()

    async def _whole(self, answer: Answer, fault: Fault | None) -> AsyncIterator[bytes]:
        delays = self.control.delays
        await asyncio.sleep(delays.first_token_ms / 1000 + answer.usage["output_tokens"] / delays.tokens_per_s)
        body = json.dumps(answer.response(answer.final_status)).encode()
        yield body[: len(body) // 2]
        await self._break(fault, None)
        yield body[len(body) // 2 :]

    async def _break(self, fault: Fault | None, sent: int | None) -> None:
        """Stall or cut when the fault says so at this token (`None`: the end of the reply). Stopping cuts all."""
        kind = fault.kind if fault and (sent is None or sent >= fault.after_tokens) else None
        if kind == "stall":
            await self.stopping.wait()  # or until the client disconnects, which cancels this body
        if kind == "cut" or self.stopping.is_set():
            raise CutError

    async def models(self, request: Request) -> Response:
        self._authorise(request)
        known = {"object": "model", "created": 1_780_000_000, "owned_by": "stand-in", "shutdown_date": None}
        return JSONResponse({"object": "list", "data": [{"id": name, **known} for name in MODELS]})

    async def state(self, _request: Request) -> Response:
        return JSONResponse(self.control.state())

    async def set_delays(self, request: Request) -> Response:
        changed = self.control.delays.model_dump() | await request.json()
        self.control.delays = Delays.model_validate(changed)
        return await self.state(request)

    async def set_faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.control.faults.clear()
        else:
            self.control.faults.append(Fault.model_validate(await request.json()))
        return await self.state(request)

    async def log(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.control.forget()
        return JSONResponse({"requests": self.control.requests(), "usage": self.control.usage})

    async def _body(self, request: Request) -> bytes:
        raw = bytearray()
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAX_BODY_BYTES:
                raise RefusedError("Request body too large.", status=413)
        # Logged before any check: what was refused was received all the same.
        self.control.log(bytes(raw))
        return bytes(raw)

    def _authorise(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise RefusedError("Missing bearer or basic authentication in header", status=401)
        if self.api_key is not None and key != self.api_key:
            message = f"Incorrect API key provided: {key[:3]}***. Check the key this stand-in was started with."
            raise RefusedError(message, code="invalid_api_key", status=401)


def _failure(fault: Fault) -> Response:
    """The vendor's words for an HTTP failure, with `Retry-After` when asked for."""
    words = {429: "Rate limit reached for requests.", 503: "The server is overloaded. Please try again later."}
    message = words.get(fault.status, "The server had an error while processing your request.")
    code = "rate_limit_exceeded" if fault.status == 429 else None
    headers = {} if fault.retry_after_s is None else {"retry-after": f"{fault.retry_after_s:g}"}
    error = RefusedError(message, code=code, status=fault.status)
    return JSONResponse(error.body(), fault.status, headers)


def _guarded(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def run(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RefusedError as refused:
            return JSONResponse(refused.body(), refused.status)
        except (ValidationError, json.JSONDecodeError) as wrong:
            return JSONResponse(RefusedError(str(wrong)).body(), 400)

    return run


def application(*, delays: Delays | None = None, api_key: str | None = None) -> Starlette:
    """The stand-in as an ASGI application with its own state."""
    server = Server(Control(delays or Delays()), api_key)
    routes = [
        ("/v1/responses", server.respond, ["POST"]),
        ("/v1/models", server.models, ["GET"]),
        ("/control", server.state, ["GET"]),
        ("/control/delays", server.set_delays, ["PUT"]),
        ("/control/faults", server.set_faults, ["POST", "DELETE"]),
        ("/control/requests", server.log, ["GET", "DELETE"]),
    ]
    app = Starlette(routes=[Route(path, _guarded(handler), methods=methods) for path, handler, methods in routes])
    app.state.stopping = server.stopping
    return app


class Embedded(uvicorn.Server):
    """uvicorn without its own signal handlers: whoever starts a stand-in decides when it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def add_arguments(parser: argparse.ArgumentParser) -> None:
    defaults = Delays()
    parser.add_argument("--connect-ms", type=float, default=defaults.connect_ms)
    parser.add_argument("--first-token-ms", type=float, default=defaults.first_token_ms)
    parser.add_argument("--tokens-per-s", type=float, default=defaults.tokens_per_s)
    parser.add_argument("--api-key", help="the only key accepted (default: any)")


@asynccontextmanager
async def listening(app: Starlette, host: str, port: int) -> AsyncIterator[int]:
    """The application served while the context lasts; yields the port (0 takes a free one).

    Raises `OSError` when the port is busy.
    """
    listener = socket.create_server((host, port))
    # Small events must leave at once; accepted sockets inherit this.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = Embedded(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        app.state.stopping.set()
        server.should_exit = True
        await serving


async def serve(args: argparse.Namespace) -> None:
    """Serve until cancelled; the ready line names the port. Raises `OSError` when the port is busy."""
    delays = Delays(connect_ms=args.connect_ms, first_token_ms=args.first_token_ms, tokens_per_s=args.tokens_per_s)
    async with listening(application(delays=delays, api_key=args.api_key), args.host, args.port) as port:
        announce("openai", port)
        await asyncio.Event().wait()
