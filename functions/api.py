"""The HTTP API that clients speak. Every answer is JSON; every refusal says what to do."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from google.api_core.exceptions import GoogleAPICallError
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from floyd import logs
from floyd.carrier import Carrier
from floyd.documents import LIVE, Released
from floyd.errors import (
    ConflictError,
    InvalidInputError,
    LostGuardError,
    NotAuthenticatedError,
    NotFoundError,
    RefusedError,
    TooLargeError,
    VendorError,
)
from floyd.identity import Identity, Tokens, delete_account
from floyd.intake import Intake, checked_text
from floyd.lifecycle import Errand, Event
from floyd.lifecycle.events import Approved, CancelRequested, Edited, QuestionAnswered, Retried
from floyd.relays import RelayDirectory, in_order
from floyd.settings import Settings
from floyd.store import Store
from functions import openapi
from functions.bodies import Approval, Changes, NewRequest, Reply
from functions.live_calls import end_call, pass_on

log = logging.getLogger(__name__)

# The longest body anybody needs: 2,000 characters, each escaped as a surrogate pair (12 bytes), and the rest.
BODY_LIMIT = 32 * 1024
BODY_DEADLINE_S = 10.0
# A full relay may have room a moment later.
RELAY_RETRY_S = 5
RELAYS_WOKEN = 2
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

Model = TypeVar("Model", bound=BaseModel)


class UnavailableError(RefusedError):
    """503: nothing is wrong with what was asked; try again."""

    status = 503
    code = "unavailable"


class SlowError(RefusedError):
    """408: the body did not come in time."""

    status = 408
    code = "too_slow"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API works with. `carrier` is None where the process has no account at the carrier."""

    store: Store
    tokens: Tokens
    intake: Intake
    relays: RelayDirectory
    carrier: Carrier | None
    settings: Settings


async def serve(request: Request, parts: Parts) -> Response:
    """Answer one request. Never raises for anything that a client can send."""
    cors = _cors(request, parts.settings)
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=cors)
    try:
        response = await _route(request, parts)
    except RefusedError as refusal:
        response = _problem(refusal)
    except (GoogleAPICallError, LostGuardError, VendorError, TimeoutError) as error:
        log.warning("a request could not be served", exc_info=error)
        response = _problem(UnavailableError("Floyd is busy. Try again.", retry_after_s=RELAY_RETRY_S))
    except ClientDisconnect:
        response = Response(status_code=499)  # Nobody is there to read it.
    response.headers.update(cors)
    return response


async def _route(request: Request, parts: Parts) -> Response:
    for route, handler in ROUTES:
        match, scope = route.matches(request.scope)
        if match is Match.FULL:
            request.scope.update(scope)
            return await handler(request, parts)
    raise NotFoundError("There is nothing at this address.")


def _cors(request: Request, settings: Settings) -> dict[str, str]:
    """Headers that let the listed browser origins in, and no other."""
    origin = request.headers.get("origin", "")
    headers = {"vary": "Origin", "cache-control": "no-store"}
    if origin and origin in settings.floyd_web_origins:
        headers |= {
            "access-control-allow-origin": origin,
            "access-control-allow-methods": "GET, POST, PATCH, DELETE",
            "access-control-allow-headers": "authorization, content-type",
            "access-control-max-age": "3600",
        }
    return headers


def _problem(refusal: RefusedError) -> JSONResponse:
    detail: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    headers = {}
    if refusal.retry_after_s is not None:
        detail["retry_after"] = refusal.retry_after_s
        headers["retry-after"] = str(refusal.retry_after_s)
    return JSONResponse({"error": detail}, refusal.status, headers)


async def _person(request: Request, parts: Parts, *, check_revoked: bool = False) -> Identity:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticatedError("Sign in and send a valid Firebase ID token as a bearer token.")
    return await parts.tokens.verify(token.strip(), check_revoked=check_revoked)


