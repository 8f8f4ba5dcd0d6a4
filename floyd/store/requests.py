"""Requests and all that lies below them. Every change of status goes through `move`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.cloud.firestore import DELETE_FIELD, DocumentSnapshot, FieldFilter

from floyd.documents import (
    LIVE,
    TERMINAL,
    Call,
    Document,
    Job,
    JobReason,
    Live,
    Question,
    Request,
    Status,
    Turn,
)
from floyd.errors import ConflictError, LostGuardError, NotFoundError
from floyd.lifecycle import Decision, Errand, Event, decide
from floyd.lifecycle.errand import HINT
from floyd.store.connection import (
    GUARDED_TRIES,
    LOST_GUARD,
    TIMEOUT_S,
    UNCERTAIN,
    Connection,
    fields_of,
    name_of,
    read_time,
)

NOT_ENDED = [status.value for status in Status if status not in TERMINAL]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An errand as read, with what guards a write (`update_time`) and the store's clock (`read_at`)."""

    errand: Errand
    update_time: Any
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """The errand after the decision; `decision.ignored` tells whether nothing happened."""

    errand: Errand
    decision: Decision


def request_path(uid: str, rid: str) -> str:
    return f"users/{uid}/requests/{rid}"


class Requests(Connection):
    """Errands: create, load, move, find."""

    async def create_request(
        self,
        uid: str,
        *,
        text: str,
        idempotency_key: str,
        language: str,
        now: datetime,
        not_before: datetime | None = None,
        dry_run: bool = False,
        trace: str = "",
    ) -> tuple[str, Request, bool]:
        """Write a request and its first job in one commit, once per idempotency key.

        Returns its id, the request as stored, and whether it is new. Raises ConflictError when the key came with
        other text before.
        """
        rid, said = name_of(uid, idempotency_key)[:20], name_of(text)
        request = Request(
            text=text,
            language=language,
            created_at=now,
            deadline=now + HINT,
            not_before=not_before,
            dry_run=dry_run,
            said=said,
            trace=trace,
        )
        batch = self.client.batch()
        batch.create(self.document(request_path(uid, rid)), request.to_store())
        job = Job(reason=JobReason.NEW, created_at=now)
        batch.create(self.document(f"{request_path(uid, rid)}/jobs/new-1"), job.to_store())
        try:
            await batch.commit(retry=None, timeout=TIMEOUT_S)
        except LOST_GUARD:
            known = await self.request(uid, rid)
            if known is None:
                raise
            if known.said != said:
                raise ConflictError("This idempotency_key was used with other text.") from None
            return rid, known, False
        return rid, request, True

    async def known_request(self, uid: str, text: str, idempotency_key: str) -> tuple[str, Request] | None:
        """The request that this idempotency key made before; ConflictError when it was made with other text."""
        rid = name_of(uid, idempotency_key)[:20]
        known = await self.request(uid, rid)
        if known is not None and known.said != name_of(text):
            raise ConflictError("This idempotency_key was used with other text.")
        return None if known is None else (rid, known)

    async def request(self, uid: str, rid: str) -> Request | None:
        snapshot = await self.read(request_path(uid, rid))
        return Request.from_store(fields_of(snapshot)) if snapshot.exists else None

    async def requests_since(self, uid: str, since: datetime) -> int:
        """How many requests this person made after `since`."""
        return await self._count(
            self.client.collection(f"users/{uid}/requests").where(filter=FieldFilter("created_at", ">", since))
        )

    async def load(self, uid: str, rid: str, *, attempt: int = 1, question: str | None = None) -> Snapshot:
        """The request, its present call, and one question if asked for. One round trip if `attempt` was a good guess.

        Raises NotFoundError.
        """
        path = request_path(uid, rid)
        references = [self.document(path), self.document(f"{path}/calls/{attempt}")]
        if question is not None:
            references.append(self.document(f"{path}/questions/{question}"))
        found: dict[str, DocumentSnapshot[Any]] = {}
        async for snapshot in self.client.get_all(references, retry=None, timeout=TIMEOUT_S):
            found[snapshot.reference.path] = snapshot
        head = found[path]
        if not head.exists:
            raise NotFoundError("There is no such request.")
        request = Request.from_store(fields_of(head))
        if request.attempt == attempt:
            call = found[f"{path}/calls/{attempt}"]
        else:
            call = await self.read(f"{path}/calls/{request.attempt}")
        asked = found.get(f"{path}/questions/{question}")
        errand = Errand(
            uid,
            rid,
            request,
            Call.from_store(fields_of(call)) if call.exists else None,
            Question.from_store(fields_of(asked)) if asked is not None and asked.exists else None,
        )
        return Snapshot(errand, head.update_time, read_time(head))

    async def move(self, uid: str, rid: str, event: Event, now: datetime | None = None) -> Moved:
        """Read, decide, and commit everything the decision changes, guarded by the request's update time.

        Without `now` the store's own clock decides. Raises NotFoundError, and LostGuardError after many lost races.
        """
        question: str | None = getattr(event, "question_id", None)
        attempt: int = getattr(event, "attempt", 1)
        for lost in range(GUARDED_TRIES):
            snapshot = await self.load(uid, rid, attempt=attempt, question=question)
            decision = decide(snapshot.errand, event, now or snapshot.read_at)
            if decision.ignored is not None:
                return Moved(snapshot.errand, decision)
            try:
                await self._commit(snapshot, decision)
            except (*LOST_GUARD, *UNCERTAIN):
                attempt = snapshot.errand.request.attempt
                # Jitter parts the racers; it guards no secret.
                await asyncio.sleep(random.uniform(0.005, 0.05) * (lost + 1))  # noqa: S311
                continue
            return Moved(decision.errand, decision)
        raise LostGuardError(f"request {rid}: {GUARDED_TRIES} writes were overtaken")

    async def _commit(self, before: Snapshot, decision: Decision) -> None:
        errand, after = before.errand, decision.errand
        path = request_path(errand.uid, errand.rid)
        batch = self.client.batch()
        guard = self.client.write_option(last_update_time=before.update_time)
        batch.update(self.document(path), changes(errand.request, after.request), option=guard)
        same_call = errand.request.attempt == after.request.attempt
        if same_call and errand.call is not None and after.call is not None and after.call != errand.call:
            reference = self.document(f"{path}/calls/{errand.request.attempt}")
            batch.update(reference, changes(errand.call, after.call))
        for create in decision.creates:
            batch.create(self.document(f"{path}/{create.path}"), create.document.to_store())
        for update in decision.updates:
            batch.update(self.document(f"{path}/{update.path}"), dict(update.fields))
        await batch.commit(retry=None, timeout=TIMEOUT_S)

    async def overdue(self, now: datetime, limit: int = 200) -> list[tuple[str, str, Request]]:
        """Requests of all people whose deadline has passed, oldest first."""
        query = (
            self.client.collection_group("requests")
            .where(filter=FieldFilter("status", "in", NOT_ENDED))
            .where(filter=FieldFilter("deadline", "<=", now))
            .order_by("deadline")
            .limit(limit)
        )
        return [item async for item in self._requests(query)]

    async def live_requests(self, limit: int = 500) -> list[tuple[str, str, Request]]:
        """Requests of all people that hold or may hold a phone line."""
        statuses = [status.value for status in LIVE]
        query = (
            self.client.collection_group("requests").where(filter=FieldFilter("status", "in", statuses)).limit(limit)
        )
        return [item async for item in self._requests(query)]

    async def live_count(self) -> int:
        """How many lines are or may be held."""
        statuses = [status.value for status in LIVE]
        return await self._count(
            self.client.collection_group("requests").where(filter=FieldFilter("status", "in", statuses))
        )

    async def _count(self, query: Any) -> int:
        result = await query.count(alias="n").get(retry=None, timeout=TIMEOUT_S)
        return int(result[0][0].value)

    async def own_requests(self, uid: str, statuses: list[Status], limit: int = 100) -> list[tuple[str, Request]]:
        """One person's requests in these statuses."""
        values = [status.value for status in statuses]
        query = (
            self.client.collection(f"users/{uid}/requests")
            .where(filter=FieldFilter("status", "in", values))
            .limit(limit)
        )
        return [(rid, request) async for _, rid, request in self._requests(query)]

    async def _requests(self, query: Any) -> AsyncIterator[tuple[str, str, Request]]:
        async for snapshot in query.stream(retry=None, timeout=TIMEOUT_S):
            _, uid, _, rid = snapshot.reference.path.split("/")
            yield uid, rid, Request.from_store(snapshot.to_dict())

    async def open_questions(self, uid: str) -> list[tuple[str, str, Question]]:
        """(request, question id, question) for everything this person may still answer, newest first."""
        statuses = [Status.WAITING, *LIVE, Status.WRAPPING]
        found = []
        for rid, request in await self.own_requests(uid, statuses):
            for name in request.open_questions:
                snapshot = await self.read(f"{request_path(uid, rid)}/questions/{name}")
                if snapshot.exists:
                    found.append((rid, name, Question.from_store(fields_of(snapshot))))
        return sorted(found, key=lambda item: str(item[2].created_at), reverse=True)

    async def questions(self, uid: str, rid: str) -> list[tuple[str, Question]]:
        """All questions of a request, oldest first."""
        documents = await self.below(f"{request_path(uid, rid)}/questions")
        known = [(name, Question.from_store(fields)) for name, fields in documents]
        return sorted(known, key=lambda item: str(item[1].created_at))

    async def question(self, uid: str, rid: str, question_id: str) -> Question | None:
        snapshot = await self.read(f"{request_path(uid, rid)}/questions/{question_id}")
        return Question.from_store(fields_of(snapshot)) if snapshot.exists else None

    async def calls(self, uid: str, rid: str) -> list[tuple[int, Call]]:
        """All attempts of a request that were to ring, oldest first."""
        documents = await self.below(f"{request_path(uid, rid)}/calls")
        return sorted((int(name), Call.from_store(fields)) for name, fields in documents)

    async def call(self, uid: str, rid: str, attempt: int) -> Call | None:
        snapshot = await self.read(f"{request_path(uid, rid)}/calls/{attempt}")
        return Call.from_store(fields_of(snapshot)) if snapshot.exists else None

    async def note_call(self, uid: str, rid: str, attempt: int, fields: dict[str, Any]) -> None:
        """Add the relay's measurements (gaps, cost, line) to a call; its status moves only through `move`."""
        reference = self.document(f"{request_path(uid, rid)}/calls/{attempt}")
        await reference.update(fields, retry=None, timeout=TIMEOUT_S)

    async def job(self, uid: str, rid: str, job_id: str) -> Job | None:
        snapshot = await self.read(f"{request_path(uid, rid)}/jobs/{job_id}")
        return Job.from_store(fields_of(snapshot)) if snapshot.exists else None

    async def add_turn(self, uid: str, rid: str, seq: int, turn: Turn) -> bool:
        """Keep a finished turn; False when it is there already, so a retry is harmless."""
        return await self.create(f"{request_path(uid, rid)}/turns/{seq:06d}", turn)

    async def save_turns(self, uid: str, rid: str, turns: Mapping[int, Turn | None], live: Live | None) -> None:
        """Write the newest state of these turns, and of the live view, in one commit. Writing again is harmless.

        None removes a turn that was taken back.
        """
        batch = self.client.batch()
        for seq, turn in turns.items():
            reference = self.document(f"{request_path(uid, rid)}/turns/{seq:06d}")
            if turn is None:
                batch.delete(reference)
            else:
                batch.set(reference, turn.to_store())
        if live is not None:
            batch.set(self.document(f"{request_path(uid, rid)}/live/now"), live.to_store())
        await batch.commit(retry=None, timeout=TIMEOUT_S)

    async def turns(self, uid: str, rid: str, call: int | None = None) -> list[tuple[int, Turn]]:
        """The transcript in order, of one attempt or of all."""
        documents = await self.below(f"{request_path(uid, rid)}/turns")
        known = sorted((int(name), Turn.from_store(fields)) for name, fields in documents)
        return [(seq, turn) for seq, turn in known if call is None or turn.call == call]

    async def show_live(self, uid: str, rid: str, live: Live) -> None:
        """The newest interim words; the caller keeps to one write a second."""
        await self.put(f"{request_path(uid, rid)}/live/now", live)

    async def add_event(self, uid: str, rid: str, name: str, fields: dict[str, Any]) -> bool:
        """A remark below the request that changes nothing (late evidence, a proposed fact); once per name."""
        return await self.create(f"{request_path(uid, rid)}/events/{name}", {"v": 1, **fields})

    async def below(self, collection: str) -> list[tuple[str, dict[str, Any]]]:
        """All documents of one collection."""
        query = self.client.collection(collection)
        return [(item.id, item.to_dict() or {}) async for item in query.stream(retry=None, timeout=TIMEOUT_S)]


def changes(before: Document, after: Document) -> dict[str, Any]:
    """The stored fields that differ; a value that is gone becomes a deletion."""
    old, new = before.to_store(), after.to_store()
    changed = {name: value for name, value in new.items() if name not in old or old[name] != value}
    return changed | dict.fromkeys(old.keys() - new.keys(), DELETE_FIELD)
