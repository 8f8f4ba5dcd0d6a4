"""Which relay gets the next call."""

from datetime import UTC, datetime, timedelta

from google.cloud import run_v2

from floyd.relays import STALE_AFTER, Heartbeat, RelayDirectory, _origin, in_order, shard_id
from floyd.settings import Settings

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
A, B, C = "wss://a.example.com", "wss://b.example.com", "wss://c.example.com"


def beat(
    url: str, *, live: int = 0, room: int = 5, draining: bool = False, age_s: float = 1, reserved: int = 0
) -> Heartbeat:
    promises = {f"r{number}": NOW + timedelta(seconds=9) for number in range(reserved)} | {"old": NOW}
    beat_at = NOW - timedelta(seconds=age_s)
    return Heartbeat(url=url, live=live, room=room, draining=draining, beat_at=beat_at, reserved=promises)


def order(*beats: Heartbeat) -> list[str]:
    return in_order((A, B, C), {shard_id(each.url): each for each in beats}, NOW)


def test_the_fullest_with_room_leads() -> None:
    """Fails if calls spread over relays that could sleep, or go to one that is full or going away."""
    assert order(beat(A, live=1), beat(B, live=3), beat(C)) == [B, A, C]
    assert order(beat(A, live=5, room=0), beat(B, draining=True), beat(C)) == [C]
    assert order(beat(A, live=4, room=1, reserved=1), beat(B), beat(C)) == [B, C]


def test_silent_relays_are_cold_or_dead() -> None:
    """Fails if a relay that died with calls gets more, or a sleeping one is never woken."""
    stale = STALE_AFTER.total_seconds() + 1
    assert order(beat(A, live=2, age_s=stale), beat(B, age_s=stale)) == [B, C]
    assert order(beat(A, live=2), beat(B, age_s=stale, reserved=1)) == [A, C], "a cold relay takes one call at a time"


def test_one_relay_has_one_name() -> None:
    """Fails if a final slash makes a relay's beats those of another."""
    assert shard_id(A) == shard_id(A + "/")
    assert shard_id(A) != shard_id(B)


def test_a_relay_in_the_cloud_is_reached_by_the_tag_of_the_revision_with_the_traffic() -> None:
    """Fails if a roll-out moves the listeners of a running call, or new calls go to a revision not yet rolled out."""
    newest = run_v2.TrafficTargetStatus(revision="relay-0-2", tag="r2", uri="https://r2---relay-0.example.run.app")
    older = run_v2.TrafficTargetStatus(revision="relay-0-1", tag="r1", uri="https://r1---relay-0.example.run.app")
    service = run_v2.Service(
        uri="https://relay-0.example.run.app",
        latest_ready_revision="projects/p/locations/l/services/relay-0/revisions/relay-0-2",
        traffic_statuses=[older, newest],
    )
    assert _origin(service) == "wss://r2---relay-0.example.run.app"
    older.percent = 100
    service.traffic_statuses = [older, newest]
    assert _origin(service) == "wss://r1---relay-0.example.run.app"
    service.traffic_statuses = []
    assert _origin(service) == "wss://relay-0.example.run.app"
    service.urls = ["https://relay-0-abcdefghij-uc.a.run.app", "https://relay-0-123456789012.us-central1.run.app"]
    assert _origin(service) == "wss://relay-0-123456789012.us-central1.run.app"


async def test_configured_relays_are_taken_as_they_are_and_a_silent_one_is_not_ready() -> None:
    """Fails if a local stack would ask Cloud Run, or a dead relay hangs the dialler."""
    directory = RelayDirectory(Settings(floyd_env="local", floyd_relay_urls=("ws://127.0.0.1:1",)))
    assert await directory.urls() == ("ws://127.0.0.1:1",)
    assert not await directory.is_ready("ws://127.0.0.1:1")
