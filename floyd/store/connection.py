"""What every part of the store shares: the client, deadlines, and how a lost guard looks."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from google.api_core import exceptions as google_errors

from floyd.documents import Document
from floyd.errors import LostGuardError
from floyd.settings import KEEP_DAYS

if TYPE_CHECKING:
    from google.cloud.firestore import AsyncClient, AsyncDocumentReference, DocumentSnapshot

# No answer from Firestore takes longer in health; callers have deadlines of their own above this.
TIMEOUT_S = 5.0
# How everything is asked: once, since whoever asks decides about asking again.
ONCE: dict[str, Any] = {"retry": None, "timeout": TIMEOUT_S}
# Somebody else wrote first: read again and decide again. Aborted is contention, the others are preconditions.
LOST_GUARD = (google_errors.FailedPrecondition, google_errors.AlreadyExists, google_errors.Aborted)
# The write may or may not have happened; deciding again finds out.
UNCERTAIN = (google_errors.ServiceUnavailable, google_errors.DeadlineExceeded, google_errors.InternalServerError)
# Many calls may begin in the same moment and all count in one document.
GUARDED_TRIES = 40

D = TypeVar("D", bound=Document)
Fields = dict[str, Any]


def name_of(*parts: str) -> str:
    """A document name from what may not be one (numbers, keys of clients): 40 hexadecimal digits."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:40]


class Connection:
    """A Firestore client with deadlines. The client belongs to the event loop it is used on.

    `keep_days`: Firestore forgets a request so long after its end, and what belongs to it so long after it was written.
    """

    def __init__(self, client: AsyncClient, *, keep_days: int = KEEP_DAYS) -> None:
        self.client = client
        self.kept = timedelta(days=keep_days)

    def document(self, path: str) -> AsyncDocumentReference:
        return self.client.document(path)

    async def read(self, path: str) -> DocumentSnapshot[Any]:
        """One document; `.exists` tells whether it is there."""
        return await self.document(path).get(**ONCE)

    async def get(self, path: str, kind: type[D]) -> D | None:
        snapshot = await self.read(path)
        return kind.from_store(snapshot.to_dict()) if snapshot.exists else None

    async def all(self, collection: str, kind: type[D]) -> list[tuple[str, D]]:
        """All documents of one collection with their names, in order of these."""
        return [(name, kind.from_store(fields)) for name, fields in await self.below(collection)]

    async def below(self, collection: str) -> list[tuple[str, Fields]]:
        """The same, as stored."""
        return [(item.id, fields_of(item)) for item in await self.found(self.client.collection(collection))]

    async def found(self, query: Any) -> list[DocumentSnapshot[Any]]:
        return [snapshot async for snapshot in query.stream(**ONCE)]

    async def some(self, paths: Iterable[str]) -> dict[str, DocumentSnapshot[Any]]:
        """Several documents by path, in one round trip, whether they exist or not."""
        references = [self.document(path) for path in paths]
        return {each.reference.path: each async for each in self.client.get_all(references, **ONCE)}

    def unchanged(self, snapshot: DocumentSnapshot[Any]) -> Any:
        """The condition that nobody has written to this document since it was read."""
        return self.client.write_option(last_update_time=snapshot.update_time)

    async def create(self, path: str, data: Document | dict[str, Any]) -> bool:
        """Write a document that must not exist. False when it does: somebody was first."""
        try:
            await self.document(path).create(_stored(data), **ONCE)
        except google_errors.AlreadyExists:
            return False
        return True

    async def put(self, path: str, data: Document | dict[str, Any], *, merge: bool = False) -> None:
        """Write a document whatever was there."""
        await self.document(path).set(_stored(data), merge=merge, **ONCE)

    async def replace(self, snapshot: DocumentSnapshot[Any], data: dict[str, Any]) -> bool:
        """Change fields of a document if nobody has written to it since `snapshot`. False when somebody has."""
        try:
            await snapshot.reference.update(data, option=self.unchanged(snapshot), **ONCE)
        except (*LOST_GUARD, google_errors.NotFound):
            return False
        return True

    async def change(self, path: str, decide: Callable[[Fields, datetime], Fields | None]) -> bool:
        """Read, decide by the store's own clock, write back guarded; False when `decide` declines by returning None.

        A document that is not there has no fields.
        """
        for lost in range(GUARDED_TRIES):
            snapshot = await self.read(path)
            fields = decide(fields_of(snapshot), read_time(snapshot))
            if fields is None:
                return False
            if await (self.replace(snapshot, fields) if snapshot.exists else self.create(path, {"v": 1, **fields})):
                return True
            await pause(lost)
        raise LostGuardError(f"{path}: {GUARDED_TRIES} writes were overtaken")

    async def delete(self, path: str) -> None:
        await self.document(path).delete(**ONCE)


async def pause(lost: int) -> None:
    """Part the racers after a lost write, longer each time."""
    await asyncio.sleep(random.uniform(0.005, 0.05) * min(lost + 1, 10))  # noqa: S311 - guards no secret


def _stored(data: Document | dict[str, Any]) -> dict[str, Any]:
    return data.to_store() if isinstance(data, Document) else data


def fields_of(snapshot: DocumentSnapshot[Any]) -> dict[str, Any]:
    """The fields of a document; none if there is no such document."""
    return snapshot.to_dict() or {}


def read_time(snapshot: DocumentSnapshot[Any]) -> datetime:
    """The store's own clock: workers whose clocks differ then agree about leases."""
    assert snapshot.read_time is not None
    moment: datetime = snapshot.read_time
    return moment
