"""The HTTP API that clients speak. Every answer is JSON; every refusal says what to do."""

from __future__ import annotations

import base64
import json
import logging
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from google.api_core.exceptions import GoogleAPICallError
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from floyd import errors
from floyd.documents import LIVE, Released
from floyd.identity import Identity, delete_account
from floyd.intake import checked_text
from floyd.lifecycle import Event
from floyd.lifecycle.before_the_call import Approved, Edited, QuestionAnswered, Retried
from floyd.lifecycle.during_the_call import CancelRequested
from floyd.relays import in_order
from floyd.settings import Settings
from functions.bodies import Address, Approval, Changes, NewRequest, Reply, RequestMade, Standing, read_body
from functions.live_calls import end_call, pass_on
from functions.openapi import Operation, Serve, document
from functions.parts import Parts

log = logging.getLogger(__name__)

# The longest body anybody needs: 2,000 characters, each escaped as a surrogate pair (12 bytes), and the rest.
BODY_LIMIT = 32 * 1024
# A full relay may have room a moment later.
RELAY_RETRY_S = 5
RELAYS_WOKEN = 2
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that may be served: who asks, the documents its path names, and its checked body."""

    person: Identity
    names: dict[str, str]
    body: Any

    @property
    def rid(self) -> str:
        return self.names["rid"]


NOBODY = Identity("")


async def serve(request: Request, parts: Parts) -> Response:
    """Answer one request. Never raises for anything that a client can send."""
    cors = _cors(request, parts.settings)
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=cors)
    try:
        response = await _route(request, parts)
    except errors.RefusedError as refusal:
        response = _problem(refusal)
    except (GoogleAPICallError, errors.LostGuardError, errors.VendorError, TimeoutError) as error:
        log.warning("a request could not be served", exc_info=error)
        response = _problem(errors.UnavailableError("Floyd is busy. Try again.", retry_after_s=RELAY_RETRY_S))
    except ClientDisconnect:
        response = Response(status_code=499)  # Nobody is there to read it.
    response.headers.update(cors)
    return response


async def _route(request: Request, parts: Parts) -> Response:
    """Find the call, and check in this order who asks, what about, and with which words."""
    for operation in OPERATIONS:
        names = operation.match(request.method, request.scope["path"])
        if names is None:
            continue
        person = await _person(request, parts, check_revoked=operation.rechecks) if operation.summary else NOBODY
        if not all(_NAME.fullmatch(name) for name in names.values()):
            # What cannot be a document's name is simply not there.
            raise errors.NotFoundError("There is no such request.")
        body = await _body(request, operation.body) if operation.body else None
        return await operation.serve(Asked(person, names, body), parts)
    raise errors.NotFoundError("There is nothing at this address.")


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


def _problem(refusal: errors.RefusedError) -> JSONResponse:
    detail: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    headers = {}
    if refusal.retry_after_s is not None:
        detail["retry_after"] = refusal.retry_after_s
        headers["retry-after"] = str(refusal.retry_after_s)
    return JSONResponse({"error": detail}, refusal.status, headers)


async def _person(request: Request, parts: Parts, *, check_revoked: bool) -> Identity:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise errors.NotAuthenticatedError("Sign in and send a valid Firebase ID token as a bearer token.")
    return await parts.tokens.verify(token.strip(), check_revoked=check_revoked)


async def _body(request: Request, model: type[Model]) -> Model:
    """Read and check a body; an empty one is an empty object."""
    try:
        return model.model_validate_json(await read_body(request, BODY_LIMIT) or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise errors.InvalidInputError(f"{place}: {first['msg']}.") from None


async def _moved(asked: Asked, event: Event, parts: Parts) -> Response:
    """Move the request, do what that asks for, and tell where it stands; ConflictError when its state forbids it."""
    moved = await parts.store.move(asked.person.uid, asked.rid, event)
    errand = moved.errand
    match moved.answer:
        case "conflict" | "closed":
            raise errors.ConflictError(f"Not possible now: {moved.ignored}.")
        case "card_number":
            raise errors.InvalidInputError("answer: Floyd never passes a card number on.")
        case "end_call":
            await end_call(errand, parts)
        case "live" if isinstance(event, QuestionAnswered):
            await pass_on(errand, event.question_id, event.answer, parts)
    status = errand.request.status.value
    log.info("moved", extra={"rid": asked.rid, "event": type(event).__name__, "status": status})
    return JSONResponse({"status": status})


def _moves(event: Event) -> Serve:
    return lambda asked, parts: _moved(asked, event, parts)


async def _describe(asked: Asked, parts: Parts) -> Response:
    return JSONResponse(document(OPERATIONS))


async def _make(asked: Asked, parts: Parts) -> Response:
    taken = await parts.intake.take(asked.person, **dict(asked.body))
    log.info("taken", extra={"rid": taken.rid, "status": taken.request.status.value})
    answer = {"id": taken.rid, "status": taken.request.status.value}
    return JSONResponse(answer, 201 if taken.new else 200)


async def _change(asked: Asked, parts: Parts) -> Response:
    body: Changes = asked.body
    if not body.model_fields_set:
        raise errors.InvalidInputError("Nothing to change: send text, release, mandate or not_before.")
    release = await _releasable(asked, body.release, parts)
    event = Edited(
        text=checked_text(body.text) if body.text is not None else None,
        release=tuple(fact.key for fact in release) if release is not None else None,
        mandate=body.mandate,
        not_before=body.not_before,
    )
    return await _moved(asked, event, parts)


async def _releasable(asked: Asked, keys: list[str] | None, parts: Parts) -> tuple[Released, ...] | None:
    """The values of these facts, for release. Raises InvalidInputError for what is unknown or may never be told."""
    if keys is None:
        return None
    errand = await parts.store.load(asked.person.uid, asked.rid)
    known = {fact.key: fact.value for fact in errand.request.release}
    facts = await parts.store.facts(asked.person.uid, parts.now)
    known |= {fact.key: fact.value for fact in facts}
    never = {fact.key for fact in facts if fact.share == "never"}
    if wrong := [key for key in keys if key in never or key not in known]:
        raise errors.InvalidInputError(f"release: not there, or never to be told: {', '.join(sorted(wrong))}.")
    return tuple(Released(key=key, value=known[key]) for key in dict.fromkeys(keys))


async def _approve(asked: Asked, parts: Parts) -> Response:
    body: Approval = asked.body
    return await _moved(asked, Approved(await _releasable(asked, body.release, parts), body.mandate), parts)


async def _answer(asked: Asked, parts: Parts) -> Response:
    question, words = asked.names["qid"], checked_text(asked.body.answer)
    if await parts.store.question(asked.person.uid, asked.rid, question) is None:
        raise errors.NotFoundError("There is no such request.")
    return await _moved(asked, QuestionAnswered(question, words, "app"), parts)


async def _dictate(asked: Asked, parts: Parts) -> Response:
    """The first relay with room that is awake, or wakes."""
    urls = in_order(await parts.relays.urls(), await parts.store.relays(), parts.now)
    for url in urls[:RELAYS_WOKEN]:
        if await parts.relays.is_ready(url):
            return JSONResponse({"url": f"{url}/dictate"})
    words = "No relay can listen now. Type the request, or try again."
    raise errors.UnavailableError(words, retry_after_s=RELAY_RETRY_S)


async def _export(asked: Asked, parts: Parts) -> Response:
    documents = await parts.store.export(asked.person.uid)
    content = json.dumps({"uid": asked.person.uid, "documents": documents}, default=_plain)
    return Response(content, media_type="application/json")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)


async def _leave(asked: Asked, parts: Parts) -> Response:
    """Nothing new is accepted from here on; live calls end; everything goes, the sign-in last.

    Whatever a call writes while it ends is removed by the sweeper's second pass.
    """
    uid = asked.person.uid
    await parts.store.bury(uid, parts.now)
    for rid, _ in await parts.store.own_requests(uid, LIVE):
        await _moved(replace(asked, names={"rid": rid}), CancelRequested(), parts)
    left = await parts.store.erase(uid)
    await delete_account(uid, parts.settings)
    return JSONResponse({"removed": left == 0}, 202)


_ONE = "/requests/{rid}"
_TAKEN = {201: RequestMade, 200: RequestMade}
_STANDING = {200: Standing}
OPERATIONS = (
    Operation("get", "/openapi.json", _describe),
    Operation("post", "/requests", _make, "Ask for a call", NewRequest, _TAKEN, (409, 413, 429), rechecks=True),
    Operation("patch", _ONE, _change, "Change a request that is not dialled yet", Changes, _STANDING, (409, 413)),
    Operation("post", f"{_ONE}/cancel", _moves(CancelRequested()), "Stop a request, and its call", None, _STANDING),
    Operation("post", f"{_ONE}/approve", _approve, "Approve the plan", Approval, _STANDING, (409, 413), rechecks=True),
    Operation(
        "post", f"{_ONE}/retry", _moves(Retried()), "Try an ended request again", None, _STANDING, (409,), rechecks=True
    ),
    Operation("post", f"{_ONE}/questions/{{qid}}/answer", _answer, "Answer a question", Reply, _STANDING, (409, 413)),
    Operation("post", "/dictations", _dictate, "Where to speak a request", None, {200: Address}, (503,)),
    Operation("get", "/export", _export, "Everything stored about you", None, {200: None}, rechecks=True),
    Operation("delete", "/account", _leave, "Remove yourself and all about you", None, {202: None}, rechecks=True),
)
