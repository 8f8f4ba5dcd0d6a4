"""Requests and all that lies below them. Every change of status goes through `move`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from google.cloud.firestore import DELETE_FIELD, DocumentSnapshot, FieldFilter

from floyd import logs
from floyd.documents import LIVE, TERMINAL, Call, Document, Job, JobReason, Live, Question, Request, Status, Turn
from floyd.errors import ConflictError, LostGuardError, NotFoundError
from floyd.lifecycle import Decision, Errand, Event, decide
from floyd.lifecycle.limits import HINT
from floyd.store import canonical
from floyd.store.connection import LOST_GUARD, ONCE, UNCERTAIN, Connection, fields_of, name_of, pause, read_time

MOVE_TRIES = 8


class Taken(NamedTuple):
    """A request with its id; `new` is false when this idempotency key made it before."""

    rid: str
    request: Request
    new: bool


def request_path(uid: str, rid: str) -> str:
    return f"users/{uid}/requests/{rid}"


class Requests(Connection):
    async def create_request(self, uid: str, idempotency_key: str, request: Request) -> Taken:
        """Write a request and its first job in one commit, once per idempotency key.

        Raises ConflictError when the key came with other text before.
        """
        rid, now = name_of(uid, idempotency_key)[:20], request.created_at
        request = request.model_copy(update={"said": name_of(request.text), "deadline": now + HINT})
        batch = self.client.batch()
        batch.create(self.document(request_path(uid, rid)), request.to_store())
        job = Job(reason=JobReason.NEW, created_at=now).to_store() | {"expires_at": now + self.kept}
        batch.create(self.document(f"{request_path(uid, rid)}/jobs/new-1"), job)
        try:
            await batch.commit(**ONCE)
        except LOST_GUARD:
            known = await self.known_request(uid, request.text, idempotency_key)
            if known is None:
                raise
            return known
        return Taken(rid, request, True)

    async def known_request(self, uid: str, text: str, idempotency_key: str) -> Taken | None:
        """The request that this idempotency key made before; ConflictError when it was made with other text."""
        rid = name_of(uid, idempotency_key)[:20]
        known = await self.request(uid, rid)
        if known is not None and known.said != name_of(text):
            raise ConflictError("This idempotency_key was used with other text.")
        return None if known is None else Taken(rid, known, False)

    async def request(self, uid: str, rid: str) -> Request | None:
        return await self.get(request_path(uid, rid), Request)

    async def requests_since(self, uid: str, since: datetime) -> int:
        made: Any = self.client.collection(f"users/{uid}/requests")
        result = await made.where(filter=FieldFilter("created_at", ">", since)).count(alias="n").get(**ONCE)
        return int(result[0][0].value)

    async def load(self, uid: str, rid: str, *, attempt: int = 1) -> Errand:
        """The request and its present call. One round trip if `attempt` was a good guess. Raises NotFoundError."""
        return (await self._load(uid, rid, attempt))[0]

    async def _load(
        self, uid: str, rid: str, attempt: int, question: str | None = None
    ) -> tuple[Errand, DocumentSnapshot[Any]]:
        """The errand, with one question if asked for; and the request's document, which guards a write."""
        path = request_path(uid, rid)
        asked = f"{path}/questions/{question}"
        found = await self.some([path, f"{path}/calls/{attempt}", *([asked] if question else [])])
        head = found[path]
        if not head.exists:
            raise NotFoundError("There is no such request.")
        request = Request.from_store(fields_of(head))
        logs.trace.set(request.trace)  # From here on whoever asked works for this request.
        call = found[f"{path}/calls/{attempt}"]
        if request.attempt != attempt:
            call = await self.read(f"{path}/calls/{request.attempt}")
        open_ = found.get(asked)
        errand = Errand(
            uid,
            rid,
            request,
            Call.from_store(fields_of(call)) if call.exists else None,
            Question.from_store(fields_of(open_)) if open_ is not None and open_.exists else None,
        )
        return errand, head

    async def move(self, uid: str, rid: str, event: Event, now: datetime | None = None) -> Decision:
        """Read, decide, and commit everything the decision changes, guarded by the request's update time.

        Without `now` the store's own clock decides. Raises NotFoundError, and LostGuardError after many lost races.
        """
        question: str | None = getattr(event, "question_id", None)
        attempt: int = getattr(event, "attempt", None) or 1
        for lost in range(MOVE_TRIES):
            errand, head = await self._load(uid, rid, attempt, question)
            at = now or read_time(head)
            decision = decide(errand, event, at)
            if decision.ignored is not None:
                return decision
            try:
                await self._commit(errand, head, decision, at)
            except (*LOST_GUARD, *UNCERTAIN):
                attempt = errand.request.attempt
                await pause(lost)
                continue
            canonical.tell(errand, decision, at)
            return decision
        raise LostGuardError(f"request {rid}: {MOVE_TRIES} writes were overtaken")

    async def _commit(self, errand: Errand, head: DocumentSnapshot[Any], decision: Decision, at: datetime) -> None:
        after, expiry = decision.errand, {"expires_at": at + self.kept}
        path = request_path(errand.uid, errand.rid)
        batch = self.client.batch()
        changed = changes(errand.request, after.request)
        # A request lasts as long as it has not ended, also if it is tried again.
        changed |= expiry if after.request.status in TERMINAL else {"expires_at": DELETE_FIELD}
        batch.update(self.document(path), changed, option=self.unchanged(head))
        same_call = errand.request.attempt == after.request.attempt
        if same_call and errand.call is not None and after.call is not None and after.call != errand.call:
            call = self.document(f"{path}/calls/{errand.request.attempt}")
            batch.update(call, changes(errand.call, after.call))
        for name, document in decision.creates.items():
            batch.create(self.document(f"{path}/{name}"), document.to_store() | expiry)
        for name, fields in decision.updates.items():
            batch.update(self.document(f"{path}/{name}"), dict(fields))
        await batch.commit(**ONCE)

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
        query = self.client.collection(f"users/{uid}/requests").where(filter=_among(statuses)).limit(limit)
        return [(rid, request) for _, rid, request in await self._requests(query)]

    async def _requests(self, query: Any) -> list[tuple[str, str, Request]]:
        found = {tuple(each.reference.path.split("/")): fields_of(each) for each in await self.found(query)}
        return [(uid, rid, Request.from_store(fields)) for (_, uid, _, rid), fields in found.items()]

    async def open_questions(self, uid: str) -> list[tuple[str, str, Question]]:
        """(request, question id, question) for everything this person may still answer, newest first."""
        asking = await self.own_requests(uid, {Status.WAITING, *LIVE, Status.WRAPPING})
        names = [(rid, name) for rid, request in asking for name in request.open_questions]
        found = [(rid, name, await self.question(uid, rid, name)) for rid, name in names]
        known = [(rid, name, question) for rid, name, question in found if question is not None]
        return sorted(known, key=lambda item: str(item[2].created_at), reverse=True)

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
        await reference.update(fields, **ONCE)

    async def job(self, uid: str, rid: str, job_id: str) -> Job | None:
        return await self.get(f"{request_path(uid, rid)}/jobs/{job_id}", Job)

    async def save_turns(self, uid: str, rid: str, turns: Mapping[int, Turn | None], live: Live | None) -> None:
        """Write the newest state of these turns, and of the live view, in one commit. Writing again is harmless.

        None removes a turn that was taken back.
        """
        batch = self.client.batch()
        for seq, turn in turns.items():
            reference = self.document(f"{request_path(uid, rid)}/turns/{seq:06d}")
            batch.delete(reference) if turn is None else batch.set(reference, turn.to_store())
        if live is not None:
            batch.set(self.document(f"{request_path(uid, rid)}/live/now"), live.to_store())
        await batch.commit(**ONCE)

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
