"""When does what was said sound complete?"""

import pytest

from relay.core.patience import Completeness, completeness, patience_s
from relay.core.policy import Policy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We have roses.", Completeness.COMPLETE),
        ("What would you like?", Completeness.COMPLETE),
        ("yes", Completeness.COMPLETE),
        ("no thank you", Completeness.COMPLETE),
        ("we have roses", Completeness.UNCLEAR),
        ("we have roses and", Completeness.UNFINISHED),
        ("who are the flowers for", Completeness.UNCLEAR),
        ("would you like that", Completeness.UNCLEAR),
        ("the thing is that", Completeness.UNFINISHED),
        ("my name is", Completeness.UNFINISHED),
        ("The price is, ", Completeness.UNFINISHED),
        ("my number is five five five", Completeness.UNFINISHED),
        ("five five five one two one two", Completeness.UNCLEAR),
        ("That is five hundred and sixty dollars.", Completeness.COMPLETE),
        ("One moment, please.", Completeness.HOLD),
        ("Let me check that for you.", Completeness.HOLD),
        ("Could you hold, please?", Completeness.HOLD),
        ("One moment, okay, it is 50 dollars and we deliver on Friday.", Completeness.COMPLETE),
    ],
)
def test_completeness_of_interim_words(text: str, expected: Completeness) -> None:
    """If this fails callees are cut off in mid-number, or wait after a clear answer."""
    assert completeness(text, settled=False) is expected


def test_a_final_sounds_more_complete_than_an_interim() -> None:
    """If this fails recognisers without punctuation are slow for ever."""
    assert completeness("we have roses", settled=True) is Completeness.COMPLETE


def test_a_question_for_details_makes_patient() -> None:
    """If this fails a callee who spells a name is cut off between letters."""
    asked = "What is your name?"
    assert completeness("Rosie", settled=True, asked=asked) is Completeness.UNCLEAR
    assert completeness("rosie", settled=False, asked=asked) is Completeness.UNFINISHED
    assert completeness("yes", settled=False, asked=asked) is Completeness.COMPLETE


def test_patience_grows_with_incompleteness() -> None:
    """If this fails the classes mean nothing."""
    waits = [patience_s(judged, Policy()) for judged in Completeness]
    assert waits == sorted(waits)
