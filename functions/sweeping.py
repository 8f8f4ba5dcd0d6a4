"""Once a minute: everything that a lost trigger, a lost callback or a dead process left undone.

Triggers and callbacks only make things quick. This alone must bring every request to a definite state.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from google.api_core.exceptions import GoogleAPIError
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse

from floyd.carrier import CarrierCall
from floyd.documents import CALL_ENDED, LIVE, TERMINAL, CallStatus, Request, Status
from floyd.errors import FloydError, NotAuthenticatedError, VendorError
from floyd.lifecycle.after_the_call import Swept
from floyd.settings import Settings
from floyd.store import Line
from functions.dialing import intend_call, order_again
from functions.live_calls import ask_carrier
from functions.parts import Parts

log = logging.getLogger(__name__)

T = TypeVar("T")
Found = tuple[str, str, Request]

INVOKER_DEADLINE_S = 5.0
# Requests looked after at the same time: enough for hundreds a minute, few enough for the carrier's rate limit.
AT_ONCE = 16
# The scheduler calls again after 60 s; whatever one pass leaves is overdue in the next.
BUDGET_S = 50.0
# A dialler needs this long between its order and having written it down; only then is its call anybody else's business.
ORDER_GRACE = timedelta(seconds=30)
# A relay that was told to end a call says goodbye first: its closing takes at most 20 s, hearing of it a few more.
GOODBYE = timedelta(seconds=30)
# A request that several passes could not move on: the operator is told.
STUCK_AFTER = timedelta(minutes=5)
# A person's data is removed again, in case a late writer brought some back.
TOMBSTONE_KEPT = timedelta(minutes=10)


async def sweep(parts: Parts) -> dict[str, int]:
    """Look after every request and everything left lying about. Returns how often each thing was done.

    One request's failure is logged and does not keep the others waiting.
    """
    store, done = parts.store, Counter[str]()
    try:
        async with asyncio.timeout(BUDGET_S):
            await _each(await store.live_requests(), _look_at_call, done, parts)
            await _each(await store.due_to_ring(parts.now), _ring, done, parts)
            overdue = await store.overdue(parts.now)
            done["stuck"] += sum(parts.now - request.deadline > STUCK_AFTER for _, _, request in overdue)
            await _each(overdue, _pass_deadline, done, parts)
            await _each(await store.lines(), _free_line, done, parts)
            await _each(await _orphans(parts), _end_orphan, done, parts)
            await _each(await store.tombstones(parts.now - TOMBSTONE_KEPT), _erase, done, parts)
            done["removed"] += await store.remove_expired(parts.now)
    except TimeoutError:
        log.warning("a pass was cut short after %s s", BUDGET_S)
    return dict(done)


async def _each(
    items: Iterable[T], act: Callable[[T, Parts], Awaitable[str]], done: Counter[str], parts: Parts
) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(item: T) -> None:
        async with places:
            try:
                done[await act(item, parts)] += 1
            except (FloydError, GoogleAPIError) as error:
                log.warning("%s: %s", getattr(act, "__name__", "act"), error)
                done["failed"] += 1

    await asyncio.gather(*(one(item) for item in items))


async def _look_at_call(item: Found, parts: Parts) -> str:
    """A call that may ring or talk: ask the carrier, end it if nobody wants it, before any deadline is judged."""
    uid, rid, found = item
    errand = await parts.store.load(uid, rid, attempt=found.attempt)
    request, call = errand.request, errand.call
    if call is None or request.status not in LIVE or call.status is CallStatus.INTENDED:
        return "rested"
    # Talking, the relay that was told to hang up says goodbye first.
    wish = request.cancel_requested_at
    unwanted = wish is not None and (request.status is not Status.TALKING or parts.now - wish > GOODBYE)
    queued = call.status in (CallStatus.QUEUED, CallStatus.INITIATED)
    queued_too_long = queued and call.not_after is not None and parts.now > call.not_after
    if call.sid is not None and (unwanted or queued_too_long):
        await parts.carrier.cancel_call(call.sid)
    elif not unwanted and parts.now < request.deadline and call.status is not CallStatus.UNKNOWN:
        return "rested"
    evidence = await ask_carrier(errand, call, parts)
    if evidence == "absent" and call.sid is None:
        ignored = await order_again(errand, parts, parts.now)
    else:
        ignored = (await parts.store.move(uid, rid, Swept(evidence, request.attempt), parts.now)).ignored
    return "rested" if ignored else f"call {evidence}"


async def _pass_deadline(item: Found, parts: Parts) -> str:
    """A request whose deadline has passed and that holds no line: the lifecycle knows what follows."""
    uid, rid, request = item
    if request.status in (Status.RINGING, Status.TALKING):
        return "rested"
    moved = await parts.store.move(uid, rid, Swept(), parts.now)
    return "rested" if moved.ignored else f"late {request.status.value}"


async def _ring(item: Found, parts: Parts) -> str:
    return await intend_call(*item, parts, parts.now)


async def _free_line(line: Line, parts: Parts) -> str:
    """Give back a line whose call is over or was never placed, whoever forgot it."""
    request = await parts.store.request(line.uid, line.rid)
    call = await parts.store.call(line.uid, line.rid, line.attempt)
    if request is not None and call is not None and call.status not in CALL_ENDED:
        if request.attempt == line.attempt and request.status in LIVE:
            return "rested"
        if call.sid is not None and not await _ended(call.sid, request, parts):
            return "rested"
    cost = Decimal(call.cost.amount) if call is not None else Decimal(0)
    await parts.store.release_line(line.caller, line.to, line.holder, cost=cost)
    return "line freed"


async def _ended(sid: str, request: Request, parts: Parts) -> bool:
    """Whether the carrier agrees that a call is over whose request has gone on; if not, it soon will be."""
    found = await parts.carrier.fetch_call(sid)
    if found is None or found.ended:
        return True
    if request.status in TERMINAL:
        await parts.carrier.cancel_call(sid)
    return False


async def _orphans(parts: Parts) -> list[CarrierCall]:
    """Calls from our number that no line stands for, or that are not the one their line stands for."""
    caller = parts.settings.floyd_caller_number
    try:
        calls = await parts.carrier.live_calls(from_=caller)
    except VendorError as error:
        log.warning("the carrier's calls cannot be listed: %s", error)
        return []
    lines = {(line.caller, line.to): line for line in await parts.store.lines()}
    settled = [call for call in calls if parts.now - call.created_at >= ORDER_GRACE]
    return [call for call in settled if not await _stands_for(lines.get((caller, call.to)), call, parts)]


async def _stands_for(line: Line | None, found: CarrierCall, parts: Parts) -> bool:
    call = await parts.store.call(line.uid, line.rid, line.attempt) if line is not None else None
    return call is not None and call.sid in (None, found.sid)


async def _end_orphan(call: CarrierCall, parts: Parts) -> str:
    await parts.carrier.cancel_call(call.sid)
    return "orphan ended"


async def _erase(uid: str, parts: Parts) -> str:
    if await parts.store.erase(uid) == 0:
        await parts.store.unbury(uid)
    return "erased"


async def serve(request: HttpRequest, parts: Parts) -> JSONResponse:
    """One pass; the answer says what it did."""
    try:
        await check_invoker(request.headers.get("authorization", ""), parts.settings)
    except NotAuthenticatedError as refusal:
        return JSONResponse({"error": {"code": refusal.code, "message": refusal.message}}, refusal.status)
    done = await sweep(parts)
    log.info("swept", extra={"kind": "sweep", "count": sum(done.values()), "stuck": done.get("stuck", 0)})
    return JSONResponse(done)


async def check_invoker(authorization: str, settings: Settings) -> None:
    """Let only the scheduler's service account in; everybody when the stack is local. Raises NotAuthenticatedError.

    The audience is checked in front of this process, by Cloud Run, which alone knows the address that was called.
    """
    if settings.local:
        return
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - slow vendor import
    from google.auth.transport.requests import Request as Transport  # noqa: PLC0415 - slow vendor import
    from google.oauth2 import id_token  # noqa: PLC0415 - slow vendor import

    token = authorization.removeprefix("Bearer ")
    try:
        async with asyncio.timeout(INVOKER_DEADLINE_S):
            claims = await asyncio.to_thread(id_token.verify_oauth2_token, token, Transport())
    except (TimeoutError, ValueError, GoogleAuthError) as error:
        raise NotAuthenticatedError("Not allowed.") from error
    invoker = settings.floyd_sweep_invoker
    if not invoker or claims.get("email") != invoker or not claims.get("email_verified"):
        raise NotAuthenticatedError("Not allowed.")
