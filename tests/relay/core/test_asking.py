"""What the person's answer allows."""

import pytest

from floyd.money import Money
from relay.core.asking import allowed_amount

ASKED = Money.of("560", "USD")


@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        ("yes", "560"),
        ("Sure, go ahead.", "560"),
        ("no", None),
        ("No way, too much.", None),
        ("don't", None),
        ("up to 600", "600"),
        ("yes, up to 80", "80"),
        ("no, at most 100 dollars", "100"),
        ("no more than two hundred", "200"),
        ("not over 90", "90"),
        ("I can do 300.", "300"),
        ("no, 560 is crazy", None),
    ],
)
def test_allowed_amount(answer: str, allowed: str | None) -> None:
    """If this fails a no becomes a yes, or a limit is misread."""
    assert allowed_amount(answer, ASKED) == (Money.of(allowed, "USD") if allowed else None)
