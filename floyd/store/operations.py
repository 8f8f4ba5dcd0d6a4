"""What servers keep for themselves: relays and their inboxes, tokens, locks, ledgers, prepared sound, the switch."""

from __future__ import annotations

from datetime import datetime, timedelta

from floyd.relays import Heartbeat, in_order, shard_id
from floyd.store.connection import TIMEOUT_S, Fields, fields_of
from floyd.store.people import People
from floyd.store.records import InboxCommand, Speech, StreamToken, Switch

# A delivery that comes again after a week is not a retry.
DELIVERY_KEPT = timedelta(days=7)


def _heartbeat(fields: Fields) -> Heartbeat | None:
    """The stored heartbeat; None for a relay that has only been promised calls and never beat."""
    if "beat_at" not in fields:
        return None
    return Heartbeat(**{name: fields[name] for name in Heartbeat.__dataclass_fields__ if name in fields})


class Operations(People):
    """Server-only documents."""

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

        def change(fields: Fields, now: datetime) -> Fields | None:
            kept = {name: end for name, end in fields.get("reserved", {}).items() if end > now}
            beat = _heartbeat(fields | {"reserved": kept})
            if holder not in kept and not in_order([url], {shard_id(url): beat} if beat else {}, now):
                return None
            if beat is None and kept and holder not in kept:
                return None  # It has never beaten: one call is all that may be promised.
            return {"url": url, "reserved": kept | {holder: until}}

        return await self.change(f"relays/{shard_id(url)}", change)

    async def free_room(self, url: str, holder: str) -> None:
        """Give a reserved room back: the relay counts the call as live from now on, or it never came."""

        def change(fields: Fields, now: datetime) -> Fields | None:
            kept = dict(fields.get("reserved", {}))
            return {"reserved": kept} if kept.pop(holder, None) is not None else None

        await self.change(f"relays/{shard_id(url)}", change)

    async def tell_relay(self, url: str, name: str, command: InboxCommand) -> bool:
        """Put a command into a relay's inbox, once per name."""
        return await self.create(f"relays/{shard_id(url)}/inbox/{name}", command)

    async def inbox(self, url: str) -> list[tuple[str, InboxCommand]]:
        """Commands not acknowledged yet, oldest first."""
        commands = await self.all(f"relays/{shard_id(url)}/inbox", InboxCommand)
        return sorted(commands, key=lambda item: item[1].created_at)

    async def acknowledge(self, url: str, name: str) -> None:
        await self.delete(f"relays/{shard_id(url)}/inbox/{name}")

    async def keep_token(self, digest: str, token: StreamToken) -> bool:
        """Keep the hash of a fresh stream token."""
        return await self.create(f"stream_tokens/{digest}", token)

    async def use_token(self, digest: str, *, call_sid: str, used_by: str) -> StreamToken | None:
        """Consume a token for this call; None when it is unknown, used, or too old."""
        used: list[StreamToken] = []

        def change(fields: Fields, now: datetime) -> Fields | None:
            token = StreamToken.from_store(fields) if fields else None
            if token is None or token.used_by is not None or now > token.not_after:
                return None
            used[:] = [token.model_copy(update={"call_sid": call_sid, "used_by": used_by})]
            return {"call_sid": call_sid, "used_by": used_by}

        return used[0] if await self.change(f"stream_tokens/{digest}", change) else None

    async def first_delivery(self, name: str, now: datetime) -> bool:
        """Whether this delivery (message id, call id with event and sequence) comes for the first time."""
        return await self.create(f"deliveries/{name}", {"v": 1, "expires_at": now + DELIVERY_KEPT})

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
        return await self.get("system/switch", Switch) or Switch()
