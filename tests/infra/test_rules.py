"""Who may do what with which document: the real rules in the real emulator, against every collection there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.functions.tokens import claims, unsigned
from tests.infra.conftest import INFRA

RULES = INFRA / "firestore.rules"
ACTIONS = ("get", "list", "create", "update", "delete")
READ, WRITE, NOTHING = frozenset({"get", "list"}), frozenset({"create", "update"}), frozenset[str]()
# What the owner may do; nobody else may do anything, whatever the collection.
OWNERS: dict[str, frozenset[str]] = {
    "users": WRITE | {"get"},
    "users/tom/facts": READ | WRITE | {"delete"},
    **dict.fromkeys([f"users/tom/{each}" for each in ("requests", "places", "disclosures", "tasks")], READ),
    **dict.fromkeys(
        [f"users/tom/requests/r1/{each}" for each in ("questions", "calls", "turns", "live", "events")], READ
    ),
    **dict.fromkeys([f"users/tom/requests/r1/{each}" for each in ("jobs", "tapes")], NOTHING),
    **dict.fromkeys(("callees", "deliveries", "dial_locks", "relays", "relays/a/inbox", "speech"), NOTHING),
    **dict.fromkeys(("spend", "stream_tokens", "system", "tombstones", "anything"), NOTHING),
}
# Somebody who signed in and was never admitted sees what is theirs, and changes nothing but what they take away.
ACTORS = {"owner": None, "not admitted": READ | {"delete"}, "other": NOTHING, "nobody": NOTHING}
PROFILE: dict[str, Any] = {"v": 1, "name": "Tom", "time_zone": "America/Chicago", "retention_days": 30}
FACT: dict[str, Any] = {"v": 1, "key": "school", "value": "Lincoln", "category": "place", "share": "always"}


class Documents:
    """One project of the emulator under our rules, as a client's library would reach it."""

    def __init__(self, address: str) -> None:
        self.project = f"demo-{uuid4().hex[:12]}"
        self.http = httpx2.Client(base_url=f"http://{address}", timeout=20, trust_env=False)
        source = {"rules": {"files": [{"name": "firestore.rules", "content": RULES.read_text()}]}}
        self.http.put(f"/emulator/v1/projects/{self.project}:securityRules", json=source).raise_for_status()

    def headers(self, actor: str) -> dict[str, str]:
        if actor == "nobody":
            return {}
        uid = "ann" if actor == "other" else "tom"
        token = unsigned(claims(self.project, uid, floyd=actor != "not admitted"))
        return {"authorization": f"Bearer {'owner' if actor == 'server' else token}"}

    def may(self, actor: str, action: str, path: str, fields: dict[str, Any]) -> bool:
        """Whether the emulator let it happen; anything but a plain yes or no fails the test."""
        root = f"/v1/projects/{self.project}/databases/(default)/documents/"
        collection, _, name = path.rpartition("/")
        body = {"fields": {key: _typed(value) for key, value in fields.items()}}
        method, address, content = {
            "get": ("GET", path, None),
            "list": ("GET", collection, None),
            "create": ("POST", f"{collection}?documentId={name}", body),
            "update": ("PATCH", path, body),
            "delete": ("DELETE", path, None),
        }[action]
        answer = self.http.request(method, root + address, json=content, headers=self.headers(actor))
        assert answer.status_code in (200, 403), answer.text
        return answer.status_code == 200


def _typed(value: Any) -> dict[str, Any]:
    if isinstance(value, int):
        return {"integerValue": str(value)}
    return {"mapValue": {"fields": {}}} if isinstance(value, dict) else {"stringValue": value}


@pytest.fixture(scope="module")
def documents(firestore_emulator: str) -> Iterator[Documents]:
    made = Documents(firestore_emulator)
    yield made
    made.http.close()


def contents(collection: str) -> dict[str, Any]:
    """Fields that only the actor, never the content, can have refused."""
    return PROFILE if collection == "users" else FACT


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("collection", OWNERS)
def test_everybody_may_do_what_the_table_says_and_nothing_else(
    documents: Documents, collection: str, actor: str
) -> None:
    """If this fails somebody reads a stranger's calls, or writes what only servers may."""
    name = "tom" if collection == "users" else f"d{uuid4().hex[:8]}"
    path, fields = f"{collection}/{name}", contents(collection)
    allowed = set()
    for action in ACTIONS:
        documents.may("server", "delete", path, {})
        if action != "create":
            assert documents.may("server", "create", path, fields)
        if documents.may(actor, action, path, fields):
            allowed.add(action)

    limit = ACTORS[actor]
    assert allowed == (OWNERS[collection] if limit is None else OWNERS[collection] & limit)


@pytest.mark.parametrize(
    ("collection", "changed"),
    [
        ("users", {"number": "+12125550100"}),
        ("users", {"limits": {}}),
        ("users", {"retention_days": 366}),
        ("users", {"name": "x" * 101}),
        ("users", {"admin": "yes"}),
        ("users/tom/facts", {"source": "call"}),
        ("users/tom/facts", {"share": "everybody"}),
        ("users/tom/facts", {"key": "Two Words"}),
        ("users/tom/facts", {"value": "x" * 501}),
        ("users/tom/facts", {"value": ""}),
        ("users/tom/facts", {"v": 2}),
        ("users/tom/facts", {"note": "x"}),
    ],
)
def test_what_a_person_writes_is_checked(documents: Documents, collection: str, changed: dict[str, Any]) -> None:
    """If this fails a client gives itself a verified number, a higher cap, or a fact nobody told."""
    path, fields = f"{collection}/{'tom' if collection == 'users' else 'f1'}", contents(collection)
    documents.may("server", "delete", path, {})
    assert not documents.may("owner", "create", path, fields | changed)
    assert documents.may("owner", "create", path, fields)
    assert not documents.may("owner", "update", path, fields | changed)


def test_every_collection_is_in_the_table() -> None:
    """If this fails a collection was added and nobody has said who may see it."""
    configured = json.loads((INFRA / "firestore.indexes.json").read_text())
    named = {each["collectionGroup"] for each in (*configured["indexes"], *configured["fieldOverrides"])}
    assert named <= {path.rsplit("/", 1)[-1] for path in OWNERS}
