"""Traffic is moved without taking the ground from under a call, and can be put back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx2
import pytest

from deploy import rollout
from deploy.rollout import BY_REVISION, CloudRun, roll_back, roll_out, serving, targets

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PARENT = "/projects/p/locations/l"


def entry(revision: str, tag: str, percent: int = 0) -> dict[str, Any]:
    return {"type": BY_REVISION, "revision": revision, "tag": tag} | ({"percent": percent} if percent else {})


def hours_ago(**made: float) -> dict[str, datetime]:
    return {name: NOW - timedelta(hours=hours) for name, hours in made.items()}


def test_a_tag_stays_until_the_last_call_that_uses_it_can_have_ended() -> None:
    """If this fails a roll-out cuts off listeners, or old relays pile up for ever."""
    service = {"traffic": [entry("r1", "t1"), entry("r2", "t2"), entry("r3", "t3", 100)]}
    made = hours_ago(r1=200, r2=50, r3=3, r4=0.1)

    moved = targets(service, "r4", made, NOW, {"t4": "r4"})

    assert moved == [entry("r3", "t3"), entry("r4", "t4", 100)]


def test_two_releases_in_an_hour_keep_three_tags() -> None:
    """If this fails the second release of an hour kills calls of the first one's predecessor."""
    service = {"traffic": [entry("r1", "t1"), entry("r2", "t2", 100)]}
    made = hours_ago(r1=90, r2=1.0, r3=0.1)

    moved = targets(service, "r3", made, NOW, {"t3": "r3"})

    assert {each["tag"] for each in moved} == {"t1", "t2", "t3"}
    assert [each for each in moved if each.get("percent")] == [entry("r3", "t3", 100)]


def test_a_release_can_be_rolled_out_again_and_an_old_one_too() -> None:
    """If this fails building the same commit twice ends with a tag given twice, which Cloud Run refuses."""
    service = {"traffic": [entry("r1", "t1"), entry("r9", "t9", 100)]}
    made = hours_ago(r1=90, r5=50, r9=3)

    assert targets(service, "r9", made, NOW, {"t9": "r9"}) == [entry("r9", "t9", 100)]
    assert targets(service, "r9", made, NOW, {"t5": "r5"}) == [entry("r9", "t9", 100), entry("r5", "t5")]
    assert targets(service, "r5", made, NOW, {"t5": "r5"}) == [entry("r9", "t9"), entry("r5", "t5", 100)]


def test_going_back_needs_no_tag() -> None:
    """If this fails functions, which have no tags, cannot be put back."""
    latest = {"traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}]}
    latest["latestReadyRevision"] = "projects/p/locations/l/services/floyd-api/revisions/api-7"  # type: ignore[assignment]

    assert serving(latest) == "api-7"
    assert targets(latest, "api-6", {}, NOW) == [{"type": BY_REVISION, "revision": "api-6", "percent": 100}]


class Api(BaseHTTPRequestHandler):
    """The Cloud Run Admin API v2, of one region, as far as traffic goes; and the relays behind it at /ready."""

    services: dict[str, dict[str, Any]]
    log: list[str]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/ready":
            self.log.append("ready")
            return self._answer({})
        name = path.removeprefix(f"{PARENT}/services").strip("/")
        if not name:
            return self._answer({"services": list(self.services.values())})
        if name.endswith("/revisions"):
            service = name.removesuffix("/revisions")
            revisions = [f"{service}-{number}" for number in (1, 2)]
            made = [
                {"name": f"{PARENT[1:]}/services/{service}/revisions/{each}", "createTime": at.isoformat()}
                for each, at in zip(revisions, (NOW, datetime.now(UTC)), strict=True)
            ]
            return self._answer({"revisions": made})
        return self._answer(self.services[name])

    def do_PATCH(self) -> None:
        assert self.path.endswith("?updateMask=traffic")
        assert self.headers["authorization"] == "Bearer token"
        name = self.path.partition("?")[0].rsplit("/", 1)[-1]
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        tags = [each["tag"] for each in body["traffic"] if each.get("tag")]
        if len(tags) != len(set(tags)) or sum(each.get("percent", 0) for each in body["traffic"]) != 100:
            return self._answer({"error": {"code": 400, "message": "invalid traffic"}}, 400)
        self.services[name]["traffic"] = body["traffic"]
        self.log.append(f"{name} {serving(self.services[name])} {','.join(tags)}")
        return self._answer({"name": "operations/1"})

    def _answer(self, body: dict[str, Any], status: int = 200) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def api() -> Iterator[type[Api]]:
    def service(name: str) -> dict[str, Any]:
        return {
            "name": f"projects/p/locations/l/services/{name}",
            "traffic": [entry(f"{name}-1", "t1", 100)],
            "latestReadyRevision": f"projects/p/locations/l/services/{name}/revisions/{name}-2",
            "terminalCondition": {"state": "CONDITION_SUCCEEDED"},
        }

    names = ("floyd-relay-0", "floyd-relay-1", "somebody-elses")
    handler = type("Handler", (Api,), {"services": {name: service(name) for name in names}, "log": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.address = f"127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, daemon=True).start()
    yield handler
    server.shutdown()
    server.server_close()


def test_shards_are_moved_one_after_the_other_and_all_put_back(api: Any) -> None:
    """If this fails a relay gets calls before it is ready, or a failed release cannot be undone."""
    client = httpx2.Client(base_url=f"http://{api.address}", headers={"authorization": "Bearer token"}, trust_env=False)
    cloud = CloudRun(client, PARENT)
    before = {each["name"].rsplit("/", 1)[-1]: serving(each) for each in cloud.services()}
    relays = [
        {"service": f"floyd-relay-{n}", "revision": f"floyd-relay-{n}-2", "tag": "t2", "url": f"ws://{api.address}"}
        for n in (0, 1)
    ]

    roll_out(cloud, relays)
    assert api.log == [
        "floyd-relay-0 floyd-relay-0-1 t1,t2",
        "ready",
        "floyd-relay-0 floyd-relay-0-2 t1,t2",
        "floyd-relay-1 floyd-relay-1-1 t1,t2",
        "ready",
        "floyd-relay-1 floyd-relay-1-2 t1,t2",
    ]

    roll_back(cloud, before)
    assert sorted(before) == ["floyd-relay-0", "floyd-relay-1"]
    assert {serving(each) for each in cloud.services()} == {"floyd-relay-0-1", "floyd-relay-1-1"}


def test_a_relay_that_never_gets_ready_gets_no_calls(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails a release that cannot start takes all calls."""
    monkeypatch.setattr(rollout, "SETTLED_S", 0.0)
    client = httpx2.Client(base_url=f"http://{api.address}", headers={"authorization": "Bearer token"}, trust_env=False)
    dead = {"service": "floyd-relay-0", "revision": "floyd-relay-0-2", "tag": "t2", "url": "ws://127.0.0.1:9"}

    with pytest.raises(TimeoutError, match="does not say that it is ready"):
        roll_out(CloudRun(client, PARENT), [dead])

    assert serving(api.services["floyd-relay-0"]) == "floyd-relay-0-1"
