"""What servers keep for themselves: relays and their inboxes, tokens, locks, ledgers, prepared sound, the switch."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from floyd.documents import Document
from floyd.relays import Heartbeat, in_order, shard_id
from floyd.store.connection import Fields, fields_of
from floyd.store.people import People

# A delivery that comes again after a week is not a retry.
DELIVERY_KEPT = timedelta(days=7)


class InboxCommand(Document):
    """`relays/{shard}/inbox/{id}`: something a live call must hear of. Kept until the relay acknowledges it."""

    kind: Literal["answer", "hang_up"]
    uid: str
    rid: str
    attempt: int
    question: str | None = None
    answer: str | None = None
    created_at: datetime


class StreamToken(Document):
    """`stream_tokens/{sha256 of the token}`: who may open a media stream, once."""

    uid: str
    rid: str
    attempt: int
    epoch: int
    account_sid: str
    not_after: datetime
    call_sid: str | None = None
    used_by: str | None = None


class Callee(Document):
    """`callees/{hash of the number}`: kept over all people. `calls`: times of the latest calls, newest last.

    `last_uid`: for whom the latest was. `asked`: the questions, as `rid/question`, that the last text listed by number.
    """

    do_not_call: bool = False
    do_not_call_at: datetime | None = None
    no_texts: bool = False
    calls: list[datetime] = Field(default_factory=list)
    last_uid: str | None = None
    asked: list[str] = Field(default_factory=list)


class Line(Document):
    """`dial_locks/{hash of both numbers}`: who rings `to` from `caller` now, until when at the latest, and what is kept
    for the call: `amount` dollars of the ledger of `day`, and a room at `relay_url`."""

    caller: str
    to: str
    holder: str
    uid: str
    rid: str
    attempt: int
    until: datetime
    day: str
    amount: str
    relay_url: str | None = None


class Switch(Document):
    """`system/switch`: the one that stops all dialling."""

    dialling: bool = True
    reason: str = ""


class Speech(Document):
    """`speech/{hash of voice and text}`: mu-law at 8 kHz, prepared before the call."""

    audio: bytes
    text: str
    expires_at: datetime


class Operations(People):
    async def beat(self, beat: Heartbeat) -> None:
        """A relay's heartbeat; rooms reserved for coming calls are left alone."""
        fields = {name: value for name, value in beat.to_store().items() if name != "reserved"}
        await self.put(f"relays/{shard_id(beat.url)}", fields, merge=True)

    async def relays(self) -> dict[str, Heartbeat]:
        known = await self.below("relays")
        return {shard: Heartbeat.from_store(fields) for shard, fields in known if "beat_at" in fields}

    async def reserve_room(self, url: str, holder: str, until: datetime) -> bool:
        """Keep one room at a relay for a call about to be placed; False when it has none left."""

        def change(fields: Fields, now: datetime) -> Fields | None:
            kept = {name: end for name, end in fields.get("reserved", {}).items() if end > now}
            beat = Heartbeat.from_store(fields | {"reserved": kept}) if "beat_at" in fields else None
            # What has never beaten: one call is all that may be promised.
            room = in_order([url], {shard_id(url): beat}, now) if beat else not kept
            return {"url": url, "reserved": kept | {holder: until}} if room or holder in kept else None

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
        return await self.create(f"stream_tokens/{digest}", token)

    async def use_token(self, digest: str, *, call_sid: str, used_by: str) -> StreamToken | None:
        """Consume a token for this call; None when it is unknown, used, or too old."""
        used: list[StreamToken] = []

        def change(fields: Fields, now: datetime) -> Fields | None:
            use = {"call_sid": call_sid, "used_by": used_by}
            used[:] = [StreamToken.from_store(fields | use)] if fields else []
            return None if not fields or "used_by" in fields or now > fields["not_after"] else use

        return used[0] if await self.change(f"stream_tokens/{digest}", change) else None

    async def first_delivery(self, name: str, now: datetime) -> bool:
        """Whether this delivery (message id, call id with event and sequence) comes for the first time."""
        return await self.create(f"deliveries/{name}", {"v": 1, "expires_at": now + DELIVERY_KEPT})

    async def spoken(self, digests: list[str]) -> dict[str, Speech]:
        """Prepared sound by digest, in one round trip."""
        found = (await self.some(f"speech/{digest}" for digest in digests)).values()
        return {each.id: Speech.from_store(fields_of(each)) for each in found if each.exists}

    async def keep_speech(self, digest: str, speech: Speech) -> None:
        await self.put(f"speech/{digest}", speech)

    async def switch(self) -> Switch:
        """Whether dialling is on; it is while nobody has turned it off."""
        return await self.get("system/switch", Switch) or Switch()
