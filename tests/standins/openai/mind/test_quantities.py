"""Money and times, written and spoken."""

from decimal import Decimal

import pytest

from standins.openai.mind.quantities import amounts, fits, limit, limit_after, whens
from standins.openai.mind.reading import numerals


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("that will be five hundred and sixty dollars", ["560"]),
        ("five sixty dollars please", ["560"]),
        ("it comes to seventy five", ["75"]),
        ("$1,200.50 in all", ["1200.50"]),
        ("nineteen dollars and fifty cents", ["19.5"]),
        ("one for fifty dollars or one for ninety dollars", ["50", "90"]),
        ("a table for four at seven thirty", []),
    ],
)
def test_amounts_are_heard_in_any_form(said: str, expected: list[str]) -> None:
    """Breaks: a price over the limit is not noticed, or a party size is taken for a price."""
    assert amounts(said) == [Decimal(each) for each in expected]


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("up to 80 dollars", 80),
        ("no more than $50", 50),
        ("budget of eighty", 80),
        ("for up to 4 people", None),
        ("some flowers", None),
    ],
)
def test_limits_are_read_from_the_request(request_text: str, expected: int | None) -> None:
    """Breaks: the mandate allows more than the person said, or nothing at all."""
    assert limit(request_text) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("answer", "expected"), [("yes", 560), ("yes, up to 80", 80), ("no", 70), ("No, 80 dollars at most", 80)]
)
def test_an_answer_moves_the_limit_as_far_as_it_says(answer: str, expected: int) -> None:
    """Breaks: "yes, up to 80" allows the 560 that was asked."""
    assert limit_after(Decimal(70), [("They ask 560 dollars. Is that all right?", answer)]) == expected


@pytest.mark.parametrize(
    ("offer", "windows", "expected"),
    [
        ("wednesday at 4:15", ["wednesday after 2 pm"], True),
        ("wednesday at 10", ["wednesday after 2 pm"], False),
        ("friday at 3", ["thursday after 2 pm"], False),
        ("tuesday at 9", ["next tuesday morning"], True),
        ("tuesday at 10", ["next week"], True),
        ("friday at 8", ["friday at 8 pm"], True),
        ("9:30", ["friday at 8 pm"], False),
        ("friday", [], False),
    ],
)
def test_offered_times_are_compared_with_what_was_asked(offer: str, windows: list[str], expected: bool) -> None:
    """Breaks: an appointment outside the person's wish is agreed to."""
    assert fits(offer, windows) is expected


def test_spoken_digits_and_times_become_numerals() -> None:
    """Breaks: numbers that a recogniser writes as words are never matched with those in facts."""
    assert numerals("five five five one two one two at three p m") == "5551212 at 3 pm"
    assert whens("thursday at three p m or friday at ten thirty") == ["thursday at 3 pm", "friday at 10:30"]
