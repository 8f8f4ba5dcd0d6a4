"""Traffic of a release: remembered before it, moved shard by shard, put back when it fails.

    python -m deploy.rollout remember BEFORE.json
    python -m deploy.rollout forward OUTPUTS.json     the output of `terraform output -json`
    python -m deploy.rollout back BEFORE.json

A relay's revisions are reached by their tags. New calls go to the revision with the traffic (`floyd.relays`); calls
under way stay where they are, so nothing is dropped and nothing is waited for.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx2

from floyd.command.cloud import google_token

API = "https://run.googleapis.com/v2"
REQUEST_S = 30.0
SETTLED_S = 180.0
POLL_S = 2.0
# A call lasts at most an hour and its listeners need the tag as long; the rest is for the roll-out itself.
TAG_KEPT = timedelta(hours=2)
BY_REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"

Service = Mapping[str, Any]


def serving(service: Service) -> str:
    """The revision that has the traffic, by its short name."""
    by_name = (each["revision"] for each in service.get("traffic", ()) if each.get("percent") and each.get("revision"))
    return str(next(by_name, service["latestReadyRevision"].rsplit("/", 1)[-1]))


def targets(
    service: Service,
    to: str,
    created: Mapping[str, datetime],
    now: datetime,
    new: Mapping[str, str] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """All traffic to one revision. `new` tags are given, and every tag whose last call may still go on stays.

    `created`: when each revision was made. A revision was replaced when the next one was made.
    """
    wanted = []
    known = {each["tag"]: each["revision"] for each in service.get("traffic", ()) if each.get("tag")}
    for tag, revision in {**known, **new}.items():
        later = [at for at in created.values() if revision in created and at > created[revision]]
        if revision == to or tag in new or not later or now - min(later) < TAG_KEPT:
            wanted.append({"type": BY_REVISION, "revision": revision, "tag": tag})
    carrier = next((each for each in wanted if each["revision"] == to), None)
    if carrier is None:
        wanted.append(carrier := {"type": BY_REVISION, "revision": to})
    carrier["percent"] = 100
    return wanted


@dataclass(frozen=True, slots=True)
class CloudRun:
    """The services of one region, through the Cloud Run Admin API."""

    client: httpx2.Client
    parent: str

    def services(self) -> list[Service]:
        """Floyd's own: the relays, and the services beneath the functions."""
        answer = self._get(f"{self.parent}/services?pageSize=500")
        found: list[Service] = answer.get("services", [])
        return [each for each in found if each["name"].rsplit("/", 1)[-1].startswith("floyd-")]

    def move(self, name: str, to: str | None = None, new: Mapping[str, str] = MappingProxyType({})) -> None:
        """Give a service's traffic to a revision (None: leave it), and `new` tags to theirs; wait until it is so."""
        path = f"{self.parent}/services/{name}"
        service, made = self._get(path), self._get(f"{path}/revisions?pageSize=100").get("revisions", [])
        created = {each["name"].rsplit("/", 1)[-1]: datetime.fromisoformat(each["createTime"]) for each in made}
        wanted = targets(service, to or serving(service), created, datetime.now(UTC), new)
        self.client.patch(f"{path}?updateMask=traffic", json={"traffic": wanted}).raise_for_status()
        deadline = time.monotonic() + SETTLED_S
        while (service := self._get(path)).get("reconciling"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name}: traffic has not moved for {SETTLED_S:.0f} s")
            time.sleep(POLL_S)
        condition = service["terminalCondition"]
        if condition["state"] != "CONDITION_SUCCEEDED":
            raise RuntimeError(f"{name}: {condition.get('message', condition['state'])}")

    def _get(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(path).raise_for_status().json()
        return found


def roll_out(cloud: CloudRun, relays: Sequence[Mapping[str, str]]) -> None:
    """Shard by shard: tag the new revision, see it ready, move the traffic. Raises at the first that fails."""
    for relay in relays:
        new = {relay["tag"]: relay["revision"]}
        cloud.move(relay["service"], new=new)
        _wait_until_ready(relay["url"])
        cloud.move(relay["service"], relay["revision"], new)
        sys.stdout.write(f"{relay['service']}: {relay['revision']} has the traffic\n")


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + SETTLED_S
    address = "http" + url.removeprefix("ws") + "/ready"
    while True:
        try:
            if httpx2.get(address, timeout=REQUEST_S).status_code == 200:
                return
        except httpx2.TransportError:
            pass  # the address of a fresh tag takes a moment to be known
        if time.monotonic() > deadline:
            raise TimeoutError(f"{address} does not say that it is ready")
        time.sleep(POLL_S)


def roll_back(cloud: CloudRun, before: Mapping[str, str]) -> None:
    """Everything to the revision it had. Calls that the release already holds end there, by its tags."""
    for name, revision in before.items():
        cloud.move(name, revision)
        sys.stdout.write(f"{name}: back at {revision}\n")


def main(command: str, path: Path) -> None:
    headers = {"authorization": f"Bearer {google_token()}"}
    client = httpx2.Client(base_url=API, headers=headers, timeout=REQUEST_S)
    cloud = CloudRun(client, f"/projects/{os.environ['PROJECT_ID']}/locations/{os.environ['REGION']}")
    if command == "remember":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({each["name"].rsplit("/", 1)[-1]: serving(each) for each in cloud.services()}))
    elif command == "forward":
        relays = json.loads(path.read_text())["relays"]["value"]
        roll_out(cloud, [relays[shard] for shard in sorted(relays)])
    else:
        roll_back(cloud, json.loads(path.read_text()))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
