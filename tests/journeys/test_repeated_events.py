"""Every event of an errand comes many times at once, and every word of the carrier thrice and in the wrong order."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import httpx2
import pytest
from google.events.cloud.firestore import Document, DocumentEventData

from floyd.documents import Status
from tests.journeys.library import NEWS, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished
from tests.journeys.trouble import Trouble

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)
COPIES = 10


def deliver(function: str, project: str, document: str) -> list[int]:
    """Post the event of a document's creation ten times at once; what the function answered."""
    name = f"projects/{project}/databases/(default)/documents/{document}"
    headers = {
        "ce-id": uuid.uuid4().hex,
        "ce-type": "google.cloud.firestore.document.v1.created",
        "ce-source": f"//firestore.googleapis.com/projects/{project}/databases/(default)",
        "ce-specversion": "1.0",
        "ce-subject": f"documents/{document}",
        "ce-document": document,
        "content-type": "application/protobuf",
    }
    body = DocumentEventData.serialize(DocumentEventData(value=Document(name=name)))
    with httpx2.Client(timeout=DEADLINE_S) as http, ThreadPoolExecutor(COPIES) as pool:
        answers = pool.map(lambda _: http.post(function, headers=headers, content=body).status_code, range(COPIES))
        return list(answers)


def test_copies_make_one_plan_one_ring_and_one_result(town: Town, trouble: Trouble) -> None:
    """If this fails a repeated event plans, rings or judges again, or a finished call goes back to ringing."""
    callee = library(town)
    trouble.with_network(duplicate_callbacks=2, reorder_callbacks=True)
    person = reader(town, callee)
    errand = person.request(NEWS)
    running = town.stack.running
    path = f"users/{person.client.uid}/requests/{errand.rid}"

    answers = deliver(running.plan, running.project, f"{path}/jobs/new-1")
    errand.wait_until(lambda view: bool(view.calls), DEADLINE_S)
    answers += deliver(running.dial, running.project, f"{path}/calls/1")
    view = errand.wait_until(finished, DEADLINE_S)
    for function, document in (
        (running.plan, "jobs/new-1"),
        (running.plan, "jobs/outcome-1"),
        (running.dial, "calls/1"),
    ):
        answers += deliver(function, running.project, f"{path}/{document}")

    assert set(answers) == {200}
    assert view.request is not None
    assert view.request.status is Status.DONE
    assert errand.view.request == view.request
    assert list(view.calls) == [1]
    assert len(callee.rings()) == 1
    asked = sha256(person.client.uid.encode()).hexdigest()[:32]
    assert len(trouble.sent_to_model(asked, "plan")) == 1
    assert len(trouble.sent_to_model(asked, "outcome")) == 1
