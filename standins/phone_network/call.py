"""One call: what was asked for, what Twilio would answer about it, and what really happened."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal

from standins.phone_network.forms import Order
from standins.phone_network.handset import Handset

API_VERSION = "2010-04-01"

FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

_NEVER = (
    *("price", "answered_by", "parent_call_sid", "phone_number_sid", "forwarded_from", "caller_name", "group_sid"),
    *("trunk_sid", "annotation"),
)
"""Fields of the resource that are always null here."""


def new_sid(kind: str) -> str:
    """CA… for a call, SM… for a message, MZ… for a stream."""
    return kind + secrets.token_hex(16)


def rfc2822(moment: datetime | None) -> str | None:
    """As REST resources and callbacks write times."""
    return None if moment is None else format_datetime(moment)


@dataclass(slots=True)
class Call:
    """Kept after its end, with all that was heard."""

    order: Order
    account_sid: str
    direction: Literal["outbound-api", "inbound"] = "outbound-api"
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: str = "queued"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: datetime | None = None
    """When dialling began; queued calls have none."""
    answered: datetime | None = None
    ended: datetime | None = None
    updated: datetime = field(default_factory=lambda: datetime.now(UTC))
    queued_ms: int = 0
    ended_by: str = ""
    handset: Handset | None = None
    listening: asyncio.Future[None] | None = None
    """Makes out the words for a callee who listens; done some time after the end."""
    timeline: list[dict[str, object]] = field(default_factory=list)
    violations: list[dict[str, object]] = field(default_factory=list)
    callbacks: int = 0
    """Status callbacks so far: the next SequenceNumber."""
    _epoch: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        """Whether the status is final."""
        return self.status in FINAL

    @property
    def rest_status(self) -> str:
        """The REST API knows no `initiated`, which only callbacks say."""
        return "queued" if self.status == "initiated" else self.status

    @property
    def duration_s(self) -> int:
        """Whole seconds from answer to end."""
        return int((self.ended - self.answered).total_seconds()) if self.ended and self.answered else 0

    def note(self, what: str, **details: object) -> None:
        """A line of the timeline."""
        self.timeline.append({"at_ms": self.ms(time.monotonic()), "what": what, **details})

    def violation(self, code: int, message: str) -> None:
        """Something the program under test did wrong, under Twilio's error number."""
        self.violations.append({"at_ms": self.ms(time.monotonic()), "code": code, "message": message})
        self.note("violation", code=code, message=message)

    def ms(self, moment: float) -> int:
        """Monotonic seconds to milliseconds since the call was placed."""
        return round((moment - self._epoch) * 1000)

    def resource(self) -> dict[str, Any]:
        """The Call resource of the REST API."""
        base = f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "to": self.order.to,
            "to_formatted": self.order.to,
            "from": self.order.from_,
            "from_formatted": self.order.from_,
            "status": self.rest_status,
            "direction": self.direction,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "start_time": rfc2822(self.started),
            "end_time": rfc2822(self.ended),
            "duration": str(self.duration_s) if self.ended else None,
            "queue_time": str(self.queued_ms),
            "price_unit": "USD",
            **dict.fromkeys(_NEVER),
            "uri": f"{base}.json",
            "subresource_uris": {
                name: f"{base}/{name.title()}.json" for name in ("notifications", "recordings", "streams")
            },
        }

    def webhook_params(self, **more: str) -> dict[str, str]:
        """The form fields that every voice webhook carries."""
        to, from_ = self.order.to, self.order.from_
        parties = {"From": from_, "To": to, "Caller": from_, "Called": to}
        places = {f"{party}{part}": "" for party in parties for part in ("City", "State", "Zip", "Country")}
        ids = {"CallSid": self.sid, "AccountSid": self.account_sid, "ApiVersion": API_VERSION}
        return {**ids, **parties, **places, "CallStatus": self.status, "Direction": self.direction, **more}
