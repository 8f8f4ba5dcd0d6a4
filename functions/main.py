"""Entry points of the Cloud Functions, one process each: names, settings and clients, and nothing else.

Heavy vendor libraries are imported where they are used; this file loads only the framework and Firestore.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from datetime import UTC, datetime
from functools import cache
from typing import get_args

from cloudevents.http import CloudEvent
from functions_framework import aio
from google.cloud.firestore import AsyncClient
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from floyd import logs
from floyd.carrier import Carrier
from floyd.errors import RefusedError
from floyd.identity import Tokens
from floyd.intake import Intake
from floyd.relays import RelayDirectory
from floyd.settings import Process, Settings
from floyd.store import Store
from functions import api as http_api
from functions import carrier as webhooks
from functions import dialing, planning, sweeping
from functions.live_calls import Parts
from functions.model import Model
from functions.sound import Sound

# By its place in the repository: the framework loads this file under another name, whose lines nobody would see.
log = logging.getLogger("functions.main")

# Twilio's forms are small; what is longer is refused by its length before its signature is looked at.
FORM_LIMIT = webhooks.BODY_LIMIT + 1
FORM_DEADLINE_S = 10.0
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
def _store(process: Process) -> Store:
    return Store(AsyncClient(project=_settings(process).google_cloud_project))


@cache
def _relays(process: Process) -> RelayDirectory:
    return RelayDirectory(_settings(process))


@cache
def _carrier(process: Process) -> Carrier | None:
    """The account at the carrier; None where this process was given none."""
    settings = _settings(process)
    token = settings.twilio_auth_token.get_secret_value()
    if not settings.twilio_account_sid or not token:
        return None
    return Carrier(settings.twilio_account_sid, token, api_base=settings.floyd_twilio_api_base)


@cache
def _api_parts() -> http_api.Parts:
    settings, store = _settings("api"), _store("api")
    intake = Intake(store, settings)
    return http_api.Parts(store, Tokens(settings), intake, _relays("api"), _carrier("api"), settings)


@cache
def _plan_parts() -> planning.Parts:
    settings = _settings("plan")
    return planning.Parts(_store("plan"), Model(settings), Sound(settings), _carrier("plan"), settings)


def _call_parts(process: Process) -> Parts:
    account = _carrier(process)
    assert account is not None  # its settings are required of these processes
    return Parts(_store(process), account, _relays(process), _settings(process), datetime.now(UTC))


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
    return await http_api.serve(request, _api_parts())


@aio.cloud_event
async def plan(event: CloudEvent) -> None:
    if subject := _subject(event, "jobs"):
        await planning.run_job(*subject, _plan_parts(), datetime.now(UTC))


@aio.cloud_event
async def dial(event: CloudEvent) -> None:
    subject = _subject(event, "calls")
    if subject is None or not subject[2].isdecimal():
        return
    uid, rid, attempt = subject[0], subject[1], int(subject[2])
    word = await dialing.dial_call(uid, rid, attempt, _call_parts("dial"))
    log.info("dialled", extra={"rid": rid, "attempt": attempt, "status": word})


@aio.http
async def carrier(request: Request) -> Response:
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_DEADLINE_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) >= FORM_LIMIT:
                    break
    except TimeoutError:
        return Response(status_code=408)
    signature = request.headers.get("x-twilio-signature", "")
    incoming = webhooks.Incoming(request.method, request.url.path, request.url.query, signature, bytes(body))
    answer = await webhooks.receive(incoming, _call_parts("carrier"))
    return Response(answer.body, answer.status, media_type=answer.content_type)


@aio.http
async def sweep(request: Request) -> Response:
    try:
        await sweeping.check_invoker(request.headers.get("authorization", ""), _settings("sweep"))
    except RefusedError as refusal:
        return JSONResponse({"error": {"code": refusal.code, "message": refusal.message}}, refusal.status)
    done = await sweeping.Sweep(_call_parts("sweep")).run()
    log.info("swept", extra={"kind": "sweep", "count": sum(done.values()), "stuck": done.get("stuck", 0)})
    return JSONResponse(done)
