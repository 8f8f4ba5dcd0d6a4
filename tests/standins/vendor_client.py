"""A stand-in's server in the test's own process, and the vendors' own clients for it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import grpc
import grpc.aio

from standins.control import Control
from standins.grpc_server import serving

DEADLINE_S = 20


class Steering:
    """The control port as a person with curl sees it."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/control/"

    async def get(self, name: str) -> Any:
        """The JSON of one page."""
        return (await self._ask("GET", name, None))[1]

    async def post(self, name: str, **body: object) -> int:
        """Send *body* and return the status."""
        return (await self._ask("POST", name, body))[0]

    async def delete(self, name: str) -> int:
        """Ask for removal and return the status."""
        return (await self._ask("DELETE", name, None))[0]

    async def _ask(self, method: str, name: str, body: object) -> tuple[int, Any]:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(DEADLINE_S)) as session,
            session.request(method, self._url + name, json=body) as answer,
        ):
            return answer.status, await answer.json() if answer.status < 300 else await answer.text()


@asynccontextmanager
async def running(
    service: str, handlers: "Mapping[str, grpc.RpcMethodHandler[Any, Any]]", control: Control[Any]
) -> AsyncIterator[tuple[grpc.aio.Channel, Steering]]:
    """A channel to the server and its control port, both on free ports."""
    async with (
        serving(service, handlers, control) as (port, control_port),
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield channel, Steering(control_port)
