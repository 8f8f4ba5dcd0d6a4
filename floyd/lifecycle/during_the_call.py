"""From the intent to ring until the carrier and the relay say that it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from floyd.documents import BEFORE_DIALING, CALL_ENDED, LIVE, TERMINAL, Call, CallStatus, Status
from floyd.lifecycle import limits
from floyd.lifecycle.errand import CALL_RANK, CallEvent, Decision, Errand, Event
from floyd.plans import Category, Outcome

# Why a call ended, when only the carrier's final status tells: else the line failed.
_REASON_OF: dict[CallStatus, Category] = {
    CallStatus.BUSY: "busy",
    CallStatus.NO_ANSWER: "no_answer",
    CallStatus.CANCELED: "cancelled",
}
# The same in words, for a call of which nothing was known for long.
_CONFIRMED: dict[Category, str] = {
    "busy": "The line was busy; nobody was spoken to.",
    "no_answer": "It rang, and nobody answered.",
    "cancelled": "The call was cancelled before anybody was spoken to.",
    "line_failed": "The carrier reports that the call ended without a conversation.",
}
CANCELLED = Outcome(category="cancelled", summary="You cancelled this request.")


@dataclass(frozen=True, slots=True)
class CancelRequested(Event):
    """The person no longer wants the call: it stops at once while no phone can have rung, later it must be ended."""

    def decide(self, errand: Errand, now: datetime) -> Decision:
        request, call = errand.request, errand.call
        if request.status in TERMINAL or request.status is Status.WRAPPING:
            return errand.ignore(f"too late: {request.status.value}", request.status.value)
        unrung = request.status is Status.DIALING and call is not None and call.status is CallStatus.INTENDED
        if request.status in BEFORE_DIALING or unrung:
            closed = errand.close_call("cancelled", now) if unrung else {}
            return errand.end(CANCELLED, now, answer="cancelled", updates=closed)
        if request.cancel_requested_at is not None:
            return errand.ignore("cancelled already", "end_call")
        return errand.move(cancel_requested_at=now, answer="end_call")


@dataclass(frozen=True, slots=True)
class DialDue(Event):
    """It is time to ring `to` from `from_`, both E.164: creating the call's document makes the dialler act."""

    to: str
    from_: str

    def decide(self, errand: Errand, now: datetime) -> Decision:
        request = errand.request
        if request.status is not Status.READY:
            return errand.ignore(f"not ready: {request.status.value}")
        if request.not_before is not None and now < request.not_before:
            return errand.ignore("not yet")
        return _intend(errand, self.to, self.from_, now)


def _intend(errand: Errand, to: str, from_: str, now: datetime, **fields: Any) -> Decision:
    moments = {"created_at": now, "not_after": now + limits.DIAL_WINDOW}
    call = Call.model_validate({"to": to, "from": from_, "epoch": 1} | moments)
    create = {f"calls/{fields.get('attempt', errand.request.attempt)}": call}
    moved = errand.move(Status.DIALING, deadline=now + limits.HINT, creates=create, **fields)
    after = Errand(errand.uid, errand.rid, moved.errand.request, call)
    return Decision(after, moved.creates, moved.updates)


def intend_again(errand: Errand, call: Call, now: datetime) -> Decision:
    """The trigger of an intent was lost and nobody claimed it: the same intent as a fresh attempt."""
    request = errand.request
    changed = {"attempt": request.attempt + 1, "hints": request.hints + 1}
    return _intend(errand, call.to, call.from_, now, updates=errand.close_call("never_claimed", now), **changed)


@dataclass(frozen=True, slots=True)
class DialClaimed(CallEvent):
    """A dialler wants to be the one that rings. Only after an accepted claim may it talk to the carrier.

    One claim succeeds per attempt, and none after a confirmed cancel or when the intent is old.
    """

    def apply(self, errand: Errand, call: Call, now: datetime) -> Decision:
        if errand.request.status is not Status.DIALING or call.status is not CallStatus.INTENDED:
            return errand.ignore("claimed already")
        if errand.request.cancel_requested_at is not None:
            return errand.ignore("cancelled")
        if call.not_after is not None and now > call.not_after:
            return errand.ignore("the intent is too old")
        return errand.move(call={"status": CallStatus.POSTING}, deadline=now + limits.RING_LIMIT)


