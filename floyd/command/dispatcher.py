"""Plays the parts of the cloud that call functions: Eventarc, so that product code sees only its production form,
and Cloud Scheduler.

The emulator posts each event once, one after another, to `/functions/projects/P/triggers/NAME`, with the protobuf
body in base64, and forgets it whatever the answer. Eventarc posts the raw bytes to `/`, many at once, and tries
again until the function answers 2xx. This server answers the emulator at once and does the rest.

    python -m floyd.command.dispatcher PORT TRIGGER=URL ... SECONDS=URL ...
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

LOG = logging.getLogger("dispatcher")
# Eventarc waits ten minutes for a function; a local one that takes two is stuck.
DELIVERY_S = 120.0
# Eventarc backs off from 10 s to 600 s for 24 hours; a laptop's patience is shorter. `sweep` covers what is lost.
BACK_OFF_S = (0.5, 1, 2, 4, 8, 8, 8)


def production_form(headers: Mapping[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """One event of the emulator as Eventarc would send it. Raises ValueError if it is not one."""
    kept = {name: value for name, value in headers.items() if name.startswith("ce-")}
    if not {"ce-id", "ce-type", "ce-source", "ce-specversion"} <= kept.keys():
        raise ValueError("not a binary-mode CloudEvent")
    # The emulator writes //firestore.googleapis.com/projects/projects/P/...
    kept["ce-source"] = kept["ce-source"].replace("/projects/projects/", "/projects/", 1)
    kept["content-type"] = "application/protobuf"
    try:
        return kept, base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ValueError("the body is not base64") from error


async def post(client: httpx2.AsyncClient, target: str, **content: Any) -> bool:
    """Whether the function accepted; why not is logged."""
    try:
        (await client.post(target, **content)).raise_for_status()
    except httpx2.HTTPError as error:
        what = content.get("headers", {}).get("ce-document", "tick")
        LOG.warning("%s to %s: %s", what, target, str(error).partition("\n")[0] or type(error).__name__)
        return False
    return True


async def deliver(client: httpx2.AsyncClient, target: str, headers: dict[str, str], body: bytes) -> bool:
    """Post until the function accepts, as Eventarc does; False when patience ends."""
    for wait_s in (0, *BACK_OFF_S):
        await asyncio.sleep(wait_s)
        if await post(client, target, headers=headers, content=body):
            return True
    LOG.error("%s to %s: given up", headers.get("ce-document"), target)
    return False


async def tick(client: httpx2.AsyncClient, every_s: float, target: str) -> None:
    """Post to `target` every `every_s` seconds, for ever; a failure waits for the next time."""
    while True:
        await asyncio.sleep(every_s)
        await post(client, target)


def application(targets: Mapping[str, str], ticks: Mapping[str, float]) -> Starlette:
    """The server; `targets` maps a trigger's name to the address of its function, `ticks` an address to seconds."""
    work: set[asyncio.Task[Any]] = set()
    client = httpx2.AsyncClient(timeout=DELIVERY_S)

    async def receive(request: Request) -> Response:
        target = targets.get(request.path_params["name"])
        if target is None:
            return Response(status_code=404)
        try:
            headers, body = production_form(request.headers, await request.body())
        except ValueError as error:
            LOG.error("from the emulator: %s", error)
            return Response(str(error), status_code=400)
        task = asyncio.create_task(deliver(client, target, headers, body))
        work.add(task)
        task.add_done_callback(work.discard)
        return Response(status_code=202)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        work.update(asyncio.create_task(tick(client, every_s, target)) for target, every_s in ticks.items())
        yield
        for task in work:
            task.cancel()
        await client.aclose()

    route = Route("/functions/projects/{project}/triggers/{name}", receive, methods=["POST"])
    return Starlette(routes=[route], lifespan=lifespan)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="dispatcher %(levelname)s %(message)s")
    known = dict(pair.split("=", 1) for pair in sys.argv[2:])
    events = {name: url for name, url in known.items() if name.isalpha()}
    ticks = {url: float(name) for name, url in known.items() if name not in events}
    app = application(events, ticks)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
