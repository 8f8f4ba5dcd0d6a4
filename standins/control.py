"""The HTTP port by which tests and people steer a gRPC stand-in: settings, faults, and a log of what was asked for.

``GET /control/settings``    delays and limits; ``POST`` a JSON object with some of them changes these.
``GET /control/faults``      faults waiting to strike; ``POST`` adds one, ``DELETE`` removes all.
``GET /control/<log>``       what the stand-in did; each has its own log.

A fault is ``{"kind": ..., "times": 1, "after_ms": 0, ...}``. It strikes the next ``times`` calls, each ``after_ms``
after it began; with ``"live": true`` it strikes the calls now open as well, ``after_ms`` from now.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Generator

import grpc
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from standins.grpc_server import RefusalError


class Settings(BaseModel):
    """Delays and limits which can change while the stand-in runs."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class Fault(BaseModel):
    """Something to go wrong. Each stand-in narrows `kind` to those it knows; all know ``status`` and ``hang``."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    times: int = Field(default=1, ge=0)
    """How many calls that are yet to come it strikes."""
    live: bool = False
    """Whether it strikes the calls now open too."""
    after_ms: int = Field(default=0, ge=0)
    code: str = "UNAVAILABLE"
    """For ``status``: the name of a gRPC code."""
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

    def __init__(self, fault: Fault | None) -> None:
        self._fault = fault
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._changed = asyncio.Event()

    def strike(self, fault: Fault) -> None:
        """Replace the fault by one that counts from now."""
        self._fault, self._since = fault, self._loop.time()
        self._changed.set()

    @property
    def fault(self) -> Fault | None:
        """The fault in force at this moment."""
        return self._fault if self._fault and self._loop.time() >= self._at else None

    @property
    def delay_s(self) -> float:
        """What a ``slow`` fault adds to an answer now."""
        return self.fault.delay_ms / 1000 if self.fault and self.fault.kind == "slow" else 0.0

    @property
    def hangs(self) -> bool:
        """Whether nothing may be answered now."""
        return bool(self.fault and self.fault.kind == "hang")

    @property
    def _at(self) -> float:
        return self._since + (self._fault.after_ms / 1000 if self._fault else 0)

    async def wait(self, until: float) -> None:
        """Return at loop time *until*, or somewhat before. Raises `RefusalError` when a ``status`` fault strikes."""
        if self._fault and self._fault.kind == "status":
            if self._loop.time() >= self._at:
                raise RefusalError(grpc.StatusCode[self._fault.code], self._fault.message)
            until = min(until, self._at)
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._changed.wait()


class Control:
    """The stand-in's settings and faults, and the port that reaches them."""

    def __init__(self, settings: Settings, fault_type: type[Fault], logs: dict[str, Callable[[], object]]) -> None:
        self._settings = settings
        self._fault_type = fault_type
        self._logs = logs
        self._waiting: list[Fault] = []
        self._live: set[Struck] = set()

    @contextlib.contextmanager
    def call(self) -> Generator[Struck, None, None]:
        """For the length of one call: the fault that strikes it, now or later."""
        fault = next((fault for fault in self._waiting if fault.times), None)
        if fault:
            fault.times -= 1
        struck = Struck(fault)
        self._live.add(struck)
        try:
            yield struck
        finally:
            self._live.discard(struck)

    async def open(self, host: str, port: int) -> tuple[web.AppRunner, int]:
        """Listen on *port* (0: any free one); the runner, for the caller to clean up, and the port."""
        app = web.Application(middlewares=[_plain_errors])
        app.router.add_get("/control/settings", self._read_settings)
        app.router.add_post("/control/settings", self._change_settings)
        app.router.add_get("/control/faults", self._read_faults)
        app.router.add_post("/control/faults", self._add_fault)
        app.router.add_delete("/control/faults", self._clear_faults)
        app.router.add_get("/control/{log}", self._read_log)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        return runner, int(runner.addresses[0][1])

    async def _read_settings(self, _: web.Request) -> web.Response:
        return web.json_response(self._settings.model_dump())

    async def _change_settings(self, request: web.Request) -> web.Response:
        changed = type(self._settings).model_validate(self._settings.model_dump() | await _body(request))
        for name, value in changed:
            setattr(self._settings, name, value)
        return await self._read_settings(request)

    async def _read_faults(self, _: web.Request) -> web.Response:
        return web.json_response([fault.model_dump() for fault in self._waiting if fault.times])

    async def _add_fault(self, request: web.Request) -> web.Response:
        fault = self._fault_type.model_validate(await _body(request))
        self._waiting.append(fault)
        if fault.live:
            for struck in self._live:
                struck.strike(fault)
        return web.json_response(fault.model_dump(), status=201)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._waiting.clear()
        return await self._read_faults(request)

    async def _read_log(self, request: web.Request) -> web.Response:
        name = request.match_info["log"]
        if name not in self._logs:
            raise web.HTTPNotFound(text=f"no log {name!r} here: {', '.join(self._logs)}")
        return web.json_response(self._logs[name]())


async def _body(request: web.Request) -> dict[str, object]:
    body = await request.json()
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="a JSON object is expected")
    return body


@web.middleware
async def _plain_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """A body that is not JSON, or not the object expected, is answered with 400 and the reason."""
    try:
        return await handler(request)
    except (json.JSONDecodeError, ValidationError) as error:
        return web.Response(status=400, text=str(error))