def _has_rung(errand: Errand, call: Call) -> bool:
    """Whether a phone may have rung, whatever somebody says now."""
    unrung = call.sid is None and call.status in (CallStatus.INTENDED, CallStatus.POSTING)
    return errand.request.status is not Status.DIALING or not unrung


@dataclass(frozen=True, slots=True)
class DialRefused(CallEvent):
    """Code or the carrier definitely refused to place the call; the phone has not rung."""

    category: Category
    message: str

    def apply(self, errand: Errand, call: Call, now: datetime) -> Decision:
        if _has_rung(errand, call):
            return errand.ignore("a call exists")
        closed = {"status": CallStatus.REFUSED, "end_reason": self.category, "ended_at": now}
        return errand.end(Outcome(category=self.category, summary=self.message), now, call=closed)


@dataclass(frozen=True, slots=True)
class Postponed(CallEvent):
    """The call may not be placed yet (quiet hours, no room, dialling stopped); the phone has not rung.

    An intent that was written already is closed, and the next attempt carries the errand on.
    """

    until: datetime
    reason: str

    def decide(self, errand: Errand, now: datetime) -> Decision:
        if errand.request.status is Status.READY and self.attempt == errand.request.attempt:
            return errand.move(not_before=self.until, deadline=self.until + limits.HINT, status_reason=self.reason)
        return CallEvent.decide(self, errand, now)

    def apply(self, errand: Errand, call: Call, now: datetime) -> Decision:
        if _has_rung(errand, call):
            return errand.ignore("a call exists")
        if errand.request.cancel_requested_at is not None:
            return errand.end(CANCELLED, now, updates=errand.close_call("cancelled", now))
        return errand.ready_again(self.until, self.reason, updates=errand.close_call("postponed", now))


@dataclass(frozen=True, slots=True)
class Posted(CallEvent):
    """The carrier accepted the call under this id. Whoever says so carries out a wish to cancel that came meanwhile."""

    sid: str

    @property
    def if_stale(self) -> str:
        return "cancel_other"

    def apply(self, errand: Errand, call: Call, now: datetime) -> Decision:
        unwanted = errand.request.cancel_requested_at is not None or errand.request.status in TERMINAL
        wanted = "end_call" if unwanted else None
        if call.sid is not None and call.sid != self.sid:
            return errand.ignore("another call was first", "cancel_other")
        if call.sid == self.sid or call.status in CALL_ENDED:
            return errand.ignore("known already", wanted)
        changed = {"sid": self.sid, "status": max(call.status, CallStatus.QUEUED, key=CALL_RANK.__getitem__)}
        return errand.move(call=changed, deadline=max(errand.request.deadline, now + limits.RING_LIMIT), answer=wanted)


@dataclass(frozen=True, slots=True)
class PostUnknown(CallEvent):
    """The carrier was asked to ring and its answer was lost: a call may exist."""

    def apply(self, errand: Errand, call: Call, now: datetime) -> Decision:
        if call.status is not CallStatus.POSTING:
            return errand.ignore("evidence came first")
        return errand.move(call={"status": CallStatus.UNKNOWN}, deadline=now + limits.ABSENT_AFTER)


