"""What servers keep for themselves: relays and their inboxes, tokens, locks, ledgers, prepared sound, the switch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from floyd.errors import LostGuardError
from floyd.relays import Heartbeat, in_order, shard_id
from floyd.store.connection import GUARDED_TRIES, TIMEOUT_S, fields_of
from floyd.store.people import People
from floyd.store.records import Callee, InboxCommand, Speech, StreamToken, Switch

if TYPE_CHECKING:
    from google.cloud.firestore import DocumentSnapshot

# A delivery that comes again after a week is not a retry.
DELIVERY_KEPT = timedelta(days=7)
# Enough to judge how often a number was called lately.
CALLS_KEPT = 20


def _heartbeat(fields: dict[str, Any]) -> Heartbeat | None:
    """The stored heartbeat; None for a relay that has only been promised calls and never beat."""
    if "beat_at" not in fields:
        return None
    return Heartbeat(
        url=fields["url"],
        live=fields["live"],
        room=fields["room"],
        draining=fields["draining"],
        beat_at=fields["beat_at"],
        reserved=fields.get("reserved", {}),
    )


class Operations(People):
    """Server-only documents."""

    async def _guarded(
        self, path: str, change: Callable[[dict[str, Any] | None, datetime], dict[str, Any] | None]
    ) -> bool:
        """Read, change, write back guarded; False when `change` declines by returning None."""
        for _ in range(GUARDED_TRIES):
            snapshot: DocumentSnapshot[Any] = await self.read(path)
            assert snapshot.read_time is not None
            fields = change(fields_of(snapshot) if snapshot.exists else None, snapshot.read_time)
            if fields is None:
                return False
            write: Awaitable[bool]
            write = self.replace(snapshot, fields) if snapshot.exists else self.create(path, {"v": 1, **fields})
            if await write:
                return True
        raise LostGuardError(f"{path}: {GUARDED_TRIES} writes were overtaken")

    async def beat(self, beat: Heartbeat) -> None:
        """A relay's heartbeat; rooms reserved for coming calls are left alone."""
        fields = {"v": 1, "url": beat.url, "live": beat.live, "room": beat.room, "draining": beat.draining}
        await self.put(f"relays/{shard_id(beat.url)}", fields | {"beat_at": beat.beat_at}, merge=True)

    async def relays(self) -> dict[str, Heartbeat]:
        """All relays that ever beat, by shard."""
        found = {shard: _heartbeat(fields) for shard, fields in await self.below("relays")}
        return {shard: beat for shard, beat in found.items() if beat is not None}

    async def reserve_room(self, url: str, holder: str, until: datetime) -> bool:
        """Keep one room at a relay for a call about to be placed; False when it has none left."""

        def change(fields: dict[str, Any] | None, now: datetime) -> dict[str, Any] | None:
            kept = {name: end for name, end in (fields or {}).get("reserved", {}).items() if end > now}
            beat = _heartbeat((fields or {}) | {"reserved": kept})
            if holder not in kept and not in_order([url], {shard_id(url): beat} if beat else {}, now):
                return None
            if beat is None and kept and holder not in kept:
                return None  # It has never beaten: one call is all that may be promised.
            return {"url": url, "reserved": kept | {holder: until}}

        return await self._guarded(f"relays/{shard_id(url)}", change)

    async def free_room(self, url: str, holder: str) -> None:
        """Give a reserved room back: the relay counts the call as live from now on, or it never came."""

        def change(fields: dict[str, Any] | None, now: datetime) -> dict[str, Any] | None:
            kept = dict((fields or {}).get("reserved", {}))
            return {"reserved": kept} if kept.pop(holder, None) is not None else None

        await self._guarded(f"relays/{shard_id(url)}", change)

    async def tell_relay(self, url: str, name: str, command: InboxCommand) -> bool:
        """Put a command into a relay's inbox, once per name."""
        return await self.create(f"relays/{shard_id(url)}/inbox/{name}", command)

    async def inbox(self, url: str) -> list[tuple[str, InboxCommand]]:
        """Commands not acknowledged yet, oldest first."""
        documents = await self.below(f"relays/{shard_id(url)}/inbox")
        commands = [(name, InboxCommand.from_store(fields)) for name, fields in documents]
        return sorted(commands, key=lambda item: item[1].created_at)

    async def acknowledge(self, url: str, name: str) -> None:
        await self.delete(f"relays/{shard_id(url)}/inbox/{name}")

    async def keep_token(self, digest: str, token: StreamToken) -> bool:
        """Keep the hash of a fresh stream token."""
        return await self.create(f"stream_tokens/{digest}", token)

    async def use_token(self, digest: str, *, call_sid: str, used_by: str) -> StreamToken | None:
        """Consume a token for this call; None when it is unknown, used, or too old."""
        used: list[StreamToken] = []

        def change(fields: dict[str, Any] | None, now: datetime) -> dict[str, Any] | None:
            token = StreamToken.from_store(fields) if fields else None
            if token is None or token.used_by is not None or now > token.not_after:
                return None
            used[:] = [token.model_copy(update={"call_sid": call_sid, "used_by": used_by})]
            return {"call_sid": call_sid, "used_by": used_by}

        return used[0] if await self._guarded(f"stream_tokens/{digest}", change) else None

    async def first_delivery(self, name: str, now: datetime) -> bool:
        """Whether this delivery (message id, call id with event and sequence) comes for the first time."""
        return await self.create(f"deliveries/{name}", {"v": 1, "expires_at": now + DELIVERY_KEPT})

    async def callee(self, digest: str) -> Callee:
        snapshot = await self.read(f"callees/{digest}")
        return Callee.from_store(snapshot.to_dict() if snapshot.exists else None)

    async def note_callee(self, digest: str, *, called_at: datetime | None = None, do_not_call: bool = False) -> None:
        """Remember a call to this number, or that it must never be called again."""

        def change(fields: dict[str, Any] | None, now: datetime) -> dict[str, Any] | None:
            known = Callee.from_store(fields)
            calls = [*known.calls, called_at][-CALLS_KEPT:] if called_at else known.calls
            changed: dict[str, Any] = {"calls": calls}
            if do_not_call and not known.do_not_call:
                changed |= {"do_not_call": True, "do_not_call_at": now}
            return changed

        await self._guarded(f"callees/{digest}", change)

    async def speech(self, digest: str) -> Speech | None:
        snapshot = await self.read(f"speech/{digest}")
        return Speech.from_store(fields_of(snapshot)) if snapshot.exists else None

    async def spoken(self, digests: list[str]) -> dict[str, Speech]:
        """Prepared sound by digest, in one round trip."""
        found = {}
        references = [self.document(f"speech/{digest}") for digest in digests]
        async for snapshot in self.client.get_all(references, retry=None, timeout=TIMEOUT_S):
            if snapshot.exists:
                found[snapshot.id] = Speech.from_store(fields_of(snapshot))
        return found

    async def keep_speech(self, digest: str, speech: Speech) -> None:
        await self.put(f"speech/{digest}", speech)

    async def switch(self) -> Switch:
        """Whether dialling is on; it is while nobody has turned it off."""
        snapshot = await self.read("system/switch")
        return Switch.from_store(snapshot.to_dict() if snapshot.exists else None)

    async def set_switch(self, switch: Switch) -> None:
        await self.put("system/switch", switch)
