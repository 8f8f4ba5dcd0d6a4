"""The HTTP face: `POST /v1/responses` (unary and streamed), and the control surface; its log is `/control/requests`."""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
from collections import deque

from aiohttp import web

from standins import announce
from standins.control import Control, Handler, listening
from standins.openai import mind
from standins.openai.control import Delays, Fault
from standins.openai.events import Answer, PromptCache, as_sent
from standins.openai.protocol import RefusedError, read_request

__all__ = ["application", "listening"]

MAX_LOGGED_BYTES = 50_000_000
"""The log forgets its oldest bodies beyond this: long benchmarks must not grow the process."""

FAILURES = {429: "Rate limit reached for requests.", 503: "The server is overloaded. Please try again later."}


class Server:
    def __init__(self, delays: Delays, api_key: str | None) -> None:
        self.control = Control(delays, Fault, requests=self.requests)
        self._cache = PromptCache()
        self._api_key = api_key
        """The only key accepted; any non-empty key when None."""
        self._bodies: deque[bytes] = deque()
        self._logged_bytes = 0

    def requests(self) -> object:
        """Every body received, oldest first: `text` for reading, `base64` for searching the exact bytes."""
        pairs = [(body.decode("utf-8", "replace"), base64.b64encode(body).decode()) for body in self._bodies]
        return {"requests": [{"text": text, "base64": exact} for text, exact in pairs]}

    async def respond(self, http: web.Request) -> web.StreamResponse:
        # Logged before any check: what was refused was received all the same.
        self._log(raw := await http.read())
        self._authorise(http)
        request, delays = read_request(raw), self.control.settings
        fault = self.control.next_fault(lambda each: each.of in (None, mind.kind_of(request)))
        await asyncio.sleep(delays.connect_ms / 1000)
        if fault and fault.kind == "status":
            return _failure(fault)
        reply = mind.think(request)
        answer = Answer(request, fault.instead_of(reply) if fault else reply, self._cache)
        response = web.StreamResponse(headers={"x-request-id": answer.id.replace("resp", "req")})
        response.content_type = "text/event-stream" if request.stream else "application/json"
        await response.prepare(http)
        clock = asyncio.get_running_loop()
        due, sent = clock.time() + delays.first_token_ms / 1000, 0
        for event in answer.events():
            token = "delta" in event
            last = event["type"] in {"response.completed", "response.incomplete"}
            if fault and fault.kind in {"cut", "stall"} and (last or (token and sent >= fault.after_tokens)):
                return await _break_off(http, response, fault)
            if token:
                # Each token has its own moment, so that slow writes do not add up.
                await asyncio.sleep(max(0.0, due - clock.time()))
                due, sent = due + 1 / delays.tokens_per_s, sent + 1
            if request.stream:
                await response.write(as_sent(event))
        if not request.stream:
            await response.write(json.dumps(answer.response(over=True)).encode())
        return response

    def _log(self, body: bytes) -> None:
        self._bodies.append(body)
        self._logged_bytes += len(body)
        while self._logged_bytes > MAX_LOGGED_BYTES:
            self._logged_bytes -= len(self._bodies.popleft())

    def _authorise(self, http: web.Request) -> None:
        scheme, _, key = http.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise RefusedError("Missing bearer or basic authentication in header", status=401)
        if self._api_key is not None and key != self._api_key:
            message = f"Incorrect API key provided: {key[:3]}***. Check the key this stand-in was started with."
            raise RefusedError(message, code="invalid_api_key", status=401)


async def _break_off(http: web.Request, response: web.StreamResponse, fault: Fault) -> web.StreamResponse:
    """Send no more, for ever; or break the connection, as a crashing vendor does."""
    if fault.kind == "stall":
        await asyncio.get_running_loop().create_future()
    if http.transport is not None:
        http.transport.close()
    return response


def _failure(fault: Fault) -> web.Response:
    """The vendor's words for an HTTP failure, with `Retry-After` when asked for."""
    message = FAILURES.get(fault.status, "The server had an error while processing your request.")
    code = "rate_limit_exceeded" if fault.status == 429 else None
    headers = {} if fault.retry_after_s is None else {"retry-after": f"{fault.retry_after_s:g}"}
    body = RefusedError(message, code=code, status=fault.status).body()
    return web.json_response(body, status=fault.status, headers=headers)


@web.middleware
async def _refusing(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as refused:
        return web.json_response(refused.body(), status=refused.status)


def application(*, delays: Delays | None = None, api_key: str | None = None) -> web.Application:
    """The stand-in as an application with its own state."""
    server = Server(delays or Delays(), api_key)
    app = server.control.application()
    app.middlewares.append(_refusing)
    app.router.add_post("/v1/responses", server.respond)
    return app


def add_arguments(parser: argparse.ArgumentParser) -> None:
    Delays.add_arguments(parser)
    parser.add_argument("--api-key", help="the only key accepted (default: any)")


async def serve(args: argparse.Namespace) -> None:
    """Serve until cancelled; the ready line names the port. Raises `OSError` when the port is busy."""
    app = application(delays=Delays.given(args), api_key=args.api_key)
    async with listening(app, args.host, args.port) as port:
        announce("openai", port)
        await asyncio.Event().wait()
