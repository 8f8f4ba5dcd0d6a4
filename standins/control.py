"""The HTTP side of every stand-in: an aiohttp application on a port, and the control surface that steers it.

``GET /control/settings``    delays and limits; ``POST`` a JSON object with some of them changes these.
``GET /control/faults``      faults waiting to strike; ``POST`` adds one, ``DELETE`` forgets all.
``GET /control/<log>``       what the stand-in did; each has its own log.
"""

import argparse
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, Self, TypeVar

from aiohttp import web
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from standins import StartError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Closed(BaseModel):
    """What comes from outside: nothing misspelt, nothing out of bounds, also when a field is set later."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    def become(self, other: Self) -> None:
        """Take over every field of *other*, in place: whoever holds this object sees it."""
        for name in type(self).model_fields:
            setattr(self, name, getattr(other, name))


class Settings(Closed):
    """Delays and limits, which are options of the command line and can change while the stand-in runs."""

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """One option for each field."""
        for name, field in cls.model_fields.items():
            parser.add_argument(f"--{name.replace('_', '-')}", default=field.default, help=f"default {field.default}")

    @classmethod
    def given(cls, args: argparse.Namespace) -> Self:
        """The settings in *args*. Raises `StartError` for values that make no sense."""
        try:
            return cls.model_validate({name: getattr(args, name) for name in cls.model_fields})
        except ValidationError as error:
            raise StartError(str(error)) from error


class Fault(Closed):
    """Something to go wrong with the next `times` requests. Each stand-in narrows `kind` to those it knows."""

    kind: str
    times: int = Field(default=1, ge=0, validation_alias=AliasChoices("times", "count"))


S = TypeVar("S", bound=Settings)
F = TypeVar("F", bound=Fault)


class Control(Generic[S, F]):
    """The settings and faults of a running stand-in, and the handlers that reach them."""

    def __init__(self, settings: S, fault_type: type[F], **logs: Callable[[], object]) -> None:
        self.settings = settings
        self.faults: list[F] = []
        self._fault_type = fault_type
        self._pages = {"settings": settings.model_dump, "faults": self._waiting, **logs}

    def next_fault(self, applies: Callable[[F], bool] = lambda _: True) -> F | None:
        """The oldest fault that is left and applies, used up by one."""
        fault = next((fault for fault in self.faults if fault.times and applies(fault)), None)
        if fault:
            fault.times -= 1
        return fault

    def application(self) -> web.Application:
        """An application with the control surface, to which a stand-in may add its own routes."""
        app = web.Application(middlewares=[explained], client_max_size=4_000_000)
        app.router.add_get("/control/{page}", self._read)
        app.router.add_post("/control/settings", self._change)
        app.router.add_post("/control/faults", self._add)
        app.router.add_delete("/control/faults", self._forget)
        return app

    def added(self, fault: F) -> None:
        """A fault has come in."""

    def _waiting(self) -> object:
        return [fault.model_dump() for fault in self.faults if fault.times]

    async def _read(self, request: web.Request) -> web.Response:
        page = request.match_info["page"]
        if page not in self._pages:
            raise web.HTTPNotFound(text=f"no page {page!r} here: {', '.join(self._pages)}")
        return web.json_response(self._pages[page]())

    async def _change(self, request: web.Request) -> web.Response:
        changes = TypeAdapter(dict[str, object]).validate_json(await request.read())
        self.settings.become(self.settings.model_validate(self.settings.model_dump() | changes))
        return web.json_response(self.settings.model_dump())

    async def _add(self, request: web.Request) -> web.Response:
        fault = self._fault_type.model_validate_json(await request.read())
        self.faults.append(fault)
        self.added(fault)
        return web.json_response(fault.model_dump(), status=201)

    async def _forget(self, _: web.Request) -> web.Response:
        self.faults.clear()
        return web.json_response([])


@web.middleware
async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A body that is not JSON, or not the object expected, is answered with 400 and the reason."""
    try:
        return await handler(request)
    except ValidationError as error:
        return web.Response(status=400, text=str(error))


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve *app* until the block is left; the port in use (0 takes a free one). OSError when the port is taken."""
    # A handler ends with its client, so that one that stalls on purpose does not stay behind.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
