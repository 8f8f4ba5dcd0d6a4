"""What every part of the store shares: the client, deadlines, and how a lost guard looks."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from google.api_core import exceptions as google_errors

from floyd.documents import Document
from floyd.errors import LostGuardError

if TYPE_CHECKING:
    from google.cloud.firestore import AsyncClient, AsyncDocumentReference, DocumentSnapshot

# No answer from Firestore takes longer in health; callers have deadlines of their own above this.
TIMEOUT_S = 5.0
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
    """A Firestore client with deadlines. The client belongs to the event loop it is used on."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client

    def document(self, path: str) -> AsyncDocumentReference:
        return self.client.document(path)

    async def read(self, path: str) -> DocumentSnapshot[Any]:
        """One document; `.exists` tells whether it is there."""
        return await self.document(path).get(retry=None, timeout=TIMEOUT_S)

    async def get(self, path: str, kind: type[D]) -> D | None:
        snapshot = await self.read(path)
        return kind.from_store(snapshot.to_dict()) if snapshot.exists else None

    async def all(self, collection: str, kind: type[D]) -> list[tuple[str, D]]:
        """All documents of one collection with their names, in order of these."""
        return [(name, kind.from_store(fields)) for name, fields in await self.below(collection)]

    async def below(self, collection: str) -> list[tuple[str, Fields]]:
        """The same, as stored."""
        query = self.client.collection(collection)
        return [(item.id, item.to_dict() or {}) async for item in query.stream(retry=None, timeout=TIMEOUT_S)]

    async def create(self, path: str, data: Document | dict[str, Any]) -> bool:
        """Write a document that must not exist. False when it does: somebody was first."""
        try:
            await self.document(path).create(stored(data), retry=None, timeout=TIMEOUT_S)
        except google_errors.AlreadyExists:
            return False
        return True

    async def put(self, path: str, data: Document | dict[str, Any], *, merge: bool = False) -> None:
        """Write a document whatever was there."""
        await self.document(path).set(stored(data), merge=merge, retry=None, timeout=TIMEOUT_S)

    async def replace(self, snapshot: DocumentSnapshot[Any], data: dict[str, Any]) -> bool:
        """Change fields of a document if nobody has written to it since `snapshot`. False when somebody has."""
        option = self.client.write_option(last_update_time=snapshot.update_time)
        try:
            await snapshot.reference.update(data, option=option, retry=None, timeout=TIMEOUT_S)
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
        await self.document(path).delete(retry=None, timeout=TIMEOUT_S)


async def pause(lost: int) -> None:
    """Part the racers after a lost write, longer each time."""
    await asyncio.sleep(random.uniform(0.005, 0.05) * min(lost + 1, 10))  # noqa: S311 - guards no secret


def stored(data: Document | dict[str, Any]) -> dict[str, Any]:
    """The stored form of a document; plain fields pass through."""
    return data.to_store() if isinstance(data, Document) else data


def fields_of(snapshot: DocumentSnapshot[Any]) -> dict[str, Any]:
    """The fields of a document; none if there is no such document."""
    return snapshot.to_dict() or {}


def read_time(snapshot: DocumentSnapshot[Any]) -> datetime:
    """The store's own clock: workers whose clocks differ then agree about leases."""
    assert snapshot.read_time is not None
    moment: datetime = snapshot.read_time
    return moment
