"""Times in words."""

import pytest

from relay.core.times import TimeMention, allowed_by, find_times


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("Tuesday at 4 pm", [TimeMention("tuesday", 960)]),
        ("How about four thirty tomorrow?", [TimeMention("tomorrow", 990)]),
        ("Friday at noon", [TimeMention("friday", 720)]),
        ("at half past three", [TimeMention(None, 930)]),
        ("at quarter to four", [TimeMention(None, 945)]),
        ("at 15:30", [TimeMention(None, 930)]),
        ("ten in the morning", [TimeMention(None, 600)]),
        ("between 3 and 5 on Monday", [TimeMention("monday", 900), TimeMention("monday", 1020)]),
        ("Wednesday works", [TimeMention("wednesday", None)]),
        ("five roses at 4 dollars", []),
        ("It is 560.", []),
    ],
)
def test_find_times(text: str, mentions: list[TimeMention]) -> None:
    """If this fails an appointment outside the mandate goes unnoticed, or prices are taken for times."""
    assert list(find_times(text)) == mentions


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("Tuesday at 4 pm", True),
        ("Tuesday at 2 pm", False),
        ("Friday at 10", True),
        ("Friday at 1 pm", False),
        ("Monday", False),
        ("Wednesday at noon", True),
        ("Wednesday at 5 pm", False),
    ],
)
def test_mandates_of_time(text: str, allowed: bool) -> None:
    """If this fails Floyd books what the person cannot keep."""
    times = ("Tuesday after 3 pm", "Friday morning", "Wednesday between 11 and 2 pm")
    [mention] = find_times(text)
    assert allowed_by(mention, times) is allowed


def test_no_times_allow_any() -> None:
    """If this fails errands without a time limit cannot make appointments."""
    assert allowed_by(TimeMention("monday", 600), ())
