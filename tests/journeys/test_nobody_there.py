"""Nobody picks up, or the line is busy: each is called what it is, and tried again later rather than at once."""

from datetime import UTC, datetime, timedelta

import pytest

from floyd.documents import Status
from floyd.lifecycle.errand import REDIAL_AFTER
from tests.journeys.town import DEADLINE_S, Town, finished

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def test_the_next_call_is_spaced_and_the_reason_is_kept(town: Town) -> None:
    """If this fails Floyd rings on and on, gives up at once, or takes a busy line for an empty house."""
    phones = {"no_answer": town.callee(outcome="no-answer"), "busy": town.callee(outcome="busy")}
    errands = {}
    for reason, phone in phones.items():
        tom = town.requester()
        tom.knows(school_name="Lincoln Elementary", school_number=phone.number, child_name="Mara Baker")
        errands[reason] = tom.request("Tell Mara's school that she is sick today"), tom

    for reason, (errand, tom) in errands.items():
        view = errand.wait_until(
            lambda view: view.request is not None and view.request.attempt == 2 or view.finished, DEADLINE_S
        )
        assert view.request is not None
        assert view.request.status is Status.READY
        assert view.calls[1].end_reason == reason
        wait = view.request.not_before - view.calls[1].ended_at
        assert abs(wait - REDIAL_AFTER[0]) < timedelta(minutes=1)
        assert view.request.not_before > datetime.now(UTC)
        assert len(phones[reason].rings()) == 1
        assert view.turns == {}
        # The second attempt is not for this journey.
        tom.client.call("POST", f"/requests/{errand.rid}/cancel")
        view = errand.wait_until(finished, DEADLINE_S)
        assert view.request is not None
        assert view.request.status is Status.CANCELLED
        assert len(phones[reason].rings()) == 1