async def _body(request: Request, model: type[Model]) -> Model:
    """Read and check a body; an empty one is an empty object."""
    raw = bytearray()
    try:
        if int(request.headers.get("content-length", 0)) > BODY_LIMIT:
            raise TooLargeError(f"A body has at most {BODY_LIMIT} bytes.")
        async with asyncio.timeout(BODY_DEADLINE_S):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > BODY_LIMIT:
                    raise TooLargeError(f"A body has at most {BODY_LIMIT} bytes.")
    except TimeoutError:
        raise SlowError(f"The body did not arrive within {BODY_DEADLINE_S:.0f} seconds.") from None
    except ValueError:
        raise InvalidInputError("content-length: a number.") from None
    try:
        return model.model_validate_json(bytes(raw) or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise InvalidInputError(f"{place}: {first['msg']}.") from None


def _name(request: Request, parameter: str) -> str:
    """A document name from the path. What cannot be one is simply not there."""
    name = str(request.path_params[parameter])
    if not _NAME.fullmatch(name):
        raise _not_there()
    return name


def _not_there() -> NotFoundError:
    return NotFoundError("There is no such request.")


async def _moved(uid: str, rid: str, event: Event, parts: Parts) -> tuple[Errand, str | None]:
    """Move a request; ConflictError when its state does not allow it."""
    moved = await parts.store.move(uid, rid, event)
    logs.trace.set(moved.errand.request.trace)
    if moved.decision.ignored is not None and moved.decision.answer in ("conflict", "closed"):
        raise ConflictError(f"Not possible now: {moved.decision.ignored}.")
    log.info("moved", extra={"rid": rid, "event": type(event).__name__, "status": moved.errand.request.status.value})
    return moved.errand, moved.decision.answer


async def _describe(request: Request, parts: Parts) -> Response:
    return JSONResponse(openapi.document())


async def _make(request: Request, parts: Parts) -> Response:
    person = await _person(request, parts, check_revoked=True)
    body = await _body(request, NewRequest)
    taken = await parts.intake.take(
        person,
        body.text,
        body.idempotency_key,
        language=body.language,
        not_before=body.not_before,
        dry_run=body.dry_run,
    )
    logs.trace.set(taken.request.trace)
    log.info("taken", extra={"rid": taken.rid, "status": taken.request.status.value})
    answer = {"id": taken.rid, "status": taken.request.status.value}
    return JSONResponse(answer, 201 if taken.new else 200)


async def _change(request: Request, parts: Parts) -> Response:
    person = await _person(request, parts)
    rid = _name(request, "rid")
    body = await _body(request, Changes)
    if not body.model_fields_set:
        raise InvalidInputError("Nothing to change: send text, release, mandate or not_before.")
    if body.release is not None:
        await _releasable(person.uid, rid, body.release, parts)
    event = Edited(
        text=checked_text(body.text) if body.text is not None else None,
        release=tuple(body.release) if body.release is not None else None,
        mandate=body.mandate,
        not_before=body.not_before,
    )
    errand, _ = await _moved(person.uid, rid, event, parts)
    return _standing(errand)


async def _releasable(uid: str, rid: str, keys: list[str], parts: Parts) -> tuple[Released, ...]:
    """The values of these facts, for release. Raises InvalidInputError for what is unknown or may never be told."""
    errand = (await parts.store.load(uid, rid)).errand
    known = {fact.key: fact.value for fact in errand.request.release}
    never = set()
    for fact in await parts.store.facts(uid, datetime.now(UTC)):
        if fact.share == "never":
            never.add(fact.key)
        else:
            known[fact.key] = fact.value
    if wrong := [key for key in keys if key in never or key not in known]:
        raise InvalidInputError(f"release: not there, or never to be told: {', '.join(sorted(wrong))}.")
    return tuple(Released(key=key, value=known[key]) for key in dict.fromkeys(keys))


async def _cancel(request: Request, parts: Parts) -> Response:
    person = await _person(request, parts)
    errand, answer = await _moved(person.uid, _name(request, "rid"), CancelRequested(), parts)
    if answer == "end_call":
        await end_call(errand, store=parts.store, carrier=parts.carrier, now=datetime.now(UTC))
    return _standing(errand)


async def _approve(request: Request, parts: Parts) -> Response:
    person = await _person(request, parts, check_revoked=True)
    rid = _name(request, "rid")
    body = await _body(request, Approval)
    release = await _releasable(person.uid, rid, body.release, parts) if body.release is not None else None
    errand, _ = await _moved(person.uid, rid, Approved(release, body.mandate), parts)
    return _standing(errand)


async def _retry(request: Request, parts: Parts) -> Response:
    person = await _person(request, parts, check_revoked=True)
    errand, _ = await _moved(person.uid, _name(request, "rid"), Retried(), parts)
    return _standing(errand)


async def _answer(request: Request, parts: Parts) -> Response:
    person = await _person(request, parts)
    rid, question = _name(request, "rid"), _name(request, "qid")
    words = checked_text((await _body(request, Reply)).answer)
    if await parts.store.question(person.uid, rid, question) is None:
        raise _not_there()
    errand, answer = await _moved(person.uid, rid, QuestionAnswered(question, words, "app"), parts)
    if answer == "live":
        await pass_on(errand, question, words, store=parts.store, now=datetime.now(UTC))
    elif answer == "end_call":
        await end_call(errand, store=parts.store, carrier=parts.carrier, now=datetime.now(UTC))
    return _standing(errand)


async def _dictate(request: Request, parts: Parts) -> Response:
    """The first relay with room that is awake, or wakes."""
    await _person(request, parts)
    urls = in_order(await parts.relays.urls(), await parts.store.relays(), datetime.now(UTC))
    for url in urls[:RELAYS_WOKEN]:
        if await parts.relays.is_ready(url):
            return JSONResponse({"url": f"{url}/dictate"})
    raise UnavailableError("No relay can listen now. Type the request, or try again.", retry_after_s=RELAY_RETRY_S)


async def _export(request: Request, parts: Parts) -> Response:
    person = await _person(request, parts, check_revoked=True)
    documents = await parts.store.export(person.uid)
    content = json.dumps({"uid": person.uid, "documents": documents}, default=_plain)
    return Response(content, media_type="application/json")


def _plain(value: object) -> str:
    """Stored values that JSON has no form for."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)


async def _leave(request: Request, parts: Parts) -> Response:
    """Nothing new is accepted from here on; live calls end; everything goes, the sign-in last.

    Whatever a call writes while it ends is removed by the sweeper's second pass.
    """
    person = await _person(request, parts, check_revoked=True)
    now = datetime.now(UTC)
    await parts.store.bury(person.uid, now)
    for rid, found in await parts.store.own_requests(person.uid, sorted(LIVE)):
        moved = await parts.store.move(person.uid, rid, CancelRequested())
        if moved.decision.answer == "end_call":
            await end_call(moved.errand, store=parts.store, carrier=parts.carrier, now=now)
        log.info("ended for leaving", extra={"rid": rid, "status": found.status.value})
    left = await parts.store.erase(person.uid)
    await delete_account(person.uid, parts.settings)
    return JSONResponse({"removed": left == 0}, 202)


def _standing(errand: Errand) -> Response:
    return JSONResponse({"status": errand.request.status.value})


Handler = Callable[[Request, Parts], Awaitable[Response]]


def _unused(request: Request) -> Response:
    """Routes only match here; `_route` calls the handler with the parts."""
    raise AssertionError


def _at(method: str, path: str, handler: Handler) -> tuple[Route, Handler]:
    return Route(path, _unused, methods=[method]), handler


ROUTES = (
    _at("GET", "/openapi.json", _describe),
    _at("POST", "/requests", _make),
    _at("PATCH", "/requests/{rid}", _change),
    _at("POST", "/requests/{rid}/cancel", _cancel),
    _at("POST", "/requests/{rid}/approve", _approve),
    _at("POST", "/requests/{rid}/retry", _retry),
    _at("POST", "/requests/{rid}/questions/{qid}/answer", _answer),
    _at("POST", "/dictations", _dictate),
    _at("GET", "/export", _export),
    _at("DELETE", "/account", _leave),
)
