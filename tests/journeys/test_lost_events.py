"""Events never come: what the sweep alone makes of every request."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from floyd.command.stack import CALLER_NUMBER
from floyd.documents import Call, CallStatus, Lease, Request, Status
from tests.journeys.library import NEWS, library, reader
from tests.journeys.town import DEADLINE_S, Callee, Requester, Town, finished
from tests.journeys.trouble import Trouble

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)
LONG_AGO = timedelta(days=1)
# The most steps that a request may take: three hints, three intents, and the outcome's three hints.
PASSES = 12
UNNAMED = (CallStatus.INTENDED, CallStatus.POSTING, CallStatus.UNKNOWN)


@pytest.fixture
def documents(town: Town) -> Iterator[firestore.Client]:
    """Firestore as an operator sees it."""
    client = firestore.Client(project=town.stack.running.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    yield client
    client.close()  # type: ignore[no-untyped-call]


class Forgotten:
    """One person's requests, written into the middle of their lives, of which no event will ever come."""

    def __init__(self, person: Requester, callee: Callee, documents: firestore.Client) -> None:
        self._requests = documents.collection("users", person.client.uid, "requests")
        self._callee = callee

    def request(self, status: Status, call: CallStatus | None = None, **fields: Any) -> str:
        """Write a request of yesterday in this status, with a call in that one; its id."""
        now, rid = datetime.now(UTC), uuid.uuid4().hex[:20]
        known = {"text": NEWS, "plan": self._plan(), "created_at": now - LONG_AGO, "deadline": now - LONG_AGO}
        self._requests.document(rid).set(Request.model_validate({"status": status} | known | fields).to_store())
        if call is not None:
            intent = {"from": CALLER_NUMBER, "status": call, "created_at": now - LONG_AGO, "not_after": now - LONG_AGO}
            sid = None if call in UNNAMED else f"CA{uuid.uuid4().hex}"
            document = Call.model_validate({"to": self._callee.number, "epoch": 1, "sid": sid, **intent})
            self._requests.document(rid).collection("calls").document("1").set(document.to_store())
        return rid

    def _plan(self) -> dict[str, Any]:
        words = {"goal": NEWS, "opening": "I am calling about a book.", "voicemail": ""}
        lists: dict[str, list[str]] = {
            name: [] for name in ("done_when", "facts_needed", "facts_missing", "steps", "questions")
        }
        callee = {"name": "Oak Library", "number": self._callee.number, "number_source": "fact"}
        mandate = {"max_amount": "0", "currency": "USD", "times": [], "promises": []}
        return {"needs_call": True, "callee": callee, "mandate": mandate} | words | lists

    def read(self) -> dict[str, Request]:
        return {each.id: Request.from_store(each.to_dict()) for each in self._requests.stream()}

    def age(self) -> None:
        """A day passes for everything that is under way."""
        for rid, request in self.read().items():
            moments = {"deadline": datetime.now(UTC) - LONG_AGO}
            if request.lease is not None:
                moments["lease.until"] = moments["deadline"]
            self._requests.document(rid).update(moments)


def test_the_sweep_alone_brings_every_request_to_an_end(
    town: Town, trouble: Trouble, documents: firestore.Client
) -> None:
    """If this fails a lost event leaves a request where it is for ever, and a spinner on somebody's screen."""
    callee = library(town)
    person = reader(town, callee)
    forgotten = Forgotten(person, callee, documents)
    trouble.kill("dispatcher")
    lease = Lease(owner="dead", epoch=1, until=datetime.now(UTC) - LONG_AGO)
    expected = {
        str(person.client.call("POST", "/requests", {"text": NEWS, "idempotency_key": "k"})["id"]): Status.FAILED,
        forgotten.request(Status.PLANNING, lease=lease, tries=1): Status.FAILED,
        forgotten.request(Status.WAITING): Status.FAILED,
        forgotten.request(Status.READY): Status.FAILED,
        forgotten.request(Status.DIALING, CallStatus.INTENDED): Status.FAILED,
        forgotten.request(Status.DIALING, CallStatus.POSTING): Status.FAILED,
        forgotten.request(Status.DIALING, CallStatus.UNKNOWN): Status.FAILED,  # the carrier's list has no such call
        forgotten.request(Status.DIALING, CallStatus.QUEUED): Status.UNCONFIRMED,
        forgotten.request(Status.RINGING, CallStatus.RINGING): Status.UNCONFIRMED,
        forgotten.request(Status.TALKING, CallStatus.IN_PROGRESS): Status.FAILED,
        forgotten.request(Status.WRAPPING, CallStatus.COMPLETED): Status.FAILED,
    }

    for _ in range(PASSES):
        forgotten.age()
        httpx2.post(town.stack.running.sweep, timeout=DEADLINE_S).raise_for_status()
    found = forgotten.read()

    assert {rid: request.status for rid, request in found.items()} == expected
    assert all(request.status_reason for request in found.values())
    assert all(request.outcome is not None for request in found.values())
    assert callee.rings() == []


def test_a_lost_event_only_delays(town: Town, trouble: Trouble, documents: firestore.Client) -> None:
    """If this fails one dropped event costs the person their request."""
    callee = library(town)
    person = reader(town, callee)
    trouble.kill("dispatcher")
    errand = person.request(NEWS, dry_run=True)
    errand.wait_until(lambda view: view.request is not None, DEADLINE_S)
    trouble.mend()
    Forgotten(person, callee, documents).age()

    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert view.request.plan is not None
