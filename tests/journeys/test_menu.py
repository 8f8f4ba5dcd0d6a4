"""A machine answers and wants keys: it is heard out, and whoever is behind it gets the news."""

import pytest

from floyd.documents import Status
from tests.journeys.library import NEWS, NOTED, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def test_two_menus_lead_to_a_person(town: Town) -> None:
    """If this fails menus are talked to, their tones are not understood, or nobody tells the person who calls."""
    switchboard = library(
        town,
        greeting="press one for opening hours press two for the operator",
        patience_s=60,
        lines=[
            {"label": "second", "say": "press five for books press seven for the operator", "wait_for": "keys"},
            {"label": "person", "say": "hello oak library", "wait_for": "keys"},
            {"say": NOTED, "hang_up": True},
        ],
        when=[{"keys": "2", "then": "second"}, {"keys": "7", "then": "person"}],
    )
    errand = reader(town, switchboard).request(NEWS)

    errand.wait_until(lambda view: view.live is not None and view.live.line == "menu", DEADLINE_S)
    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert len(switchboard.rings()) == 1
    assert switchboard.heard().split()[:6] == ["hello", "this", "is", "an", "ai", "assistant"], "no word to the menus"
    spoken = [turn.heard for turn in view.turns.values() if turn.speaker == "floyd"]
    assert spoken[:2] == ["(pressed 2)", "(pressed 7)"]
    assert view.calls[1].line == "person"
