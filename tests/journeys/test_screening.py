"""A screening robot asks who calls and why: it gets the approved words, and the person behind it hears them again."""

import pytest

from floyd.documents import Status
from tests.journeys.library import NEWS, NOTED, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def test_a_screening_robot_lets_floyd_through(town: Town) -> None:
    """If this fails nobody with a screening phone can be called."""
    phone = library(
        town,
        greeting="hi if you record your name and reason for calling i'll see if this person is available",
        patience_s=60,
        lines=[
            {"say": "please stay on the line"},
            {"say": "hello this is oak library", "wait_for": "nothing", "pause_s": 4},
            {"say": NOTED, "hang_up": True},
        ],
    )
    errand = reader(town, phone).request(NEWS)

    errand.wait_until(lambda view: view.live is not None and view.live.line == "screening", DEADLINE_S)
    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert phone.heard().count("this is an ai assistant calling for tom baker") == 2
    assert phone.said()[-1] == NOTED
