"""The person changes their mind, at any moment."""

import pytest

from floyd.documents import Status
from tests.journeys.library import NEWS, NOTED, library, reader
from tests.journeys.town import DEADLINE_S, Requester, Town, finished, has_status
from tests.journeys.trouble import Trouble, wait_until

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def cancel(person: Requester, rid: str) -> str:
    return str(person.client.call("POST", f"/requests/{rid}/cancel")["status"])


def test_before_dialling_nobody_is_rung(town: Town) -> None:
    """If this fails a phone rings after Floyd has said that it will not."""
    callee = library(town)
    person = reader(town, callee)
    at_once = person.request(NEWS)
    assert cancel(person, at_once.rid) == "cancelled"
    later = person.request(NEWS, not_before="2030-01-01T12:00:00Z")
    later.wait_until(has_status(Status.READY), DEADLINE_S)
    assert cancel(person, later.rid) == "cancelled"

    for errand in (at_once, later):
        view = errand.wait_until(finished, DEADLINE_S)
        assert view.request is not None
        assert view.request.status is Status.CANCELLED
        assert cancel(person, errand.rid) == "cancelled"
    # Whatever was on its way when they were cancelled has come to its end when a later request has.
    person.request(NEWS, dry_run=True).wait_until(finished, DEADLINE_S)
    assert callee.rings() == []


@pytest.mark.parametrize("moment", ["queued", "ringing"])
def test_a_phone_that_has_not_been_answered_falls_silent(town: Town, trouble: Trouble, moment: str) -> None:
    """If this fails somebody picks up and is spoken to about something that nobody wants any more."""
    callee = library(town, answer_after_s=40)
    person = reader(town, callee)
    trouble.with_network(queue_s=40 if moment == "queued" else 0)
    errand = person.request(NEWS)
    called = errand.wait_until(lambda view: bool(view.calls and view.calls[1].sid), DEADLINE_S)
    if moment == "ringing":
        errand.wait_until(has_status(Status.RINGING), DEADLINE_S)

    cancel(person, errand.rid)
    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.CANCELLED
    assert called.calls[1].sid is not None
    assert town.network.call(called.calls[1].sid)["status"] == "canceled"
    assert len(callee.rings()) == (1 if moment == "ringing" else 0)
    assert not view.turns


def test_a_talk_is_ended_politely(town: Town) -> None:
    """If this fails a cancelled call goes on, or is cut without a goodbye."""
    callee = library(town, lines=[{"say": "which book is it please"}, {"say": NOTED}], patience_s=20)
    person = reader(town, callee)
    errand = person.request(NEWS)
    errand.wait_until(lambda view: bool(view.turns), DEADLINE_S)

    assert cancel(person, errand.rid) == "talking"
    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.CANCELLED
    assert callee.heard().endswith("i have to end the call now goodbye")
    sid = callee.rings()[0]["call_sid"]
    wait_until(lambda: town.network.call(sid, words=False)["end_time"] is not None, DEADLINE_S, "the line stays open")
