"""A claim is proved by the callee's own words, however numbers and days are spoken."""

import pytest

from floyd.documents import Released, Turn
from functions.evidence import holds, supports, told


@pytest.mark.parametrize(
    ("said", "claim"),
    [
        ("That comes to five hundred and sixty dollars.", "The flowers come to $560."),
        ("that comes to five sixty", "It comes to 560 dollars."),
        ("It is 12.50 all in.", "It costs 12.50 all in."),
        ("We can do Thursday at half past three.", "They can do Thursday."),
        ("thursday at 3 pm works for us", "Thursday at 3:00 pm works."),
        ("I have noted that Mara is sick today.", 'They said: "I have noted that Mara is sick today."'),
        ("your number is four seven one one", "The reference number is 4711."),
        ("we will deliver it tomorrow", "It is delivered tomorrow."),
        ("Yes, we are open from 8 to 17.", "They are open from 8 to 17."),
    ],
)
def test_what_was_said_proves_it(said: str, claim: str) -> None:
    """If this fails honest results are shown as unproved and nobody trusts the mark."""
    assert supports(said, claim)


@pytest.mark.parametrize(
    ("said", "claim"),
    [
        ("That comes to five hundred and sixty dollars.", "The flowers come to $56."),
        ("We can do Thursday.", "They can do Friday."),
        ("We can do Thursday at three.", "They can do Thursday at four."),
        ("Hello?", "The order is confirmed."),
        ("", "The order is confirmed."),
        ("Yes.", "The appointment was moved and the doctor informed."),
        ("We close at 3.", "The order has been placed for 3 bouquets."),
        ("okay", "okay"),
    ],
)
def test_what_was_not_said_proves_nothing(said: str, claim: str) -> None:
    """If this fails a model's invention carries the mark of proof."""
    assert not supports(said, claim)


def test_a_value_is_found_however_it_was_spoken() -> None:
    """If this fails the ledger misses what was told, or lists what was not."""
    assert holds("It is three one two, five five five, 0142.", "312-555-0142")
    assert holds("for mara baker please", "Mara Baker")
    assert holds("It is 12 Oak Street.", "12 Oak Street")
    assert not holds("for Mara", "Mara Baker")
    assert not holds("We planned it.", "Ann")
    assert not holds("anything", "")


def test_only_what_reached_the_ear_is_in_the_ledger() -> None:
    """If this fails a fact that only the callee said counts as told, or a cut sentence does."""
    turns = [
        (1, Turn(call=1, speaker="callee", heard="Is it for Mara?", start_ms=0, end_ms=1)),
        (
            2,
            Turn(call=1, speaker="floyd", planned="Yes, for Mara, born May 1.", heard="Yes, for", start_ms=2, end_ms=3),
        ),
        (3, Turn(call=1, speaker="floyd", heard="For Mara.", start_ms=4, end_ms=5)),
    ]
    released = [Released(key="child", value="Mara"), Released(key="birthday", value="May 1")]

    assert told(released, turns) == [("child", 3)]
