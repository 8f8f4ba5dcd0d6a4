"""Somebody whom Floyd called rings its number back."""

import pytest

from floyd.command.stack import CALLER_NUMBER
from tests.journeys.library import NEWS, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished
from tests.journeys.trouble import wait_until

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def test_a_key_ends_all_calls_for_ever(town: Town) -> None:
    """If this fails people who ring back get no answer, or cannot make Floyd stop."""
    oak = library(town)
    person = reader(town, oak)
    person.request(NEWS).wait_until(finished, DEADLINE_S)

    ring = town.network.ring(oak.number, CALLER_NUMBER, {"voice": "tones", "lines": [{"press": "9"}]})
    wait_until(lambda: town.network.call(ring, words=False)["status"] == "completed", DEADLINE_S, "nobody hangs up")

    record = town.network.call(ring, words=False)
    assert not record["violations"]
    assert [each["verb"] for each in record["timeline"] if each["what"] == "verb"] == ["Gather", "Say", "Hangup"]
    view = person.request(NEWS).wait_until(finished, DEADLINE_S)
    assert view.request is not None
    assert view.request.outcome is not None
    assert view.request.outcome.category == "do_not_call"
    assert len(oak.rings()) == 1
