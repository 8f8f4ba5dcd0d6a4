"""Nobody picks up, or the line is busy: each is called what it is, and tried again later rather than at once."""

from datetime import timedelta

import pytest

from floyd.command.errand import ErrandView
from floyd.documents import Status
from floyd.lifecycle.limits import REDIAL_AFTER
from tests.journeys.library import NEWS, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def test_the_next_call_is_spaced_and_the_reason_is_kept(town: Town) -> None:
    """If this fails Floyd rings on and on, gives up at once, or takes a busy line for an empty house."""
    phones = {"no_answer": library(town, outcome="no-answer"), "busy": library(town, outcome="busy")}
    people = {reason: reader(town, phone) for reason, phone in phones.items()}
    errands = {reason: person.request(NEWS) for reason, person in people.items()}

    for reason, errand in errands.items():
        view = errand.wait_until(lambda view: second_attempt(view) or view.finished, DEADLINE_S)
        assert view.request is not None
        assert view.request.status is Status.READY
        call = view.calls[1]
        assert call.end_reason == reason
        assert call.ended_at is not None
        assert view.request.not_before is not None
        assert abs(view.request.not_before - call.ended_at - REDIAL_AFTER[0]) < timedelta(minutes=1)
        assert not view.turns

        # What is to come can still be called off, and nobody was rung twice meanwhile.
        people[reason].client.call("POST", f"/requests/{errand.rid}/cancel")
        view = errand.wait_until(finished, DEADLINE_S)
        assert view.request is not None
        assert view.request.status is Status.CANCELLED
        assert len(phones[reason].rings()) == 1


def second_attempt(view: ErrandView) -> bool:
    return view.request is not None and view.request.attempt == 2
