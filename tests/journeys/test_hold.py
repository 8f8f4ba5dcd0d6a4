"""Music on the line: nobody to talk to until somebody comes back."""

import pytest

from floyd.documents import Status
from tests.journeys.library import NEWS, NOTED, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def test_nobody_is_talked_to_on_hold_and_whoever_comes_back_is_told_who_calls(town: Town) -> None:
    """If this fails Floyd chats to hold music, does not notice the next person, or never says to them who calls."""
    desk = library(
        town,
        greeting="all of our librarians are currently busy please stay on the line",
        patience_s=60,
        lines=[
            {"play": "music", "seconds": 15, "wait_for": "nothing"},
            {"say": "your call is important to us", "wait_for": "nothing"},
            {"play": "music", "seconds": 8, "wait_for": "nothing"},
            {"say": "thanks for holding this is oak library how can i help", "wait_for": "nothing"},
            {"say": NOTED, "hang_up": True},
        ],
    )
    errand = reader(town, desk).request(NEWS)

    view = errand.wait_until(lambda view: view.live is not None and view.live.line == "hold", DEADLINE_S)
    assert view.live is not None
    assert view.live.line_since is not None
    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert desk.heard().startswith("hello this is an ai assistant calling for tom baker")
    assert desk.heard().count("ai assistant") == 1
    assert [turn.speaker for turn in view.turns.values()].count("floyd") == 1, "only the person is answered"
