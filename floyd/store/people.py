"""One person's own documents: profile, facts, places, tasks, the ledger of what was told, and their removal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from google.cloud.firestore import FieldFilter

from floyd.documents import Disclosure, Fact, Person, Place, Task
from floyd.store.connection import ONCE, fields_of, name_of
from floyd.store.requests import Requests


class People(Requests):
    """Everything under `users/{uid}` beside the requests."""

    async def person(self, uid: str) -> Person:
        """The profile; a person who has never written one has the defaults."""
        return await self.get(f"users/{uid}", Person) or Person()

    async def note_person(self, uid: str, fields: dict[str, Any]) -> None:
        """Set server-kept fields of the profile (number, limits, texts)."""
        await self.put(f"users/{uid}", {"v": 1, **fields}, merge=True)

    async def person_by_number(self, number: str) -> tuple[str, Person] | None:
        query = self.client.collection("users").where(filter=FieldFilter("number", "==", number)).limit(1)
        found = await self.found(query)
        return (found[0].id, Person.from_store(fields_of(found[0]))) if found else None

    async def facts(self, uid: str, now: datetime) -> list[Fact]:
        """The facts that have not expired, in order of their keys. Removal of expired ones may lag by a day."""
        known = [fact for _, fact in await self.all(f"users/{uid}/facts", Fact)]
        fresh = (fact for fact in known if not fact.expires_at or fact.expires_at > now)
        return sorted(fresh, key=lambda fact: fact.key)

    async def places(self, uid: str) -> list[Place]:
        return [place for _, place in await self.all(f"users/{uid}/places", Place)]

    async def note_result(
        self,
        uid: str,
        rid: str,
        attempt: int,
        *,
        tasks: Sequence[Task] = (),
        disclosures: Sequence[Disclosure] = (),
        proposed: Sequence[dict[str, Any]] = (),
        place: Place | None = None,
    ) -> None:
        """Write down what a call left behind, in one commit. Names are fixed, so doing it twice changes nothing."""
        batch = self.client.batch()
        for index, task in enumerate(tasks):
            batch.set(self.document(f"users/{uid}/tasks/{rid}-{attempt}-{index}"), task.to_store())
        for disclosure in disclosures:
            name = f"{rid}-{disclosure.turn}-{name_of(disclosure.fact)[:8]}"
            batch.set(self.document(f"users/{uid}/disclosures/{name}"), disclosure.to_store())
        for index, fields in enumerate(proposed):
            reference = self.document(f"users/{uid}/requests/{rid}/events/proposed-{attempt}-{index}")
            batch.set(reference, {"v": 1, "expires_at": datetime.now(UTC) + self.kept, **fields})
        if place is not None:
            batch.set(self.document(f"users/{uid}/places/{name_of(place.number)}"), place.to_store())
        if len(batch):
            await batch.commit(**ONCE)

    async def export(self, uid: str) -> dict[str, Any]:
        """Everything stored about a person, keyed by path."""
        found: dict[str, Any] = {}
        await self._gather(self.document(f"users/{uid}"), found)
        return found

    async def _gather(self, reference: Any, found: dict[str, Any]) -> None:
        """Also what lies below documents that are not there."""
        snapshot = await reference.get(**ONCE)
        if snapshot.exists:
            found[reference.path] = fields_of(snapshot)
        async for collection in reference.collections(**ONCE):
            async for child in collection.list_documents(**ONCE):
                await self._gather(child, found)

    async def bury(self, uid: str, now: datetime) -> None:
        """Mark a person as leaving: nothing new is accepted, and the sweeper removes what late writers leave behind."""
        await self.put(f"tombstones/{uid}", {"v": 1, "at": now})

    async def buried(self, uid: str) -> bool:
        return (await self.read(f"tombstones/{uid}")).exists

    async def tombstones(self, before: datetime) -> list[str]:
        """People who left before this moment and may need another pass."""
        query = self.client.collection("tombstones").where(filter=FieldFilter("at", "<", before))
        return [snapshot.id for snapshot in await self.found(query)]

    async def erase(self, uid: str) -> int:
        """Remove everything below and at `users/{uid}`; returns how many documents are left (0, or late writes)."""
        await self.client.recursive_delete(self.document(f"users/{uid}"))
        return len(await self.export(uid))

    async def unbury(self, uid: str) -> None:
        await self.delete(f"tombstones/{uid}")
