"""The phone network loses answers, and tells things twice and in the wrong order."""

import pytest

from floyd.documents import Status
from tests.journeys.library import NEWS, NOTED, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished
from tests.journeys.trouble import Trouble

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def test_an_order_whose_answer_was_lost_rings_once_and_is_found(town: Town, trouble: Trouble) -> None:
    """If this fails a phone rings twice for one request, or nobody learns what became of the call."""
    callee = library(town)
    trouble.with_network(on="create", accept_then_drop=1)

    view = reader(town, callee).request(NEWS).wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert len(callee.rings()) == 1
    assert view.calls[1].sid == callee.rings()[0]["call_sid"]


def test_callbacks_that_come_twice_and_in_the_wrong_order_change_nothing(town: Town, trouble: Trouble) -> None:
    """If this fails a finished call goes back to ringing, or is counted twice."""
    callee = library(town)
    trouble.with_network(duplicate_callbacks=2, reorder_callbacks=True)

    view = reader(town, callee).request(NEWS).wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert list(view.calls) == [1]
    assert len(callee.rings()) == 1
    assert [turn.heard for turn in view.turns.values() if turn.speaker == "callee"][-1] == NOTED
