"""How far Floyd may agree."""

import pytest

from floyd.mandate import Mandate
from floyd.money import Money


def test_the_limit_holds_to_the_cent_and_in_its_currency() -> None:
    """If this fails the limit is not one."""
    mandate = Mandate(Money.of("80", "USD"))
    assert mandate.allows(Money.of("80.00", "USD"))
    assert not mandate.allows(Money.of("80.01", "USD"))
    assert not mandate.allows(Money.of("1", "EUR"))
    assert mandate.allows(Money.of("0", "EUR"))


def test_the_default_is_nothing() -> None:
    """If this fails an errand without a mandate may spend."""
    assert not Mandate().allows(Money.of("0.01", "USD"))


def test_json_form() -> None:
    """If this fails a stored mandate means something else when read back."""
    stored = {"max_amount": "80", "currency": "USD", "times": ["Tuesday after 3 pm"], "promises": ["to call back"]}
    assert Mandate.from_json(stored).to_json() == stored
    assert Mandate.from_json({}) == Mandate()
    with pytest.raises(ValueError, match="expected"):
        Mandate.from_json({"max_amount": "much"})


def test_only_the_amount_is_widened() -> None:
    """If this fails an answer about money changes times or promises."""
    mandate = Mandate(Money.of("80", "USD"), ("Tuesday",), ("to call back",))
    widened = mandate.with_amount(Money.of("100", "USD"))
    assert (widened.max_amount, widened.times, widened.promises) == (
        Money.of("100", "USD"),
        ("Tuesday",),
        ("to call back",),
    )
