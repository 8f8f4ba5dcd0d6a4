"""A voice that stops in the middle of a sentence."""

import pytest

from floyd.documents import Status
from tests.journeys.library import NOTED, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished
from tests.journeys.trouble import Trouble

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def test_a_sentence_that_was_cut_off_is_said_again(town: Town, trouble: Trouble) -> None:
    """If this fails a callee hears half an answer, and the record says that they heard all of it."""
    callee = library(town, lines=[{"say": "which book is it please"}, {"say": NOTED, "hang_up": True}])
    person = reader(town, callee)
    person.knows(book_name="the purple heron of the northern lakes")
    errand = person.request("Tell Oak Library that my book is lost")
    errand.wait_until(lambda view: bool(view.turns), DEADLINE_S)
    trouble.with_voice("truncated", times=1)

    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert "northern lakes" in callee.heard()
    answer = next(turn for turn in view.turns.values() if turn.speaker == "floyd" and "heron" in turn.heard)
    assert answer.heard.count("heron") == 1
