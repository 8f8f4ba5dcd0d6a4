"""The store answers nobody for a while, in the middle of a call."""

import pytest

from floyd.documents import Status
from tests.journeys.library import NOTED, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished
from tests.journeys.trouble import Trouble, wait_until

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)
LINES = ["which book is it please", "and who is calling please", NOTED]


def test_the_talk_goes_on_and_nothing_of_it_is_lost(town: Town, trouble: Trouble) -> None:
    """If this fails a callee waits for Floyd's database, or what was said meanwhile is forgotten."""
    callee = library(town, lines=[{"say": line, "hang_up": line == NOTED} for line in LINES])
    person = reader(town, callee)
    person.knows(book_name="purple heron")
    errand = person.request("Tell Oak Library that my book is lost")
    errand.wait_until(lambda view: any(turn.heard == LINES[0] for turn in view.turns.values()), DEADLINE_S)

    trouble.freeze("firestore")
    # Two more turns of both, and the end of the call: more than ten seconds.
    sid = callee.rings()[0]["call_sid"]
    wait_until(lambda: town.network.call(sid, words=False)["end_time"] is not None, DEADLINE_S, "the talk hangs")
    trouble.thaw("firestore")
    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert [turn.heard for turn in view.turns.values() if turn.speaker == "callee"] == callee.said()
    assert len(callee.rings()) == 1
