"""The phone network's answer to an order is lost, whether it was carried out or not."""

import pytest

from floyd.documents import Status
from tests.journeys.library import NEWS, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished
from tests.journeys.trouble import Trouble

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


@pytest.mark.parametrize(("fault", "attempt"), [("accept_then_drop", 1), ("drop_before_accept", 2)])
def test_an_order_whose_answer_was_lost_rings_once(town: Town, trouble: Trouble, fault: str, attempt: int) -> None:
    """If this fails a phone rings twice for one request, or not at all, or nobody learns what became of the call."""
    callee = library(town)
    trouble.with_network(on="create", **{fault: 1})

    view = reader(town, callee).request(NEWS).wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert len(callee.rings()) == 1
    assert view.calls[attempt].sid == callee.rings()[0]["call_sid"]
