"""Numbers in words become digits."""

from decimal import Decimal

import pytest

from floyd.figures import in_digits, plain


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("Five hundred and sixty dollars", "560 dollars"),
        ("five-sixty", "5 60"),
        ("$1,200.50", "$1200.50"),
        ("five hundred 60", "500 60"),
        ("2 hundred", "200"),
        ("two grand", "2000"),
        ("a couple of hundred", "200"),
        ("half a million", "500000"),
        ("2k", "2000"),
        ("five oh five", "5 05"),
        ("the twenty third", "the 23rd"),
        ("a hundred and five", "105"),
        ("one moment", "1 moment"),
    ],
)
def test_in_digits(text: str, digits: str) -> None:
    """If this fails a number escapes whoever judges numbers."""
    assert in_digits(text) == digits


def test_small_words_may_stay() -> None:
    """If this fails "one moment" counts as a number that was not released."""
    assert in_digits("one moment, four four", small_words=False) == "one moment, 4 4"


def test_plain() -> None:
    """If this fails sums are shown as 6E+2."""
    assert [plain(Decimal(number)) for number in ("6E+2", "12.50", "100", "0.5")] == ["600", "12.5", "100", "0.5"]
