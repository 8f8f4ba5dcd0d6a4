"""One call: what Twilio would answer about it, and what really happened."""

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal

from standins.phone_network.handset import Handset
from standins.phone_network.webhooks import FINAL

Direction = Literal["outbound-api", "inbound"]

API_VERSION = "2010-04-01"


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


@dataclass(frozen=True, slots=True)
class Instructions:
    """Where a call's TwiML comes from."""

    twiml: str = ""
    url: str = ""
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for when the call was placed."""

    account_sid: str
    to: str
    from_: str
    instructions: Instructions
    status_callback: str = ""
    status_callback_method: str = "POST"
    status_callback_events: frozenset[str] = frozenset({"completed"})
    ring_s: int = 60
    time_limit_s: int = 14_400
    direction: Direction = "outbound-api"


@dataclass(slots=True)
class Call:
    """Kept after its end, with all that was heard."""

    order: Order
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: str = "queued"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: datetime | None = None
    """When dialling began; queued calls have none, and so are not found by StartTime."""
    answered: datetime | None = None
    ended: datetime | None = None
    updated: datetime = field(default_factory=lambda: datetime.now(UTC))
    queued_ms: int = 0
    sip_response_code: int = 0
    ended_by: str = ""
    handset: Handset | None = None
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
    def duration_s(self) -> int | None:
        """Whole seconds from answer to end."""
        if self.ended is None:
            return None
        return 0 if self.answered is None else int((self.ended - self.answered).total_seconds())

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
        base = f"/{API_VERSION}/Accounts/{self.order.account_sid}/Calls/{self.sid}"
        duration = self.duration_s
        return {
            "sid": self.sid,
            "account_sid": self.order.account_sid,
            "api_version": API_VERSION,
            "to": self.order.to,
            "to_formatted": self.order.to,
            "from": self.order.from_,
            "from_formatted": self.order.from_,
            "status": self.rest_status,
            "direction": self.order.direction,
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "start_time": rfc2822(self.started),
            "end_time": rfc2822(self.ended),
            "duration": None if duration is None else str(duration),
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
        order = self.order
        params = {
            "CallSid": self.sid,
            "AccountSid": order.account_sid,
            "From": order.from_,
            "To": order.to,
            "Caller": order.from_,
            "Called": order.to,
            "CallStatus": self.status,
            "Direction": order.direction,
            "ApiVersion": API_VERSION,
        }
        geography = {
            f"{party}{part}": ""
            for party in ("From", "To", "Caller", "Called")
            for part in ("City", "State", "Zip", "Country")
        }
        return params | geography | more
