"""Vendors that fail: for a moment, so that nobody notices, or for good, so that everybody learns why."""

from hashlib import sha256

import pytest

from floyd.documents import Status
from tests.journeys.library import NEWS, NOTED, library, reader
from tests.journeys.town import DEADLINE_S, Requester, Town, finished
from tests.journeys.trouble import Trouble

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)
QUESTION = "which book is it please"
FOR_GOOD = 1000


def name_at_model(person: Requester) -> str:
    return sha256(person.client.uid.encode()).hexdigest()[:32]


@pytest.mark.parametrize(("failures", "end"), [(2, Status.DONE), (3, Status.FAILED)])
def test_planning_is_tried_three_times(town: Town, trouble: Trouble, failures: int, end: Status) -> None:
    """If this fails a moment of the model's weakness loses a request, or a request that kills it is tried for ever."""
    person = reader(town, library(town))
    trouble.with_model("status", of="plan", status=500, count=failures)

    view = person.request(NEWS, dry_run=True).wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is end
    assert len(trouble.sent_to_model(name_at_model(person), "plan")) == 3
    if end is Status.FAILED:
        assert view.request.status_reason == "Floyd could not plan this."


def test_nobody_notices_vendors_that_fail_for_a_moment(town: Town, trouble: Trouble) -> None:
    """If this fails one refused connection costs the callee's words, or ours."""
    callee = library(town, lines=[{"say": QUESTION}, {"say": NOTED, "hang_up": True}])
    person = reader(town, callee)
    person.knows(book_name="purple heron")
    errand = person.request("Tell Oak Library that my book is lost")
    errand.wait_until(lambda view: bool(view.turns), DEADLINE_S)
    trouble.with_ears("status", live=True, times=1)
    trouble.with_model("status", of="talk", status=500)
    trouble.with_voice("status", times=1)

    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert [turn.heard for turn in view.turns.values() if turn.speaker == "callee"] == callee.said()
    heard = callee.heard()
    assert "purple heron" in heard
    assert "technical problem" not in heard


@pytest.mark.parametrize("vendor", ["model", "ears", "voice"])
def test_a_vendor_that_is_gone_ends_the_call_with_an_apology(town: Town, trouble: Trouble, vendor: str) -> None:
    """If this fails a callee listens to silence, and the person never learns that it was not the callee's fault."""
    callee = library(town, lines=[{"say": QUESTION}], patience_s=20)
    person = reader(town, callee)
    person.knows(book_name="purple heron")  # the answer is a sentence that nobody has rendered
    errand = person.request(NEWS)
    errand.wait_until(lambda view: bool(view.turns), DEADLINE_S)
    match vendor:
        case "model":
            trouble.with_model("status", of="talk", status=500, count=FOR_GOOD)
        case "ears":
            trouble.with_ears("status", live=True, times=FOR_GOOD)
        case _:
            trouble.with_voice("status", times=FOR_GOOD)

    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.outcome is not None
    assert (view.request.status, view.request.outcome.category) == (Status.FAILED, "vendor_failed")
    assert view.request.status_reason
    assert len(callee.rings()) == 1
    assert "i am sorry i have a technical problem" in callee.heard()


def test_a_voice_that_was_never_there_leaves_no_call_behind(town: Town, trouble: Trouble) -> None:
    """If this fails a call without any voice stays open, or is called a success."""
    callee = library(town, lines=[], patience_s=20)
    trouble.with_voice("status", times=FOR_GOOD)

    # A name of its own: what was rendered for others is still there.
    view = reader(town, callee, "Una Hill").request(NEWS).wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.FAILED
    assert view.request.status_reason
    assert "una hill" not in callee.heard()
    assert "garbled" not in callee.heard()
    assert len(callee.rings()) == 1
