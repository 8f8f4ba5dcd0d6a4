"""Phone lines: what one call takes up from before it is placed until it is over, and who was rung how often.

A line is the right to be the only call from one number to another, one of the deployment's live calls, a share of the
day's money, and a room at a relay. `dial_locks/{hash of both numbers}` names its holder; `spend/{day}` counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from google.api_core.exceptions import NotFound
from google.cloud.firestore import FieldFilter

from floyd.errors import LostGuardError
from floyd.store.connection import LOST_GUARD, ONCE, Fields, fields_of, name_of, read_time
from floyd.store.operations import Callee, Line, Operations

# Enough to judge how often a number was called lately.
CALLS_KEPT = 20
# Removed per kind and pass: more would keep the sweeper from its other work.
REMOVED_AT_ONCE = 200
# A relay silent this long, with nothing live, is gone for good.
RELAY_FORGOTTEN = timedelta(days=1)

NoLine = Literal["number_busy", "lines_busy", "money_held", "money_spent"]


def line_name(caller: str, to: str) -> str:
    """The document name of the line between two numbers (E.164)."""
    return name_of(caller, to)


def line_holder(uid: str, rid: str, attempt: int, epoch: int = 1) -> str:
    """The name of an attempt as the holder of a line, and of the room for its stream of this epoch."""
    return f"{name_of(uid, rid)[:20]}-{attempt}" + (f"-{epoch}" if epoch > 1 else "")


class Lines(Operations):
    async def take_line(self, line: Line, *, max_calls: int, day_limit: Decimal) -> NoLine | None:
        """Take a line, or say why there is none. Of any number of racers at most `max_calls` hold one at a time."""
        if not await self._lock(line):
            return "number_busy"
        refused: NoLine | None = None

        def change(fields: Fields, now: datetime) -> Fields | None:
            nonlocal refused
            held = _unexpired(fields.get("held", {}), now)
            spent = Decimal(fields.get("amount", "0"))
            promised = sum((Decimal(each["amount"]) for each in held.values()), Decimal(0))
            if spent + Decimal(line.amount) > day_limit:
                refused = "money_spent"
            elif spent + promised + Decimal(line.amount) > day_limit:
                refused = "money_held"
            else:
                refused = "lines_busy" if len(held) + yesterday >= max_calls else None
            held[line.holder] = {"amount": line.amount, "until": line.until}
            return {"held": held, "amount": str(spent), "currency": "USD"} if refused is None else None

        yesterday = await self._held_before(line.day)
        try:
            if await self.change(f"spend/{line.day}", change):
                return None
        except LostGuardError:
            refused = "lines_busy"
        await self._unlock(line.caller, line.to, line.holder)
        return refused

    async def release_line(self, caller: str, to: str, holder: str, *, cost: Decimal = Decimal(0)) -> bool:
        """Give a line back and enter what the call cost; False when this holder has it no more. Safe to repeat."""
        line = await self._unlock(caller, to, holder)
        if line is None:
            return False

        def change(fields: Fields, now: datetime) -> Fields | None:
            held = dict(fields.get("held", {}))
            held.pop(holder, None)
            amount = Decimal(fields.get("amount", "0")) + cost
            return {"held": held, "amount": str(amount), "currency": "USD"}

        await self.change(f"spend/{line.day}", change)
        if line.relay_url:
            await self.free_room(line.relay_url, holder)
        return True

    async def note_line(self, line: Line) -> None:
        lock = self.document(f"dial_locks/{line_name(line.caller, line.to)}")
        await lock.update({"relay_url": line.relay_url}, **ONCE)

    async def lines(self) -> list[Line]:
        """All lines that are held, or whose holder vanished."""
        return [line for _, line in await self.all("dial_locks", Line)]

    async def note_ring(self, number: str, uid: str, at: datetime) -> None:
        """Enter a call into the ledger of this number, which counts over all people."""
        await self._change_callee(number, lambda known: {"calls": [*known.calls, at][-CALLS_KEPT:], "last_uid": uid})

    async def set_do_not_call(self, number: str, forbidden: bool, now: datetime) -> None:
        """The owner of the number wants never to be called or texted again, or takes that back."""
        wish = {"do_not_call": forbidden, "no_texts": forbidden, "do_not_call_at": now if forbidden else None}
        await self._change_callee(number, lambda _: wish)

    async def set_no_texts(self, number: str, stopped: bool) -> None:
        await self._change_callee(number, lambda _: {"no_texts": stopped})

    async def note_asked(self, number: str, questions: list[str]) -> None:
        """Remember which questions, as `rid/question`, the last numbered text listed."""
        await self._change_callee(number, lambda _: {"asked": questions})

    async def callee_at(self, number: str) -> Callee:
        return await self.get(f"callees/{name_of(number)}", Callee) or Callee()

    async def remove_expired(self, now: datetime) -> int:
        """Remove what has outlived its use: tokens, delivery marks, prepared sound, lines, forgotten relays."""
        removed = 0
        for collection, field, moment in (
            ("stream_tokens", "not_after", now),
            ("deliveries", "expires_at", now),
            ("speech", "expires_at", now),
            ("dial_locks", "until", now),
            ("relays", "beat_at", now - RELAY_FORGOTTEN),
        ):
            expired = FieldFilter(field, "<", moment)
            query = self.client.collection(collection).where(filter=expired).limit(REMOVED_AT_ONCE)
            batch = self.client.batch()
            for snapshot in await self.found(query):
                # Guarded: what was taken over or beat again meanwhile stays, and so does the rest until the next pass.
                batch.delete(snapshot.reference, option=self.unchanged(snapshot))
            with suppress(*LOST_GUARD):
                removed += len(await batch.commit(**ONCE)) if len(batch) else 0
        return removed

    async def _change_callee(self, number: str, change: Callable[[Callee], Fields]) -> None:
        await self.change(f"callees/{name_of(number)}", lambda fields, _: change(Callee.from_store(fields)))

    async def _lock(self, line: Line) -> bool:
        def change(fields: Fields, now: datetime) -> Fields | None:
            return None if fields and fields["until"] > now else line.to_store()

        return await self.change(f"dial_locks/{line_name(line.caller, line.to)}", change)

    async def _unlock(self, caller: str, to: str, holder: str) -> Line | None:
        """Remove the holder's lock and return it; None when it is another's or gone.

        Whoever removes it settles the call: a copy finds nothing, and cannot enter the cost again.
        """
        snapshot = await self.read(f"dial_locks/{line_name(caller, to)}")
        line = Line.from_store(fields_of(snapshot)) if snapshot.exists else None
        if line is None or line.holder != holder:
            return None
        try:
            await snapshot.reference.delete(option=self.unchanged(snapshot), **ONCE)
        except (*LOST_GUARD, NotFound):
            return None
        return line

    async def _held_before(self, day: str) -> int:
        """Calls of the day before that still hold a line; nobody takes new ones there, so a plain read is enough."""
        before = (datetime.fromisoformat(day) - timedelta(days=1)).date().isoformat()
        snapshot = await self.read(f"spend/{before}")
        return len(_unexpired(fields_of(snapshot).get("held", {}), read_time(snapshot)))


def day_of(now: datetime) -> str:
    """The name of the day's ledger: the date in UTC."""
    return now.astimezone(UTC).date().isoformat()


def _unexpired(held: Mapping[str, Any], now: datetime) -> Fields:
    return {holder: each for holder, each in held.items() if each["until"] > now}
