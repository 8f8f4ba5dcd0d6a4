"""Words become a call, and the call a result that can be checked."""

import pytest

from floyd.documents import Status
from tests.journeys.town import DEADLINE_S, Town, finished

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def test_a_school_is_told_that_a_child_is_sick(town: Town) -> None:
    """If this fails Floyd does not do its main job."""
    school = town.callee("school")
    tom = town.requester()
    tom.knows(school_name="Lincoln Elementary", school_number=school.number)
    tom.knows(child_name="Mara Baker", child_teacher="Mrs. Green")

    errand = tom.request("Tell Mara's school that she is sick today and will be back tomorrow")
    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert view.request.outcome is not None
    assert any(claim.proved for claim in view.request.outcome.claims)
    # The phone is the judge: it rang once, and what Floyd meant to say is what was heard there.
    assert len(school.rings()) == 1
    heard = school.heard()
    for words in ("assistant calling for tom baker", "mara is sick today", "mara baker", "mrs green"):
        assert words in heard
    spoken = [turn.heard for turn in view.turns.values() if turn.speaker == "callee"]
    assert [line for line in school.said() if line in spoken] == school.said()
