"""The model that reads the call invents what it came to: the person is not told so."""

import json

import pytest

from floyd.documents import Status
from tests.journeys.library import NEWS, library, reader
from tests.journeys.town import DEADLINE_S, Town, finished
from tests.journeys.trouble import Trouble

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)

GREETING, OPENING, NOTED = 1, 2, 3
"""The turns of the call."""
WRONG = {
    "the words of another turn": ("They have written it down.", GREETING),
    "a number that nobody said": ("They have written down 40 dollars.", NOTED),
    "a day that nobody said": ("They have written it down for Friday.", NOTED),
    "our own words": ("The book will be back tomorrow.", OPENING),
    "a turn that does not exist": ("They have written it down.", 40),
}


def test_claims_that_their_turns_do_not_hold_are_not_believed(town: Town, trouble: Trouble) -> None:
    """If this fails Floyd reports as settled what nobody said."""
    oak = library(town)
    outcome = {
        "category": "done",
        "summary": "It is all settled.",
        "claims": [{"text": text, "turns": [turn]} for text, turn in WRONG.values()],
        "tasks": [],
        "facts": [{"key": "fee", "value": "40 dollars", "turn": NOTED}],
    }
    trouble.with_model("reply", of="outcome", text=json.dumps(outcome))
    view = reader(town, oak).request(NEWS).wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.outcome is not None
    assert [view.turns[turn].speaker for turn in (GREETING, OPENING, NOTED)] == ["callee", "floyd", "callee"]
    assert {claim.text for claim in view.request.outcome.claims if claim.proved} == set()
    assert view.request.status is Status.UNCONFIRMED
    assert "settled" not in view.request.outcome.summary
    assert view.request.outcome.facts == []
