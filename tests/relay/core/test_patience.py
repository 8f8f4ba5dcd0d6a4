"""When does what was said sound complete?"""

import pytest

from relay.core.patience import Completeness, completeness, patience_s
from relay.core.policy import Policy
from tests.bench.pauses import paused, whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We have roses.", Completeness.COMPLETE),
        ("What would you like?", Completeness.COMPLETE),
        ("yes", Completeness.COMPLETE),
        ("no thank you", Completeness.COMPLETE),
        ("we have roses", Completeness.COMPLETE),
        ("we have roses and", Completeness.UNFINISHED),
        ("who are the flowers for", Completeness.COMPLETE),
        ("would you like that", Completeness.COMPLETE),
        ("roses and tulips", Completeness.UNCLEAR),
        ("the thing is that", Completeness.UNFINISHED),
        ("my name is", Completeness.UNFINISHED),
        ("The price is, ", Completeness.UNFINISHED),
        ("my number is five five five", Completeness.UNFINISHED),
        ("our number is five five five one two one two", Completeness.COMPLETE),
        ("That is five hundred and sixty dollars.", Completeness.COMPLETE),
        ("that would be eighty", Completeness.UNFINISHED),
        ("we are open from nine", Completeness.UNFINISHED),
        ("if you come before noon", Completeness.UNFINISHED),
        ("One moment, please.", Completeness.HOLD),
        ("Let me check that for you.", Completeness.HOLD),
        ("Could you hold, please?", Completeness.HOLD),
        ("One moment, okay, it is 50 dollars and we deliver on Friday.", Completeness.COMPLETE),
    ],
)
def test_completeness_of_words(text: str, expected: Completeness) -> None:
    """If this fails callees are cut off in mid-number, or wait after a clear answer."""
    assert completeness(text) is expected


def test_what_was_asked_shifts_the_patience() -> None:
    """If this fails a callee who spells a name is cut off between letters, or waits after a plain yes."""
    asked = "What is your name?"
    assert completeness("Rosie.", asked) is Completeness.UNCLEAR
    assert completeness("rosie", asked) is Completeness.UNFINISHED
    assert completeness("yes", asked) is Completeness.COMPLETE
    assert completeness("yes", "Is Friday all right?") is Completeness.ANSWER
    assert completeness("on friday", "Which would suit you?") is Completeness.COMPLETE


def test_few_pauses_inside_a_sentence_sound_like_its_end() -> None:
    """If this fails callees who stop to think are cut off, or those who have finished wait for an answer."""
    hasty = [before for before, _ in paused() if completeness(before) in (Completeness.ANSWER, Completeness.COMPLETE)]
    slow = [text for text in whole() if completeness(text) is not Completeness.COMPLETE]
    assert len(hasty) <= 0.06 * len(paused()), hasty
    assert not slow


def test_patience_grows_with_incompleteness() -> None:
    """If this fails the classes mean nothing."""
    waits = [patience_s(judged, Policy()) for judged in Completeness]
    assert waits == sorted(waits)


@pytest.mark.parametrize("text", ["My colleague usually handles that.", "Children are welcome here too."])
def test_a_full_stop_closes_what_may_also_open_a_clause(text: str) -> None:
    """If this fails a callee who has finished waits more than a second for us."""
    assert completeness(text) is Completeness.COMPLETE
    assert completeness(text.rstrip(".")) is Completeness.UNFINISHED
    assert completeness("There are not many.") is Completeness.UNCLEAR
    assert completeness("We have roses and.") is Completeness.UNFINISHED