@dataclass(frozen=True, slots=True)
class CarrierProgress(CallEvent):
    """Signed evidence from the carrier, in any order and any number of copies: only a higher rank counts.

    The first call id of an attempt is the call.
    """

    sid: str
    status: CallStatus
    duration_s: int | None = None

    @property
    def if_stale(self) -> str | None:
        return None if self.status in CALL_ENDED else "cancel_other"

    def apply(self, errand: Errand, call: Call, now: datetime) -> Decision:
        request, final = errand.request, self.status in CALL_ENDED
        if call.sid is not None and call.sid != self.sid:
            return errand.ignore("another call was first", self.if_stale)
        if request.status is Status.UNCONFIRMED:
            return self._confirm(errand, now)
        if request.status in TERMINAL:
            return errand.ignore("ended already", None if final else "end_call")
        if call.sid == self.sid and CALL_RANK[self.status] <= CALL_RANK[call.status]:
            return errand.ignore("known already")
        changed: dict[str, Any] = {"sid": self.sid, "status": max(call.status, self.status, key=CALL_RANK.__getitem__)}
        if self.status is CallStatus.IN_PROGRESS:
            changed["answered_at"] = call.answered_at or now
        if final:
            changed["ended_at"] = now
            if request.status is Status.TALKING:  # The relay holds it; its own account follows within seconds.
                return errand.move(call=changed, deadline=now + limits.RELAY_GRACE)
            if call.end_reason is not None:  # What the call came to is being worked out, or already known.
                return errand.move(call=changed)
            return errand.wrap_up(_REASON_OF.get(self.status, "line_failed"), now, **changed)
        wanted = "end_call" if request.cancel_requested_at is not None else None
        if self.status in (CallStatus.RINGING, CallStatus.IN_PROGRESS) and request.status is Status.DIALING:
            return errand.move(Status.RINGING, call=changed, deadline=now + limits.RING_LIMIT, answer=wanted)
        return errand.move(call=changed, deadline=max(request.deadline, now + limits.RING_LIMIT), answer=wanted)

    def _confirm(self, errand: Errand, now: datetime) -> Decision:
        """The one way out of `unconfirmed` without the person."""
        if self.status not in CALL_ENDED:
            return errand.ignore("not ended yet", "end_call")
        cancelled = errand.request.cancel_requested_at is not None
        reason: Category = "cancelled" if cancelled else _REASON_OF.get(self.status, "line_failed")
        call = {"sid": self.sid, "status": self.status, "ended_at": now, "end_reason": reason}
        return errand.end(Outcome(category=reason, summary=_CONFIRMED[reason]), now, call=call)


def _wanted(errand: Errand, call: Call) -> bool:
    request = errand.request
    return request.status in LIVE and request.cancel_requested_at is None and call.status not in CALL_ENDED


@dataclass(frozen=True, slots=True)
class ResumeGranted(CallEvent):
    """The stream broke and the carrier asks what to do: one more stream, whose epoch shuts the old one out."""

    def apply(self, errand: Errand, call: Call, now: datetime) -> Decision:
        if not _wanted(errand, call):
            return errand.ignore("the call is not wanted any more")
        if call.hops >= limits.MAX_HOPS:
            return errand.ignore("the line broke too often")
        return errand.move(call={"hops": call.hops + 1, "epoch": call.epoch + 1})


@dataclass(frozen=True, slots=True)
class StreamStarted(CallEvent):
    """A relay holds the call's sound, with a token of this epoch. It may speak only if this is accepted."""

    relay_url: str
    epoch: int

    def apply(self, errand: Errand, call: Call, now: datetime) -> Decision:
        if self.epoch != call.epoch:
            return errand.ignore("another epoch")
        if not _wanted(errand, call):
            return errand.ignore("the call is not wanted any more")
        # Wanted, it has not ended: it is in progress at most.
        status = {"status": CallStatus.IN_PROGRESS}
        changed = status | {"relay_url": self.relay_url, "answered_at": call.answered_at or now}
        if errand.request.status is Status.TALKING:
            return errand.move(call=changed)
        return errand.move(Status.TALKING, call=changed, deadline=now + limits.TALK_LIMIT)


@dataclass(frozen=True, slots=True)
class CallFinished(CallEvent):
    """The conversation is over; `end_reason` is the relay's word for why."""

    end_reason: str

    def apply(self, errand: Errand, call: Call, now: datetime) -> Decision:
        if errand.request.status not in LIVE:
            return errand.ignore(f"not live: {errand.request.status.value}")
        return errand.wrap_up(self.end_reason, now)
