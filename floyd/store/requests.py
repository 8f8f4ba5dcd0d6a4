"""Requests and all that lies below them. Every change of status goes through `move`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.cloud.firestore import DELETE_FIELD, DocumentSnapshot, FieldFilter

from floyd import logs
from floyd.documents import LIVE, TERMINAL, Call, Document, Job, JobReason, Live, Question, Request, Status, Turn
from floyd.errors import ConflictError, LostGuardError, NotFoundError
from floyd.lifecycle import Decision, Errand, Event, decide
from floyd.lifecycle.errand import HINT
from floyd.store import canonical
from floyd.store.connection import LOST_GUARD, TIMEOUT_S, UNCERTAIN, Connection, fields_of, name_of, pause, read_time

MOVE_TRIES = 8


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
        rid = name_of(uid, idempotency_key)[:20]
        request = Request(
            text=text,
            language=language,
            created_at=now,
            deadline=now + HINT,
            not_before=not_before,
            dry_run=dry_run,
            said=name_of(text),
            trace=trace,
        )
        batch = self.client.batch()
        batch.create(self.document(request_path(uid, rid)), request.to_store())
        job = Job(reason=JobReason.NEW, created_at=now)
        batch.create(self.document(f"{request_path(uid, rid)}/jobs/new-1"), job.to_store())
        try:
            await batch.commit(retry=None, timeout=TIMEOUT_S)
        except LOST_GUARD:
            known = await self.known_request(uid, text, idempotency_key)
            if known is None:
                raise
            return *known, False
        return rid, request, True

    async def known_request(self, uid: str, text: str, idempotency_key: str) -> tuple[str, Request] | None:
        """The request that this idempotency key made before; ConflictError when it was made with other text."""
        rid = name_of(uid, idempotency_key)[:20]
        known = await self.request(uid, rid)
        if known is not None and known.said != name_of(text):
            raise ConflictError("This idempotency_key was used with other text.")
        return None if known is None else (rid, known)

    async def request(self, uid: str, rid: str) -> Request | None:
        return await self.get(request_path(uid, rid), Request)

    async def requests_since(self, uid: str, since: datetime) -> int:
        """How many requests this person made after `since`."""
        made: Any = self.client.collection(f"users/{uid}/requests")
        result = (
            await made.where(filter=FieldFilter("created_at", ">", since))
            .count(alias="n")
            .get(retry=None, timeout=TIMEOUT_S)
        )
        return int(result[0][0].value)

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
        logs.trace.set(request.trace)  # From here on whoever asked works for this request.
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
        attempt: int = getattr(event, "attempt", None) or 1
        for lost in range(MOVE_TRIES):
            snapshot = await self.load(uid, rid, attempt=attempt, question=question)
            at = now or snapshot.read_at
            decision = decide(snapshot.errand, event, at)
            if decision.ignored is not None:
                return Moved(snapshot.errand, decision)
            try:
                await self._commit(snapshot, decision)
            except (*LOST_GUARD, *UNCERTAIN):
                attempt = snapshot.errand.request.attempt
                await pause(lost)
                continue
            canonical.tell(snapshot.errand, decision, at)
            return Moved(decision.errand, decision)
        raise LostGuardError(f"request {rid}: {MOVE_TRIES} writes were overtaken")

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
        query = self.client.collection_group("requests").where(filter=_among(set(Status) - TERMINAL))
        query = query.where(filter=FieldFilter("deadline", "<=", now)).order_by("deadline").limit(limit)
        return await self._requests(query)

    async def due_to_ring(self, now: datetime) -> list[tuple[str, str, Request]]:
        """Ready requests whose moment has come."""
        # A ready request's deadline lies HINT after the moment when it is due.
        return [
            item
            for item in await self.overdue(now + HINT)
            if item[2].status is Status.READY and (item[2].not_before is None or item[2].not_before <= now)
        ]

    async def live_requests(self, limit: int = 500) -> list[tuple[str, str, Request]]:
        """Requests of all people that hold or may hold a phone line."""
        return await self._requests(self.client.collection_group("requests").where(filter=_among(LIVE)).limit(limit))

    async def own_requests(self, uid: str, statuses: Iterable[Status], limit: int = 100) -> list[tuple[str, Request]]:
        """One person's requests in these statuses."""
        query = self.client.collection(f"users/{uid}/requests").where(filter=_among(statuses)).limit(limit)
        return [(rid, request) for _, rid, request in await self._requests(query)]

    async def _requests(self, query: Any) -> list[tuple[str, str, Request]]:
        found = []
        async for snapshot in query.stream(retry=None, timeout=TIMEOUT_S):
            _, uid, _, rid = snapshot.reference.path.split("/")
            found.append((uid, rid, Request.from_store(snapshot.to_dict())))
        return found

    async def open_questions(self, uid: str) -> list[tuple[str, str, Question]]:
        """(request, question id, question) for everything this person may still answer, newest first."""
        found = []
        for rid, request in await self.own_requests(uid, {Status.WAITING, *LIVE, Status.WRAPPING}):
            for name in request.open_questions:
                if question := await self.question(uid, rid, name):
                    found.append((rid, name, question))
        return sorted(found, key=lambda item: str(item[2].created_at), reverse=True)

    async def questions(self, uid: str, rid: str) -> list[tuple[str, Question]]:
        """All questions of a request, oldest first."""
        known = await self.all(f"{request_path(uid, rid)}/questions", Question)
        return sorted(known, key=lambda item: str(item[1].created_at))

    async def question(self, uid: str, rid: str, question_id: str) -> Question | None:
        return await self.get(f"{request_path(uid, rid)}/questions/{question_id}", Question)

    async def calls(self, uid: str, rid: str) -> list[tuple[int, Call]]:
        """All attempts of a request that were to ring, oldest first."""
        return sorted((int(name), call) for name, call in await self.all(f"{request_path(uid, rid)}/calls", Call))

    async def call(self, uid: str, rid: str, attempt: int) -> Call | None:
        return await self.get(f"{request_path(uid, rid)}/calls/{attempt}", Call)

    async def note_call(self, uid: str, rid: str, attempt: int, fields: dict[str, Any]) -> None:
        """Add the relay's measurements (gaps, cost, line) to a call; its status moves only through `move`."""
        reference = self.document(f"{request_path(uid, rid)}/calls/{attempt}")
        await reference.update(fields, retry=None, timeout=TIMEOUT_S)

    async def job(self, uid: str, rid: str, job_id: str) -> Job | None:
        return await self.get(f"{request_path(uid, rid)}/jobs/{job_id}", Job)

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
        known = await self.all(f"{request_path(uid, rid)}/turns", Turn)
        return [(int(name), turn) for name, turn in known if call is None or turn.call == call]


def _among(statuses: Iterable[Status]) -> FieldFilter:
    return FieldFilter("status", "in", sorted(status.value for status in statuses))


def changes(before: Document, after: Document) -> dict[str, Any]:
    """The stored fields that differ; a value that is gone becomes a deletion."""
    old, new = before.to_store(), after.to_store()
    changed = {name: value for name, value in new.items() if name not in old or old[name] != value}
    return changed | dict.fromkeys(old.keys() - new.keys(), DELETE_FIELD)
