"""Once a minute: everything that a lost trigger, a lost callback or a dead process left undone.

Triggers and callbacks only make things quick. This alone must bring every request to a definite state.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from google.api_core.exceptions import GoogleAPIError

from floyd.carrier import CarrierCall
from floyd.documents import CALL_ENDED, LIVE, TERMINAL, Call, CallStatus, Request, Status
from floyd.errors import FloydError, NotAuthenticatedError, VendorError
from floyd.lifecycle.events import Swept
from floyd.settings import Settings
from floyd.store import Line
from functions.dialing import intend_call, order_again
from functions.live_calls import Parts, ask_carrier

log = logging.getLogger(__name__)

T = TypeVar("T")

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


@dataclass(frozen=True, slots=True)
class Sweep:
    """One pass over everything that is not at rest."""

    parts: Parts

    async def run(self) -> dict[str, int]:
        """Look after every request and everything left lying about. Returns how often each thing was done.

        One request's failure is logged and does not keep the others waiting.
        """
        done: Counter[str] = Counter()
        try:
            async with asyncio.timeout(BUDGET_S):
                await self._each(await self.parts.store.live_requests(), self._look_at_call, done)
                await self._each(await self.parts.store.due_to_ring(self.parts.now), self._ring, done)
                overdue = await self.parts.store.overdue(self.parts.now)
                done["stuck"] += sum(self.parts.now - request.deadline > STUCK_AFTER for _, _, request in overdue)
                await self._each(overdue, self._pass_deadline, done)
                await self._each(await self.parts.store.lines(), self._free_line, done)
                await self._each(await self._orphans(), self._end_orphan, done)
                await self._each(await self.parts.store.tombstones(self.parts.now - TOMBSTONE_KEPT), self._erase, done)
                done["removed"] += await self.parts.store.remove_expired(self.parts.now)
        except TimeoutError:
            log.warning("a pass was cut short after %s s", BUDGET_S)
        return dict(done)

    async def _each(self, items: Iterable[T], act: Callable[[T], Awaitable[str]], done: Counter[str]) -> None:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(item: T) -> None:
            async with places:
                try:
                    done[await act(item)] += 1
                except (FloydError, GoogleAPIError) as error:
                    log.warning("%s: %s", getattr(act, "__name__", "act"), error)
                    done["failed"] += 1

        await asyncio.gather(*(one(item) for item in items))

    async def _look_at_call(self, item: tuple[str, str, Request]) -> str:
        """A call that may ring or talk: ask the carrier, end it if nobody wants it, before any deadline is judged."""
        uid, rid, request = item
        errand = (await self.parts.store.load(uid, rid, attempt=request.attempt)).errand
        call = errand.call
        if call is None or errand.request.status not in LIVE or call.status is CallStatus.INTENDED:
            return "rested"
        unwanted = self._is_unwanted(errand.request)
        queued_too_long = (
            call.status in (CallStatus.QUEUED, CallStatus.INITIATED)
            and call.not_after is not None
            and self.parts.now > call.not_after
        )
        if call.sid is not None and (unwanted or queued_too_long):
            await self.parts.carrier.cancel_call(call.sid)
        elif not unwanted and self.parts.now < errand.request.deadline and call.status is not CallStatus.UNKNOWN:
            return "rested"
        evidence = await ask_carrier(errand, call, self.parts.store, self.parts.carrier)
        if evidence == "absent" and call.sid is None:
            ignored = await order_again(errand, self.parts.store, self.parts.settings, self.parts.now)
        else:
            swept = Swept(evidence, errand.request.attempt)
            ignored = (await self.parts.store.move(uid, rid, swept, self.parts.now)).decision.ignored
        return "rested" if ignored else f"call {evidence}"

    def _is_unwanted(self, request: Request) -> bool:
        """Whether the carrier must be made to end this call, since nobody else will."""
        cancelled_at = request.cancel_requested_at
        if cancelled_at is None:
            return False
        return request.status is not Status.TALKING or self.parts.now - cancelled_at > GOODBYE

    async def _pass_deadline(self, item: tuple[str, str, Request]) -> str:
        """A request whose deadline has passed and that holds no line: the lifecycle knows what follows."""
        uid, rid, request = item
        if request.status in (Status.RINGING, Status.TALKING):
            return "rested"
        moved = await self.parts.store.move(uid, rid, Swept(), self.parts.now)
        return "rested" if moved.decision.ignored else f"late {request.status.value}"

    async def _ring(self, item: tuple[str, str, Request]) -> str:
        parts = self.parts
        return await intend_call(*item, store=parts.store, settings=parts.settings, now=parts.now)

    async def _free_line(self, line: Line) -> str:
        """Give back a line whose call is over or was never placed, whoever forgot it."""
        request = await self.parts.store.request(line.uid, line.rid)
        call = await self.parts.store.call(line.uid, line.rid, line.attempt)
        if request is not None and call is not None and call.status not in CALL_ENDED:
            if request.attempt == line.attempt and request.status in LIVE:
                return "rested"
            if call.sid is not None and not await self._ended(call.sid, request):
                return "rested"
        await self.parts.store.release_line(line.caller, line.to, line.holder, cost=_cost(call))
        return "line freed"

    async def _ended(self, sid: str, request: Request) -> bool:
        """Whether the carrier agrees that a call is over whose request has gone on; if not, it soon will be."""
        found = await self.parts.carrier.fetch_call(sid)
        if found is None or found.ended:
            return True
        if request.status in TERMINAL:
            await self.parts.carrier.cancel_call(sid)
        return False

    async def _orphans(self) -> list[CarrierCall]:
        """Calls from our number that no line stands for, or that are not the one their line stands for."""
        try:
            calls = await self.parts.carrier.live_calls(from_=self.parts.settings.floyd_caller_number)
        except VendorError as error:
            log.warning("the carrier's calls cannot be listed: %s", error)
            return []
        lines = {(line.caller, line.to): line for line in await self.parts.store.lines()}
        orphans = []
        for call in calls:
            if self.parts.now - call.created_at < ORDER_GRACE:
                continue
            line = lines.get((self.parts.settings.floyd_caller_number, call.to))
            if line is None or not await self._stands_for(line, call):
                orphans.append(call)
        return orphans

    async def _stands_for(self, line: Line, found: CarrierCall) -> bool:
        call = await self.parts.store.call(line.uid, line.rid, line.attempt)
        return call is not None and call.sid in (None, found.sid)

    async def _end_orphan(self, call: CarrierCall) -> str:
        await self.parts.carrier.cancel_call(call.sid)
        return "orphan ended"

    async def _erase(self, uid: str) -> str:
        if await self.parts.store.erase(uid) == 0:
            await self.parts.store.unbury(uid)
        return "erased"


def _cost(call: Call | None) -> Decimal:
    return Decimal(call.cost.amount) if call is not None else Decimal(0)


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
