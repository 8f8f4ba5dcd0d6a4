"""From an intent to ring to exactly one order at the carrier, or a good reason why not.

Order of the layers: nothing that can be refused without effect comes after anything that has one; the claim is the last
step before the order, and the order is sent once.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from floyd import hours
from floyd.carrier import RING_LIMIT_S, CallRefused, MaybePlaced, NotSent, Placed, PlacedCall, talk_limit_s
from floyd.documents import Person, Request, Status
from floyd.errors import NotFoundError, VendorError
from floyd.lifecycle import Errand, decide
from floyd.lifecycle.after_the_call import Swept
from floyd.lifecycle.during_the_call import DialClaimed, DialDue, DialRefused, Posted, Postponed, PostUnknown
from floyd.phone_numbers import Number, Refusal, judge, may_ring
from floyd.plans import Category
from floyd.prices import DOLLARS_PER_MINUTE
from floyd.settings import Settings
from floyd.store import Callee, Line, Switch, line_holder
from floyd.store.lines import NoLine, day_of
from functions.live_calls import ask_carrier, carrier_url, find_room, stream_twiml
from functions.parts import Parts

log = logging.getLogger(__name__)

# One number, over all people: this many calls in ten minutes and in a day. A person's `limits` may say otherwise.
CALLS_PER_BURST, BURST = 5, timedelta(minutes=10)
CALLS_PER_DAY, DAY = 12, timedelta(days=1)
# Waiting for something that others give back any moment.
SOON = timedelta(seconds=20)
SWITCHED_OFF = timedelta(minutes=1)
CARRIER_BUSY = timedelta(seconds=30)
UNREACHABLE = timedelta(seconds=10)
# A lock outlives the longest call by this much; the sweeper frees it long before.
LOCK_MARGIN = timedelta(minutes=5)
# When the carrier's list is looked at for an order whose answer was lost. Two looks: what was ordered a moment ago may
# not be listed yet. Together longer than the lifecycle asks before it believes an empty list.
LOOKS_S = (1.0, 5.0)

# Twilio's error codes that blame the number itself, and those that name a kind of number it will not ring.
NUMBER_INVALID = frozenset({13223, 13224, 21211, 21214, 21217, 21401, 21421})
NUMBER_FORBIDDEN = frozenset({13225, 13227, 21202, 21215})

_NO_LINE: dict[NoLine, str] = {
    "number_busy": "Floyd is on the phone with this number; it rings when that call is over.",
    "lines_busy": "All of Floyd's lines are busy; it rings when one is free.",
    "money_held": "The rest of today's money is set aside for calls under way.",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Whom the plan means and which number rings for it: the same, unless every call is diverted to one phone."""

    meant: Number
    rung: Number


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known when a call is about to be placed; `callee` is the ledger of the number meant."""

    target: Target | Refusal
    person: Person
    switch: Switch
    callee: Callee
    rung: Callee


def judge_for(person: Person, number: str, settings: Settings) -> Number | Refusal:
    """The number gate as it stands for this person and deployment."""
    own = [each for each in (settings.floyd_caller_number, person.number) if each]
    return judge(number, regions=settings.floyd_dial_regions, own_numbers=own)


def find_target(request: Request, person: Person, settings: Settings) -> Target | Refusal:
    """Judge the planned number and the one that would ring for it."""
    number = request.plan.callee.number if request.plan is not None else None
    meant = judge_for(person, number or "", settings)
    if isinstance(meant, Refusal):
        return meant
    rung = may_ring(meant, settings)
    return rung if isinstance(rung, Refusal) else Target(meant, rung)


async def intend_call(uid: str, rid: str, request: Request, parts: Parts, now: datetime | None) -> str:
    """Write down the intent to ring for a request that is ready and due; the creation of the call wakes `dial`.

    A refused number is written down as well: the dialler says why it is not rung. Without `now` the store's clock
    decides.
    """
    target = find_target(request, await parts.store.person(uid), parts.settings)
    to = "" if isinstance(target, Refusal) else target.rung.e164
    moved = await parts.store.move(uid, rid, DialDue(to, parts.settings.floyd_caller_number), now)
    return moved.ignored or "intended"


def judge_call(errand: Errand, known: Circumstances, now: datetime) -> DialRefused | Postponed | None:
    """Whether this call may be placed now. Pure: None means yes."""
    assert errand.call is not None
    attempt, limits = errand.request.attempt, known.person.limits
    if not known.switch.dialling:
        return Postponed(attempt, now + SWITCHED_OFF, "Dialling is switched off by the operator.")
    if isinstance(known.target, Refusal):
        return DialRefused(attempt, known.target.category, known.target.reason)
    if errand.call.to != known.target.rung.e164:
        return DialRefused(attempt, "refused_by_policy", "The number to ring has changed since the call was planned.")
    if known.callee.do_not_call or known.rung.do_not_call:
        return DialRefused(attempt, "do_not_call", "The owner of this number does not want Floyd to call.")
    for number in (known.target.meant, known.target.rung):
        allowed = hours.next_allowed(number.e164, now)
        if allowed is None:
            return DialRefused(attempt, "refused_by_policy", "Nobody knows what time it is where this number rings.")
        if allowed > now:
            return Postponed(attempt, allowed, "It is too early or too late to ring there now.")
    today = [at for at in known.callee.calls if now - at < DAY]
    if len(today) >= limits.get("callee_day", CALLS_PER_DAY):
        return DialRefused(attempt, "refused_by_policy", "This number has been called too often today.")
    burst = [at for at in today if now - at < BURST]
    if len(burst) >= limits.get("callee_burst", CALLS_PER_BURST):
        return Postponed(attempt, min(burst) + BURST, "This number has been called often in the last minutes.")
    return None


async def dial_call(uid: str, rid: str, attempt: int, parts: Parts) -> str:
    """Act on one intent to ring. Returns a word for the log; safe to call any number of times, from anywhere.

    Raises what the store raises; an attempt that ends so is taken up again by the sweeper, under a new number.
    """
    store, now = parts.store, parts.now
    try:
        errand = await store.load(uid, rid, attempt=attempt)
    except NotFoundError:
        return "gone"
    if (why := decide(errand, DialClaimed(attempt), now).ignored) is not None:
        return why
    holder = line_holder(uid, rid, attempt)
    # One dialler per attempt: a copy of the event, or a racer, ends here. If this one dies, the sweeper notices.
    if not await store.first_delivery(f"dial-{holder}", now):
        return "in other hands"
    known = await _circumstances(errand, parts)
    stop = judge_call(errand, known, now)
    if stop is None:
        assert isinstance(known.target, Target)
        limit_s = talk_limit_s(known.person)
        line = Line(
            caller=parts.settings.floyd_caller_number,
            to=known.target.rung.e164,
            holder=holder,
            uid=uid,
            rid=rid,
            attempt=attempt,
            until=now + timedelta(seconds=RING_LIMIT_S + limit_s) + LOCK_MARGIN,
            day=day_of(now),
            amount=str(DOLLARS_PER_MINUTE * limit_s / 60),
        )
        result = await _Ringing(errand, known.target, line, limit_s, parts).with_a_line()
        if isinstance(result, str):
            return result
        stop = result
    await store.move(uid, rid, stop)
    return stop.message if isinstance(stop, DialRefused) else stop.reason


async def _circumstances(errand: Errand, parts: Parts) -> Circumstances:
    store = parts.store
    person, switch = await asyncio.gather(store.person(errand.uid), store.switch())
    target = find_target(errand.request, person, parts.settings)
    if isinstance(target, Refusal):
        return Circumstances(target, person, switch, Callee(), Callee())
    callee, rung = await asyncio.gather(store.callee_at(target.meant.e164), store.callee_at(target.rung.e164))
    return Circumstances(target, person, switch, callee, rung)


@dataclass(frozen=True, slots=True)
class _Ringing:
    """One attempt that may be placed, on its way to the carrier."""

    errand: Errand
    target: Target
    line: Line
    limit_s: int
    parts: Parts

    async def with_a_line(self) -> DialRefused | Postponed | str:
        """Take a line and place the call; a word for the log, or what to report when it was certainly not placed."""
        line, parts = self.line, self.parts
        no_line = await parts.store.take_line(
            line, max_calls=parts.settings.floyd_max_calls, day_limit=parts.settings.floyd_daily_spend
        )
        if no_line == "money_spent":
            return DialRefused(line.attempt, "cost_limit", "A call could cost more than is left of today's limit.")
        if no_line is not None:
            return self._later(SOON, _NO_LINE[no_line])
        kept = False
        try:
            words = await self._to_a_relay()
            if words is None:
                return self._later(SOON, "No relay is free to hold the call.")
            claimed = await parts.store.move(line.uid, line.rid, DialClaimed(line.attempt))
            if claimed.ignored is not None:
                return claimed.ignored
            # From here on a call may exist, so the line is freed only by who knows that none does.
            kept = True
            placed = await parts.carrier.place_call(
                to=line.to,
                from_=line.caller,
                twiml=words,
                status_callback=carrier_url(self.errand, "status", parts),
                talk_limit_s=self.limit_s,
            )
            stop = await self._report(placed)
            kept = stop is None
            return stop or "rings"
        finally:
            if not kept:
                await parts.store.release_line(line.caller, line.to, line.holder)

    async def _to_a_relay(self) -> str | None:
        """Everything that can be done before the claim: a room, a token, the ledger; the call's instructions."""
        line, parts = self.line, self.parts
        assert self.errand.call is not None
        assert self.errand.call.not_after is not None
        try:
            url = await find_room(line.holder, parts)
        except VendorError as error:
            log.warning("no relay: %s", error)
            return None
        if url is None:
            return None
        await parts.store.note_line(line.model_copy(update={"relay_url": url}))
        for number in {self.target.meant.e164, self.target.rung.e164}:
            await parts.store.note_ring(number, line.uid, parts.now)
        # The call may wait in the carrier's queue until not_after, and rings only then.
        not_after = self.errand.call.not_after + timedelta(seconds=2 * RING_LIMIT_S)
        return await stream_twiml(self.errand, url, parts, not_after=not_after)

    async def _report(self, placed: Placed) -> DialRefused | Postponed | None:
        """Write down what the carrier said; what to say when it certainly placed no call."""
        line, store = self.line, self.parts.store
        match placed:
            case PlacedCall(sid):
                moved = await store.move(line.uid, line.rid, Posted(line.attempt, sid))
                if moved.answer in ("cancel_other", "end_call"):
                    await self.parts.carrier.cancel_call(sid)
                return None
            case MaybePlaced(message):
                log.warning("the carrier's answer is unknown: %s", message)
                await store.move(line.uid, line.rid, PostUnknown(line.attempt))
                await self._look_for_it()
                return None
            case NotSent(message):
                log.warning("the carrier cannot be reached: %s", message)
                return self._later(UNREACHABLE, "The phone network cannot be reached.")
            case CallRefused(code, message):
                log.warning("the carrier refused the call: %s %s", code, message)
                if placed.later:
                    return self._later(CARRIER_BUSY, "The phone network takes no more calls right now.")
                refused = f"The phone network refused the call (error {code})."
                return DialRefused(line.attempt, category_of(code), refused)

    async def _look_for_it(self) -> None:
        """Adopt the call that a lost answer was about, or order again when the carrier has none. Else the sweeper will.

        If the first order's call appears later all the same, its first report has it cancelled before it rings.
        """
        line, parts = self.line, self.parts
        errand = await parts.store.load(line.uid, line.rid, attempt=line.attempt)
        if errand.call is None or errand.request.attempt != line.attempt:
            return
        if await ask_carrier(errand, errand.call, parts, looks_s=LOOKS_S) == "absent":
            await order_again(errand, parts)

    def _later(self, wait: timedelta, reason: str) -> Postponed:
        return Postponed(self.line.attempt, self.parts.now + wait, reason)


async def order_again(errand: Errand, parts: Parts, now: datetime | None = None) -> str | None:
    """The carrier has no call for this order: free its line, and intend to ring again if the lifecycle agrees.

    Returns why nothing changed, or None. Without `now` the store's clock decides.
    """
    moved = await parts.store.move(errand.uid, errand.rid, Swept("absent", errand.request.attempt), now)
    if moved.ignored is not None or errand.call is None:
        return moved.ignored
    # Not before the move: as long as this order may exist, no other call may share its numbers.
    holder = line_holder(errand.uid, errand.rid, errand.request.attempt)
    await parts.store.release_line(errand.call.from_, errand.call.to, holder)
    if moved.errand.request.status is Status.READY:
        await intend_call(errand.uid, errand.rid, moved.errand.request, parts, now)
    return None


def category_of(code: int) -> Category:
    """What a definite refusal by the carrier means for the person."""
    if code in NUMBER_INVALID:
        return "number_invalid"
    return "refused_by_policy" if code in NUMBER_FORBIDDEN else "vendor_failed"
