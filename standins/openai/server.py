"""The HTTP face: `POST /v1/responses` (unary and streamed), `POST /v1/audio/speech`, and the control surface.

Its log is `/control/requests`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
from collections import deque

from aiohttp import web

from standins import announce, speaker
from standins.control import Control, Handler, listening
from standins.openai import mind
from standins.openai.control import Delays, Fault
from standins.openai.events import Answer, PromptCache, as_sent
from standins.openai.protocol import RefusedError, checked, read_body, read_request
from standins.openai.speech import PIECE_BYTES, PIECE_S, SpeechRequest, spoken

__all__ = ["application", "listening"]

MAX_LOGGED_BYTES = 50_000_000
"""The log forgets its oldest bodies beyond this: long benchmarks must not grow the process."""

FAILURES = {429: "Rate limit reached for requests.", 503: "The server is overloaded. Please try again later."}


class Server:
    def __init__(self, delays: Delays, api_key: str | None, voice: str) -> None:
        self.control = Control(delays, Fault, requests=self.requests)
        self._cache = PromptCache()
        self._api_key = api_key
        """The only key accepted; any non-empty key when None."""
        self._voice = voice
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
        fault = await self._fault(mind.kind_of(request))
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

    async def speak(self, http: web.Request) -> web.StreamResponse:
        """`POST /v1/audio/speech`."""
        self._log(raw := await http.read())
        self._authorise(http)
        request, delays = checked(read_body(raw), SpeechRequest), self.control.settings
        fault = await self._fault("speech")
        response = web.StreamResponse()
        response.content_type = "audio/pcm"
        await response.prepare(http)
        clock = asyncio.get_running_loop()
        due = clock.time() + delays.first_byte_ms / 1000
        pcm = await asyncio.to_thread(spoken, request.input, self._voice)
        pieces = [pcm[at : at + PIECE_BYTES] for at in range(0, len(pcm), PIECE_BYTES)]
        if fault and fault.kind == "truncated":
            del pieces[len(pieces) // 2 :]
        for place, piece in enumerate(pieces):
            if fault and fault.kind in {"cut", "stall"} and place >= fault.after_tokens:
                return await _break_off(http, response, fault)
            await asyncio.sleep(max(0.0, due - clock.time()))
            due += PIECE_S / delays.speed
            await response.write(piece)
        return response

    async def _fault(self, kind: str) -> Fault | None:
        """The fault that strikes this request, if any; one that is a status is raised."""
        fault = self.control.next_fault(lambda each: each.of in (None, kind))
        await asyncio.sleep(self.control.settings.connect_ms / 1000)
        if fault and fault.kind == "status":
            raise _failure(fault)
        return fault

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


def _failure(fault: Fault) -> RefusedError:
    """The vendor's words for an HTTP failure, with `Retry-After` when asked for."""
    message = FAILURES.get(fault.status, "The server had an error while processing your request.")
    code = "rate_limit_exceeded" if fault.status == 429 else None
    headers = {} if fault.retry_after_s is None else {"retry-after": f"{fault.retry_after_s:g}"}
    return RefusedError(message, code=code, status=fault.status, headers=headers)


@web.middleware
async def _refusing(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as refused:
        return web.json_response(refused.body(), status=refused.status, headers=refused.headers)


def application(
    *, delays: Delays | None = None, api_key: str | None = None, voice: str = speaker.TONES
) -> web.Application:
    """The stand-in as an application with its own state."""
    server = Server(delays or Delays(), api_key, voice)
    app = server.control.application()
    app.middlewares.append(_refusing)
    app.router.add_post("/v1/responses", server.respond)
    app.router.add_post("/v1/audio/speech", server.speak)
    return app


def add_arguments(parser: argparse.ArgumentParser) -> None:
    Delays.add_arguments(parser)
    parser.add_argument("--api-key", help="the only key accepted (default: any)")
    parser.add_argument("--voice", choices=speaker.available(), default=speaker.available()[0], help="who speaks")


async def serve(args: argparse.Namespace) -> None:
    """Serve until cancelled; the ready line names the port. Raises `OSError` when the port is busy."""
    app = application(delays=Delays.given(args), api_key=args.api_key, voice=args.voice)
    async with listening(app, args.host, args.port) as port:
        announce("openai", port)
        await asyncio.Event().wait()
