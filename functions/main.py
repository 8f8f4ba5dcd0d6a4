"""Entry points of the Cloud Functions, one process each: names, settings and clients, and nothing else.

Heavy vendor libraries are imported where they are used; this file loads only the framework and Firestore.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import get_args

from cloudevents.http import CloudEvent
from functions_framework import aio
from google.cloud.firestore import AsyncClient
from starlette.requests import Request
from starlette.responses import Response

from floyd import logs
from floyd.settings import Process, Settings
from floyd.store import Store
from functions import api as http_api
from functions import carrier as webhooks
from functions import dialing, planning, sweeping
from functions.parts import Parts

# By its place in the repository: the framework loads this file under another name, whose lines nobody would see.
log = logging.getLogger("functions.main")

_DOCUMENT = re.compile(r"users/([^/]+)/requests/([^/]+)/(jobs|calls)/([^/]+)")


@cache
def _settings(process: Process) -> Settings:
    """Read once per process, and the log set up with them."""
    settings = Settings.read(process)
    logs.set_up()
    return settings


# The framework names the target before it loads this file: a wrong environment then stops the start, not a request.
if (_target := os.environ.get("FUNCTION_TARGET", "")) in get_args(Process):
    _settings(_target)


@cache
def _kept(process: Process) -> Parts:
    settings = _settings(process)
    client = AsyncClient(project=settings.google_cloud_project)
    return Parts.of(settings, Store(client, keep_days=settings.floyd_keep_days))


def _parts(process: Process) -> Parts:
    return replace(_kept(process), now=datetime.now(UTC))


def _subject(event: CloudEvent, kind: str) -> tuple[str, str, str] | None:
    """(uid, rid, name) of the document that was created; None for any other document.

    Only the name counts: what the document says is read again, since events come late and more than once.
    """
    match = _DOCUMENT.fullmatch(str(event.get("document") or ""))
    if match is None or match[3] != kind:
        log.warning("an event about something else was dropped", extra={"event": event["type"]})
        return None
    return match[1], match[2], match[4]


@aio.http
async def api(request: Request) -> Response:
    return await http_api.serve(request, _parts("api"))


@aio.cloud_event
async def plan(event: CloudEvent) -> None:
    if subject := _subject(event, "jobs"):
        await planning.run_job(*subject, _parts("plan"))


@aio.cloud_event
async def dial(event: CloudEvent) -> None:
    subject = _subject(event, "calls")
    if subject is None or not subject[2].isdecimal():
        return
    uid, rid, attempt = subject[0], subject[1], int(subject[2])
    word = await dialing.dial_call(uid, rid, attempt, _parts("dial"))
    log.info("dialled", extra={"rid": rid, "attempt": attempt, "status": word})


@aio.http
async def carrier(request: Request) -> Response:
    return await webhooks.serve(request, _parts("carrier"))


@aio.http
async def sweep(request: Request) -> Response:
    return await sweeping.serve(request, _parts("sweep"))
