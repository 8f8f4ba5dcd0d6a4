"""Joining a call to a relay: a room there, a one-time token, and the instructions that bring both to the carrier."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

from floyd import twiml
from floyd.lifecycle import Errand
from floyd.relays import in_order
from floyd.settings import Settings
from floyd.store import StreamToken
from floyd.tokens import new_token, token_digest
from functions.live_calls import Parts

# A room is kept until the phone has been answered: 45 s of ringing, up to 5 more at the carrier, and some in its queue.
ROOM_KEPT = timedelta(seconds=75)
# Each may take 8 s to wake, and the carrier or the event that is being served does not wait for many.
WOKEN_AT_MOST = 2


def carrier_url(settings: Settings, errand: Errand, route: str) -> str:
    """The public address of one of this call's own webhooks: `status`, `stream` or `resume`."""
    uid, attempt = quote(errand.uid, safe=""), errand.request.attempt
    return f"{settings.floyd_carrier_url}/calls/{uid}/{errand.rid}/{attempt}/{route}"


async def find_room(holder: str, parts: Parts, *, not_at: str | None = None) -> str | None:
    """Reserve a room at a relay that is awake; its origin, or None. `not_at`: a relay to be tried last.

    Raises VendorError when relays cannot be listed.
    """
    store, relays = parts.store, parts.relays
    urls = in_order(await relays.urls(), await store.relays(), parts.now)
    for url in sorted(urls, key=lambda each: each == not_at)[:WOKEN_AT_MOST]:
        if not await store.reserve_room(url, holder, parts.now + ROOM_KEPT):
            continue
        if await relays.is_ready(url):
            return url
        await store.free_room(url, holder)
    return None


async def stream_twiml(errand: Errand, relay_url: str, parts: Parts, *, not_after: datetime) -> str:
    """Mint a token for the call's present epoch and write the instructions that carry it to `relay_url`."""
    assert errand.call is not None
    token = new_token()
    bound_to = StreamToken(
        uid=errand.uid,
        rid=errand.rid,
        attempt=errand.request.attempt,
        epoch=errand.call.epoch,
        account_sid=parts.settings.twilio_account_sid,
        not_after=not_after,
    )
    await parts.store.keep_token(token_digest(token), bound_to)
    return twiml.stream(
        relay_url,
        token,
        stream_callback=carrier_url(parts.settings, errand, "stream"),
        resume_url=carrier_url(parts.settings, errand, "resume"),
    )
