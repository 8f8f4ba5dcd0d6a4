"""A claim is proved by the callee's own words, however numbers and days are spoken."""

import pytest

from floyd import lines
from floyd.documents import Released, Turn
from floyd.plans import Claim
from functions.evidence import check_claims, holds, supports, told


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
    turns[1][1].sent = "Yes, for Mara, born"
    assert told(released, turns) == [("child", 2)], "cut, but it may have been audible"


def call(*said: tuple[str, str, str]) -> dict[int, Turn]:
    """Turns of (speaker, planned, heard)."""
    return {
        seq: Turn.model_validate(
            {"call": 1, "speaker": who, "planned": planned, "heard": heard, "start_ms": 0, "end_ms": 1}
        )
        for seq, (who, planned, heard) in enumerate(said, 1)
    }


HELLO = " ".join(lines.disclosure("Tom Baker"))
NEWS = f"{HELLO} I am calling to tell you that Mara is sick and stays home."
NOTED = ("callee", "", "Thank you, I have written that down.")
OWN_LINES = (*lines.disclosure("Tom Baker"), *lines.stock("Tom Baker"))


@pytest.mark.parametrize(
    ("heard", "claim", "proved"),
    [
        (NEWS, "The school has written it down.", True),
        (f"{HELLO} {lines.APOLOGY}", "The school has written it down.", False),
        (HELLO[:30], "The school has written it down.", False),
        (NEWS[:-16], "They have written down that she stays home.", False),
        ("", "The school has written it down.", False),
    ],
)
def test_what_the_callee_never_heard_they_have_not_confirmed(heard: str, claim: str, proved: bool) -> None:
    """If this fails a call that broke down before its errand was told is reported as done, with proof."""
    turns = call(("floyd", NEWS, heard), NOTED)
    (checked,) = check_claims([Claim(text=claim, turns=[2])], turns, OWN_LINES)
    assert checked.proved is proved


def test_what_the_callee_says_unasked_still_counts() -> None:
    """If this fails a shop that answers with its opening hours has told nobody anything."""
    turns = call(("callee", "", "Flora, we are closed on Monday."), ("floyd", HELLO, HELLO))
    (checked,) = check_claims([Claim(text="They are closed on Monday.", turns=[1])], turns, OWN_LINES)
    assert checked.proved
