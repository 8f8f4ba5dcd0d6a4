"""The phone network carries an order out and its answer is lost."""

import pytest

from floyd.documents import Status
from tests.journeys.library import NEWS, library, reader
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
