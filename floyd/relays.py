"""Which relays there are, which of them has room, and whether it is awake.

A relay is addressed by its origin (`wss://host`): a listener must reach the very process that holds a call.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from pydantic import Field

from floyd.documents import Document
from floyd.errors import VendorError

if TYPE_CHECKING:
    from google.cloud.run_v2 import Service

    from floyd.settings import Settings

# Relays beat every 15 s; after three missed beats nothing is known of this one.
STALE_AFTER = timedelta(seconds=45)
# A cold relay must answer within this, before any phone is rung.
WAKE_DEADLINE_S = 8.0
LISTED_FOR_S = 60.0
LIST_DEADLINE_S = 5.0
# The label that infra puts on every relay service.
SERVICE_LABEL = "floyd-relay"
# Until its first beat nothing is known of a relay's room; one call is always possible.
COLD_ROOM = 1


class Heartbeat(Document):
    """`relays/{shard}`: what a relay last said of itself; `room` is how many more calls it takes.

    `reserved` maps calls promised to it, and not live there yet, to when the promise lapses.
    """

    url: str
    live: int
    room: int
    draining: bool
    beat_at: datetime
    reserved: dict[str, datetime] = Field(default_factory=dict)


def shard_id(url: str) -> str:
    """The document id of a relay: a digest of its origin, 20 hexadecimal digits."""
    return sha256(url.rstrip("/").encode()).hexdigest()[:20]


def in_order(urls: Iterable[str], beats: Mapping[str, Heartbeat], now: datetime) -> list[str]:
    """The relays that may take one more call, best first. `beats` is keyed by shard id.

    Fill first: the fullest relay with room leads, so that idle ones scale to zero; cold ones come last. A relay whose
    beats have stopped while calls were live is dead, not cold.
    """
    ranked: list[tuple[int, int, str]] = []
    for position, url in enumerate(urls):
        beat = beats.get(shard_id(url))
        promised = sum(until > now for until in beat.reserved.values()) if beat else 0
        if beat is None or now - beat.beat_at > STALE_AFTER:
            if (beat is None or beat.live == 0) and promised < COLD_ROOM:
                ranked.append((1, position, url))
        elif not beat.draining and beat.room > promised:
            ranked.append((-beat.live - promised, position, url))
    return [url for _, _, url in sorted(ranked)]


class RelayDirectory:
    """Finds the relays of this deployment: configured, or the Cloud Run services with our label, kept for a minute."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._listed: tuple[str, ...] = ()
        self._listed_at = float("-inf")

    async def urls(self) -> tuple[str, ...]:
        """Origins of all relays, in a fixed order. Raises VendorError when they cannot be listed and never were."""
        if self._settings.floyd_relay_urls:
            return self._settings.floyd_relay_urls
        if time.monotonic() - self._listed_at > LISTED_FOR_S:
            try:
                async with asyncio.timeout(LIST_DEADLINE_S):
                    self._listed = await _cloud_run_origins(self._settings)
            except (TimeoutError, VendorError):
                if not self._listed:
                    raise VendorError("Cloud Run", "the relays could not be listed", retryable=True) from None
            self._listed_at = time.monotonic()
        return self._listed

    async def is_ready(self, url: str) -> bool:
        """Whether the relay answers that it can take a call; a cold one wakes meanwhile."""
        import httpx2  # noqa: PLC0415 - slow import

        origin = "http" + url.removeprefix("ws")
        try:
            async with httpx2.AsyncClient(timeout=WAKE_DEADLINE_S, trust_env=False) as client:
                async with asyncio.timeout(WAKE_DEADLINE_S):
                    return (await client.get(f"{origin}/ready")).status_code == 200
        except (TimeoutError, httpx2.HTTPError):
            return False


async def _cloud_run_origins(settings: Settings) -> tuple[str, ...]:
    """One address per relay service, in the order of their names.

    A tagged address outlives a roll-out, so that listeners of a running call are never moved to another revision.
    """
    from google.api_core.exceptions import GoogleAPIError  # noqa: PLC0415 - slow vendor import
    from google.cloud import run_v2  # noqa: PLC0415 - slow vendor import

    client = run_v2.ServicesAsyncClient()
    parent = f"projects/{settings.google_cloud_project}/locations/{settings.floyd_region}"
    try:
        pager = await client.list_services(parent=parent, timeout=LIST_DEADLINE_S)
        services = [service async for service in pager if SERVICE_LABEL in service.labels]
    except GoogleAPIError as error:
        raise VendorError("Cloud Run", str(error), retryable=True) from error
    return tuple(_origin(service) for service in sorted(services, key=lambda each: each.name))


def _origin(service: Service) -> str:
    """Where the revision that has the traffic is reached, by its tag if it has one.

    A newer one waits until the roll-out moves the traffic to it: then new calls follow, and running ones stay.
    """
    serving = next((each.revision for each in service.traffic_statuses if each.percent), "")
    serving = serving or service.latest_ready_revision.rsplit("/", 1)[-1]
    tag = next((f"{each.tag}---" for each in service.traffic_statuses if each.tag and each.revision == serving), "")
    # A service has two addresses, one with a hash. A relay knows itself by the other, which can be told beforehand.
    foretold = (url for url in service.urls if re.search(r"-\d+\.[a-z0-9-]+\.run\.app$", url))
    return f"wss://{tag}{next(foretold, service.uri).removeprefix('https://')}"
