"""Phone lines: what one call takes up from before it is placed until it is over, and who was rung how often.

A line is the right to be the only call from one number to another, one of the deployment's live calls, a share of the
day's money, and a room at a relay. `dial_locks/{hash of both numbers}` names its holder; `spend/{day}` counts.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from google.api_core.exceptions import NotFound
from google.cloud.firestore import FieldFilter

from floyd.documents import Request, Status
from floyd.errors import LostGuardError
from floyd.lifecycle.errand import HINT
from floyd.store.connection import LOST_GUARD, TIMEOUT_S, fields_of, name_of
from floyd.store.operations import CALLS_KEPT, Operations
from floyd.store.records import Callee, Line

# Many calls may begin in the same moment and all count in one document, so more patience than elsewhere.
LINE_TRIES = 40
# Removed per kind and pass: more would keep the sweeper from its other work.
REMOVED_AT_ONCE = 200
# A relay silent this long, with nothing live, is gone for good.
RELAY_FORGOTTEN = timedelta(days=1)

NoLine = Literal["number_busy", "lines_busy", "money_held", "money_spent"]


def line_name(caller: str, to: str) -> str:
    """The document name of the line between two numbers (E.164)."""
    return name_of(caller, to)


def line_holder(uid: str, rid: str, attempt: int) -> str:
    """The name of an attempt as the holder of lines and rooms."""
    return f"{name_of(uid, rid)[:20]}-{attempt}"


class Lines(Operations):
    """Lines and callees."""

    async def take_line(self, line: Line, *, max_calls: int, day_limit: Decimal) -> NoLine | None:
        """Take a line, or say why there is none. Of any number of racers at most `max_calls` hold one at a time."""
        if not await self._lock(line):
            return "number_busy"
        refused: NoLine | None = None

        def change(fields: dict[str, Any] | None, now: datetime) -> dict[str, Any] | None:
            nonlocal refused
            held = _unexpired((fields or {}).get("held", {}), now)
            spent = Decimal((fields or {}).get("amount", "0"))
            promised = sum((Decimal(each["amount"]) for each in held.values()), Decimal(0))
            if spent + Decimal(line.amount) > day_limit:
                refused = "money_spent"
            elif spent + promised + Decimal(line.amount) > day_limit:
                refused = "money_held"
            else:
                refused = "lines_busy" if len(held) + yesterday >= max_calls else None
            if refused is not None:
                return None
            held[line.holder] = {"amount": line.amount, "until": line.until}
            return {"held": held, "amount": str(spent), "currency": "USD"}

        yesterday = await self._held_before(line.day)
        try:
            if await self._patiently(f"spend/{line.day}", change):
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

        def change(fields: dict[str, Any] | None, now: datetime) -> dict[str, Any] | None:
            held = dict((fields or {}).get("held", {}))
            held.pop(holder, None)
            amount = Decimal((fields or {}).get("amount", "0")) + cost
            return {"held": held, "amount": str(amount), "currency": "USD"}

        await self._patiently(f"spend/{line.day}", change)
        if line.relay_url:
            await self.free_room(line.relay_url, holder)
        return True

    async def note_line(self, line: Line) -> None:
        """Remember on the line which relay keeps a room for it."""
        await self.document(f"dial_locks/{line_name(line.caller, line.to)}").update(
            {"relay_url": line.relay_url}, retry=None, timeout=TIMEOUT_S
        )

    async def lines(self) -> list[Line]:
        """All lines that are held, or whose holder vanished."""
        return [Line.from_store(fields) for _, fields in await self.below("dial_locks")]

    async def note_ring(self, number: str, uid: str, at: datetime) -> None:
        """Enter a call into the ledger of this number, which counts over all people."""
        await self._change_callee(number, lambda known: {"calls": [*known.calls, at][-CALLS_KEPT:], "last_uid": uid})

    async def set_do_not_call(self, number: str, forbidden: bool, now: datetime) -> None:
        """The owner of the number wants never to be called or texted again, or takes that back."""
        await self._change_callee(
            number,
            lambda _: {"do_not_call": forbidden, "no_texts": forbidden, "do_not_call_at": now if forbidden else None},
        )

    async def set_no_texts(self, number: str, stopped: bool) -> None:
        """The owner of the number wants no more texts, or wants them again."""
        await self._change_callee(number, lambda _: {"no_texts": stopped})

    async def note_asked(self, number: str, questions: list[str]) -> None:
        """Remember which questions, as `rid/question`, the last numbered text listed."""
        await self._change_callee(number, lambda _: {"asked": questions})

    async def callee_at(self, number: str) -> Callee:
        """What is known of this number (E.164)."""
        return await self.callee(name_of(number))

    async def due_to_ring(self, now: datetime) -> list[tuple[str, str, Request]]:
        """Ready requests whose moment has come."""
        # A ready request's deadline lies HINT after the moment when it is due.
        candidates = await self.overdue(now + HINT)
        return [
            (uid, rid, request)
            for uid, rid, request in candidates
            if request.status is Status.READY and (request.not_before is None or request.not_before <= now)
        ]

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
            async for snapshot in query.stream(retry=None, timeout=TIMEOUT_S):
                # Guarded: what was taken over or beat again meanwhile stays, and so does the rest until the next pass.
                option = self.client.write_option(last_update_time=snapshot.update_time)
                batch.delete(snapshot.reference, option=option)
            if len(batch):
                try:
                    await batch.commit(retry=None, timeout=TIMEOUT_S)
                    removed += len(batch)
                except LOST_GUARD:
                    continue
        return removed

    async def _change_callee(self, number: str, change: Callable[[Callee], dict[str, Any]]) -> None:
        await self._patiently(f"callees/{name_of(number)}", lambda fields, _: change(Callee.from_store(fields)))

    async def _lock(self, line: Line) -> bool:
        def change(fields: dict[str, Any] | None, now: datetime) -> dict[str, Any] | None:
            return None if fields and fields["until"] > now else line.to_store()

        return await self._patiently(f"dial_locks/{line_name(line.caller, line.to)}", change)

    async def _unlock(self, caller: str, to: str, holder: str) -> Line | None:
        """Remove the holder's lock and return it; None when it is another's or gone.

        Whoever removes it settles the call: a copy finds nothing, and cannot enter the cost again.
        """
        snapshot = await self.read(f"dial_locks/{line_name(caller, to)}")
        line = Line.from_store(fields_of(snapshot)) if snapshot.exists else None
        if line is None or line.holder != holder:
            return None
        option = self.client.write_option(last_update_time=snapshot.update_time)
        try:
            await snapshot.reference.delete(option=option, retry=None, timeout=TIMEOUT_S)
        except (*LOST_GUARD, NotFound):
            return None
        return line

    async def _held_before(self, day: str) -> int:
        """Calls of the day before that still hold a line; nobody takes new ones there, so a plain read is enough."""
        before = (datetime.fromisoformat(day) - timedelta(days=1)).date().isoformat()
        snapshot = await self.read(f"spend/{before}")
        assert snapshot.read_time is not None
        return len(_unexpired(fields_of(snapshot).get("held", {}), snapshot.read_time)) if snapshot.exists else 0

    async def _patiently(
        self, path: str, change: Callable[[dict[str, Any] | None, datetime], dict[str, Any] | None]
    ) -> bool:
        """As `_guarded`, for documents that many writers want at once."""
        for lost in range(LINE_TRIES):
            snapshot = await self.read(path)
            assert snapshot.read_time is not None
            fields = change(fields_of(snapshot) if snapshot.exists else None, snapshot.read_time)
            if fields is None:
                return False
            write: Awaitable[bool]
            write = self.replace(snapshot, fields) if snapshot.exists else self.create(path, {"v": 1, **fields})
            if await write:
                return True
            # Jitter parts the racers; it guards no secret.
            await asyncio.sleep(random.uniform(0.005, 0.05) * min(lost + 1, 10))  # noqa: S311
        raise LostGuardError(f"{path}: {LINE_TRIES} writes were overtaken")


def day_of(now: datetime) -> str:
    """The name of the day's ledger: the date in UTC."""
    return now.astimezone(UTC).date().isoformat()


def _unexpired(held: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {holder: each for holder, each in held.items() if each["until"] > now}
