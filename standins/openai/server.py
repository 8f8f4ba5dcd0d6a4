"""The HTTP face: `POST /v1/responses` (unary and streamed), `POST /v1/audio/speech`, and the control surface.

Its log is `/control/requests`.
"""

import argparse
import asyncio
import base64
import json
from collections import deque
from collections.abc import Sequence

from aiohttp import web
from pydantic import Field

from standins import announce, speaker
from standins.audio import decode_mulaw
from standins.control import Control, Handler, Settings, Struck, listening
from standins.openai import mind
from standins.openai.events import Answer, PromptCache, Reply, ToolCall, as_sent
from standins.openai.protocol import WORDS, RefusedError, SpeechRequest, read, read_request

__all__ = ["application", "listening"]

FAULTS = ("status", "stall", "cut", "garbage", "empty", "reply", "truncated")
"""``truncated`` leaves out the second half of a speech."""
GARBAGE = '{"}]] <|im_end|> \ufffd\ufffd {"name": "end_call", "argum'

MAX_LOGGED_BYTES = 50_000_000
"""The log forgets its oldest bodies beyond this: long benchmarks must not grow the process."""

SPEECH_RATE = 24_000
"""Of the vendor's PCM: three times the telephone's."""
PIECE_S = 0.1
PIECE_BYTES = int(2 * SPEECH_RATE * PIECE_S)


class Delays(Settings):
    connect_ms: float = Field(default=0, ge=0)
    """From the request's last byte to the response's headers."""
    first_token_ms: float = Field(default=300, ge=0)
    """From the headers to the first token."""
    tokens_per_s: float = Field(default=100, gt=0)
    first_byte_ms: float = Field(default=150, ge=0)
    """Of speech: from the headers to the first sound."""
    speed: float = Field(default=5, gt=0)
    """Speech comes so many times as fast as it plays."""


class Server:
    def __init__(self, delays: Delays, api_key: str | None, voice: str) -> None:
        self.control = Control(delays, FAULTS, requests=self.requests)
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
        """`POST /v1/responses`."""
        request, delays = read_request(await self._received(http)), self.control.settings
        with self.control.request(mind.kind_of(request)) as struck:
            await self._connect(struck)
            answer = Answer(request, _instead(struck) or mind.think(request), self._cache)
            response = web.StreamResponse(headers={"x-request-id": answer.id.replace("resp", "req")})
            response.content_type = "text/event-stream" if request.stream else "application/json"
            *events, last = answer.events()
            pieces = [(as_sent(event) if request.stream else b"", "delta" in event) for event in events]
            pieces.append((as_sent(last) if request.stream else json.dumps(last["response"]).encode(), False))
            return await _sent(
                http, response, pieces, struck, first_s=delays.first_token_ms / 1000, each_s=1 / delays.tokens_per_s
            )

    async def speak(self, http: web.Request) -> web.StreamResponse:
        """`POST /v1/audio/speech`."""
        request, delays = read(await self._received(http), SpeechRequest), self.control.settings
        with self.control.request("speech") as struck:
            await self._connect(struck)
            response = web.StreamResponse()
            response.content_type = "audio/pcm"
            mulaw = await asyncio.to_thread(speaker.render, request.input, self._voice)
            pcm = decode_mulaw(mulaw).repeat(3).astype("<i2").tobytes()
            pieces = [(pcm[at : at + PIECE_BYTES], True) for at in range(0, len(pcm), PIECE_BYTES)]
            if struck.by("truncated"):
                del pieces[len(pieces) // 2 :]
            return await _sent(
                http, response, pieces, struck, first_s=delays.first_byte_ms / 1000, each_s=PIECE_S / delays.speed
            )

    async def _received(self, http: web.Request) -> bytes:
        """The body of an authorised request. Logged before any check: what is refused was received all the same."""
        body = await http.read()
        self._bodies.append(body)
        self._logged_bytes += len(body)
        while self._logged_bytes > MAX_LOGGED_BYTES:
            self._logged_bytes -= len(self._bodies.popleft())
        scheme, _, key = http.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise RefusedError("Missing bearer or basic authentication in header", status=401)
        if self._api_key is not None and key != self._api_key:
            message = f"Incorrect API key provided: {key[:3]}***. Check the key this stand-in was started with."
            raise RefusedError(message, code="invalid_api_key", status=401)
        return body

    async def _connect(self, struck: Struck) -> None:
        """The time to the headers. Raises `RefusedError` with the vendor's words for a failure of its own."""
        await asyncio.sleep(self.control.settings.connect_ms / 1000)
        if fault := struck.by("status"):
            message = WORDS["failures"].get(str(fault.status), WORDS["failures"]["any"])
            code = "rate_limit_exceeded" if fault.status == 429 else None
            headers = {} if fault.retry_after_s is None else {"retry-after": f"{fault.retry_after_s:g}"}
            raise RefusedError(message, code=code, status=fault.status, headers=headers)


async def _sent(
    http: web.Request,
    response: web.StreamResponse,
    pieces: Sequence[tuple[bytes, bool]],
    struck: Struck,
    *,
    first_s: float,
    each_s: float,
) -> web.StreamResponse:
    """Send the pieces. The timed ones (tokens, sound) have each its own moment, so that slow writes do not add up."""
    await response.prepare(http)
    clock = asyncio.get_running_loop()
    due, timed_ones = clock.time() + first_s, 0
    for place, (piece, timed) in enumerate(pieces, 1):
        fault = struck.by("stall", "cut")
        if fault and (place == len(pieces) or (timed and timed_ones >= fault.after_tokens)):
            if fault.kind == "stall":
                await clock.create_future()
            elif http.transport is not None:  # broken off, as by a crashing vendor
                http.transport.close()
            return response
        if timed:
            await asyncio.sleep(max(0.0, due - clock.time()))
            due, timed_ones = due + each_s, timed_ones + 1
        if piece:
            await response.write(piece)
    return response


def _instead(struck: Struck) -> Reply | None:
    """The reply of a model in trouble, or the one that was asked for."""
    if fault := struck.by("garbage", "empty", "reply"):
        calls = tuple(ToolCall(call.name, call.arguments) for call in fault.calls)
        return Reply(GARBAGE if fault.kind == "garbage" else fault.text, calls)
    return None


@web.middleware
async def _refusing(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as refused:
        return web.json_response({"error": refused.error}, status=refused.status, headers=refused.headers)


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
    app = application(delays=Delays.given(args), api_key=args.api_key, voice=args.voice)
    async with listening(app, args.host, args.port) as port:
        announce("openai", port)
        await asyncio.Event().wait()
