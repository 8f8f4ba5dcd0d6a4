"""Documents that only servers read and write: commands to relays, tokens, ledgers, prepared sound."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from floyd.documents import Document


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
