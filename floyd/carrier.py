"""Twilio's REST API: place, find, steer and end calls; send texts. The only file that imports the vendor's client.

Placing a call is not idempotent at Twilio: the POST is sent exactly once, and its result says how much is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from floyd.documents import CALL_ENDED, CallStatus, Person
from floyd.errors import VendorError

if TYPE_CHECKING:
    from twilio.rest import Client
    from twilio.rest.api.v2010.account.call import CallInstance

T = TypeVar("T")

# Ring seconds; Twilio adds up to 5. Shorter than most voicemail would cut a desk phone off.
RING_LIMIT_S = 45
# The carrier ends a call this long after its answer: more than errands take, 20 minutes on hold included.
TALK_LIMIT_S = 1800
# A person's `limits` may give their calls more or fewer minutes, at most Cloud Run's per websocket.
LONGEST_CALL_MINUTES = 60
POST_DEADLINE_S = 10.0
READ_DEADLINE_S = 5.0
# A hang-up must get through: the line costs money until it does.
END_TRIES = 3
END_PAUSE_S = 0.5
# Twilio gives whole seconds, and its clock may differ from ours. More would let an earlier call pass for a new one.
CLOCK_SKEW = timedelta(seconds=5)
# At most this many calls between two numbers are looked at; the destination lock allows one at a time.
LIST_LIMIT = 20
LIVE_STATUSES = ("queued", "ringing", "in-progress")
LIVE_LIMIT = 500
# Twilio's "call is not in-progress, cannot redirect": whoever wanted to end it has what they wanted.
NOT_IN_PROGRESS = "21220"
STATUS_EVENTS = ["initiated", "ringing", "answered", "completed"]


def talk_limit_s(person: Person) -> int:
    """How long a call of this person may last; the carrier ends it then, and its cost is set aside before it."""
    minutes = person.limits.get("call_minutes", TALK_LIMIT_S // 60)
    return 60 * min(max(minutes, 1), LONGEST_CALL_MINUTES)


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """The carrier accepted the call."""

    sid: str


@dataclass(frozen=True, slots=True)
class CallRefused:
    """The carrier definitely placed no call. `code` is Twilio's error code, 429 and 20429 mean too many at once."""

    code: int
    message: str

    @property
    def later(self) -> bool:
        """The same call may be accepted later."""
        return self.code in {429, 20429}


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the order left this machine."""

    message: str


@dataclass(frozen=True, slots=True)
class MaybePlaced:
    """The order was sent and the answer lost, or it was a server error: a call may exist."""

    message: str


Placed = PlacedCall | CallRefused | NotSent | MaybePlaced


@dataclass(frozen=True, slots=True)
class CarrierCall:
    """A call as the carrier sees it."""

    sid: str
    status: CallStatus
    to: str
    created_at: datetime
    duration_s: int | None

    @property
    def ended(self) -> bool:
        return self.status in CALL_ENDED


class Carrier:
    """One account at Twilio, or at whatever speaks its protocol at `api_base`.

    Connections open on first use and belong to the event loop of that moment; close() lets go of them.
    """

    def __init__(self, account_sid: str, auth_token: str, *, api_base: str = "") -> None:
        self.account_sid = account_sid
        self._auth_token = auth_token
        self._api_base = api_base
        self._opened: Client | None = None

    async def close(self) -> None:
        if self._opened is not None:
            client, self._opened = self._opened, None
            await client.http_client.close()

    async def place_call(
        self, *, to: str, from_: str, twiml: str, status_callback: str, talk_limit_s: int = TALK_LIMIT_S
    ) -> Placed:
        """Ring `to`. Sent once, whatever happens; the TwiML travels with the order, so no webhook delays the answer."""
        from aiohttp import ClientConnectorError, ClientError  # noqa: PLC0415 - slow vendor import
        from twilio.base.exceptions import TwilioException, TwilioRestException  # noqa: PLC0415 - slow vendor import

        try:
            async with asyncio.timeout(POST_DEADLINE_S):
                call = await self._client().calls.create_async(
                    to=to,
                    from_=from_,
                    twiml=twiml,
                    status_callback=status_callback,
                    status_callback_event=STATUS_EVENTS,
                    status_callback_method="POST",
                    timeout=RING_LIMIT_S,
                    time_limit=talk_limit_s,
                )
        except ClientConnectorError as error:
            return NotSent(str(error))
        except TwilioRestException as error:
            if error.status >= 500:
                return MaybePlaced(f"{error.status} {error.msg}")
            return CallRefused(error.code or error.status, error.msg)
        except (TimeoutError, ClientError, TwilioException, OSError, ValueError) as error:
            # ValueError: the answer was cut off, or was not JSON.
            return MaybePlaced(f"{type(error).__name__} {error}")
        return PlacedCall(str(call.sid)) if call.sid else MaybePlaced("the answer held no sid")

    async def end_call(self, sid: str) -> None:
        """Hang up. A call that is gone or over counts as ended; raises VendorError when the line may still be open."""
        await self._end(sid, "completed")

    async def cancel_call(self, sid: str) -> None:
        """Stop a call that is queued or rings, and hang up one that has just been answered. Raises as end_call."""
        await self._end(sid, "canceled")
        call = await self.fetch_call(sid)
        if call is not None and not call.ended:
            await self._end(sid, "completed")

    async def fetch_call(self, sid: str) -> CarrierCall | None:
        """What became of a call; None when the carrier knows of none. Raises VendorError."""
        found = await self._read(self._client().calls(sid).fetch_async())
        return None if found is None else _carrier_call(found)

    async def list_calls(self, *, to: str, from_: str, since: datetime) -> list[CarrierCall]:
        """Calls between two numbers created since then, newest first. Raises VendorError.

        Twilio filters by the start, which a queued call does not have yet, so the age is judged here.
        """
        found = await self._read(self._client().calls.list_async(to=to, from_=from_, limit=LIST_LIMIT))
        calls = [_carrier_call(each) for each in found or ()]
        return [call for call in calls if call.created_at >= since - CLOCK_SKEW]

    async def live_calls(self, *, from_: str) -> list[CarrierCall]:
        """Every call from this number that is queued, rings or talks. Raises VendorError."""
        found: list[CarrierCall] = []
        for status in LIVE_STATUSES:
            calls = await self._read(self._client().calls.list_async(from_=from_, status=status, limit=LIVE_LIMIT))
            found += [_carrier_call(each) for each in calls or ()]
        return found

    async def update_twiml(self, sid: str, twiml: str) -> bool:
        """Give a live call new instructions; False when it is over. Raises VendorError."""
        try:
            return await self._read(self._client().calls(sid).update_async(twiml=twiml)) is not None
        except VendorError as error:
            if error.code == NOT_IN_PROGRESS:
                return False
            raise

    async def send_text(self, *, to: str, from_: str, body: str) -> bool:
        """Send an SMS, once; False when the carrier refuses this recipient (stopped, not a mobile).

        Raises VendorError when it is not known to be on its way.
        """
        try:
            return await self._read(self._client().messages.create_async(to=to, from_=from_, body=body)) is not None
        except VendorError as error:
            if error.retryable:
                raise
            return False

    async def _end(self, sid: str, status: str) -> None:
        for left in reversed(range(END_TRIES)):
            try:
                await self._read(self._client().calls(sid).update_async(status=status))
                return
            except VendorError as error:
                if error.code == NOT_IN_PROGRESS:
                    return
                if not error.retryable or not left:
                    raise
            await asyncio.sleep(END_PAUSE_S)

    async def _read(self, request: Awaitable[T]) -> T | None:
        """The answer, or None for 404. Raises VendorError, retryable unless Twilio refused the request itself."""
        from aiohttp import ClientError  # noqa: PLC0415 - slow vendor import
        from twilio.base.exceptions import TwilioException, TwilioRestException  # noqa: PLC0415 - slow vendor import

        try:
            async with asyncio.timeout(READ_DEADLINE_S):
                return await request
        except TwilioRestException as error:
            if error.status == 404:
                return None
            again = error.status >= 500 or error.status == 429
            raise VendorError("Twilio", error.msg, retryable=again, code=str(error.code or error.status)) from error
        except (TimeoutError, ClientError, TwilioException, OSError, ValueError) as error:
            raise VendorError("Twilio", f"{type(error).__name__} {error}", retryable=True) from error

    def _client(self) -> Client:
        if not self.account_sid or not self._auth_token:
            raise VendorError("Twilio", "this process has no account", retryable=False)
        if self._opened is None:
            from twilio.http.async_http_client import AsyncTwilioHttpClient  # noqa: PLC0415 - slow vendor import
            from twilio.rest import Client  # noqa: PLC0415 - slow vendor import

            # Retries stay off (max_retries unset): the one POST that rings a phone must never be repeated.
            client = Client(self.account_sid, self._auth_token, http_client=AsyncTwilioHttpClient())
            if self._api_base:
                client.api.base_url = self._api_base
            self._opened = client
        return self._opened


def _carrier_call(call: CallInstance) -> CarrierCall:
    created: datetime = call.date_created or datetime.now(UTC)
    duration_s = int(call.duration) if call.duration else None
    return CarrierCall(str(call.sid), CallStatus(str(call.status)), str(call.to), created, duration_s)
