"""The HTTP side of every stand-in: an aiohttp application on a port, and the control surface that steers it.

``GET /control/settings``    delays and limits; ``POST`` a JSON object with some of them changes these.
``GET /control/faults``      faults waiting to strike; ``POST`` adds one, ``DELETE`` forgets all.
``GET /control/<log>``       what the stand-in did; each has its own log.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Generic, Literal, Self, TypeVar

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


GRPC_ERRORS = (
    "CANCELLED|UNKNOWN|INVALID_ARGUMENT|DEADLINE_EXCEEDED|NOT_FOUND|ALREADY_EXISTS|PERMISSION_DENIED|RESOURCE_EXHAUSTED"
    "|FAILED_PRECONDITION|ABORTED|OUT_OF_RANGE|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS|UNAUTHENTICATED"
)


class ScriptedCall(Closed):
    name: str
    arguments: str


class Fault(Closed):
    """Something to go wrong with the next `times` requests, `after_ms` after each began."""

    kind: str
    """One of those the stand-in knows."""
    times: int = Field(default=1, ge=0, validation_alias=AliasChoices("times", "count"))
    of: Literal["plan", "outcome", "talk", "speech"] | None = None
    """The kind of request to a model that it waits for; any when null."""
    after_ms: int = Field(default=0, ge=0)
    live: bool = False
    """The requests under way are struck as well, `after_ms` from now."""
    code: str = Field(default="UNAVAILABLE", pattern=f"^(?:{GRPC_ERRORS})$")
    message: str = "The service is currently unavailable."
    """With `code`, what a gRPC call ends with by ``status``."""
    status: int = Field(default=503, ge=400, le=599)
    retry_after_s: float | None = None
    """With `status`, what an HTTP request is answered with by ``status``."""
    delay_ms: int = Field(default=2000, ge=0)
    """What ``slow`` adds to every answer."""
    after_tokens: int = Field(default=0, ge=0)
    """Where ``stall`` and ``cut`` strike: after so many tokens, or tenths of a second of speech."""
    text: str = ""
    calls: tuple[ScriptedCall, ...] = ()
    """With `text`, exactly what a ``reply`` answers."""


class Struck:
    """A request under way: the fault that is to strike it, and from which loop time on."""

    def __init__(self, fault: Fault | None) -> None:
        self.strike(fault)

    def strike(self, fault: Fault | None) -> None:
        """Replace the fault by one that counts from now."""
        self._fault = fault
        self._at = asyncio.get_running_loop().time() + (fault.after_ms / 1000 if fault else 0)

    def by(self, *kinds: str) -> Fault | None:
        """The fault, if it is of such a kind and strikes at this moment."""
        due = self._fault and self._fault.kind in kinds and asyncio.get_running_loop().time() >= self._at
        return self._fault if due else None


S = TypeVar("S", bound=Settings)


class Control(Generic[S]):
    """The settings and faults of a running stand-in, and the handlers that reach them."""

    def __init__(self, settings: S, kinds: Collection[str], **logs: Callable[[], object]) -> None:
        self.settings = settings
        self._kinds = kinds
        self._faults: list[Fault] = []
        self._under_way: set[Struck] = set()
        self._pages = {"settings": settings.model_dump, "faults": self._waiting, **logs}

    @contextmanager
    def request(self, kind: str | None = None) -> Generator[Struck, None, None]:
        """For the length of one request: what strikes it, now or later: the oldest fault left of its kind."""
        fault = next((fault for fault in self._faults if fault.times and fault.of in (None, kind)), None)
        if fault:
            fault.times -= 1
        struck = Struck(fault)
        self._under_way.add(struck)
        try:
            yield struck
        finally:
            self._under_way.discard(struck)

    def add(self, fault: Fault) -> None:
        """Let it strike the next requests, and those under way if it is `live`."""
        self._faults.append(fault)
        for struck in self._under_way if fault.live else ():
            struck.strike(fault)

    def application(self) -> web.Application:
        """An application with the control surface, to which a stand-in may add its own routes."""
        app = web.Application(middlewares=[explained], client_max_size=4_000_000)
        app.router.add_get("/control/{page}", self._read)
        app.router.add_post("/control/settings", self._change)
        app.router.add_post("/control/faults", self._add)
        app.router.add_delete("/control/faults", self._forget)
        return app

    def _waiting(self) -> object:
        return [fault.model_dump() for fault in self._faults if fault.times]

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
        fault = Fault.model_validate_json(await request.read())
        if fault.kind not in self._kinds:
            raise web.HTTPBadRequest(text=f"no fault {fault.kind!r} here: {', '.join(self._kinds)}")
        self.add(fault)
        return web.json_response(fault.model_dump(), status=201)

    async def _forget(self, _: web.Request) -> web.Response:
        self._faults.clear()
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
