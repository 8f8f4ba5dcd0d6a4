"""Amounts in what people say."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floyd.money import Money, find_amounts


def found(text: str, *, price_context: bool = False) -> list[str]:
    amounts = find_amounts(text, price_context=price_context)
    return [" or ".join(str(money) for money in amount.readings) for amount in amounts]


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("five hundred and sixty dollars", ["560 dollars"]),
        ("$1,200.50", ["1200.50 dollars"]),
        ("seventy five bucks", ["75 dollars"]),
        ("That would be eighty.", ["80 dollars"]),
        ("It'll be five sixty.", ["5.60 dollars or 560 dollars"]),
        ("I can do five-sixty.", ["5.60 dollars or 560 dollars"]),
        ("one twenty nine ninety nine for the bouquet", ["129.99 dollars"]),
        ("the total is five six zero", ["5.60 dollars or 560 dollars"]),
        ("five hundred 60 dollars", ["500.60 dollars or 560 dollars"]),
        ("a couple hundred bucks", ["200 dollars"]),
        ("a dollar fifty", ["1.50 dollars"]),
        ("500 dollars and 50 cents", ["500.50 dollars"]),
        ("99 cents", ["0.99 dollars"]),
        ("80 euros", ["80 euros"]),
        ("£20", ["20 pounds"]),
        ("about 600 canadian dollars", ["600 CAD"]),
        ("fifty a month for twelve months, we charge", ["600 dollars"]),
        ("12 payments of fifty dollars", ["600 dollars"]),
        ("thirty dollars a week for 3 months", ["390 dollars"]),
        ("20 roses at 5 dollars each", ["100 dollars"]),
        ("560 plus 20 dollars for delivery", ["560 dollars", "20 dollars"]),
        ("two options: 60 or 90 dollars", ["60 dollars", "90 dollars"]),
        ("we open at 9:30", []),
        ("come at four thirty", []),
        ("my number is 312 555 0142", []),
        ("she is seven years old", []),
        ("room 560", []),
        ("so that is eighty dollars and the code is 4711 99", ["80 dollars"]),
        ("it's 60, your confirmation number is eight eight one three", ["60 dollars"]),
        ("the price for the code is 560", ["560 dollars"]),
        ("your order number 60 comes to 60", ["60 dollars"]),
        ("50% off", []),
        ("the twenty third", []),
        ("one moment please", []),
    ],
)
def test_find_amounts(text: str, amounts: list[str]) -> None:
    """If this fails an offer goes unnoticed, or a time is taken for a price."""
    assert found(text) == amounts


def test_bare_figures_are_prices_where_prices_are_discussed() -> None:
    """If this fails "five sixty", said in answer to "how much", is not an offer."""
    assert found("five sixty") == []
    assert found("five sixty", price_context=True) == ["5.60 dollars or 560 dollars"]


def test_payments_without_an_end_are_open_ended() -> None:
    """If this fails a subscription passes as its first payment."""
    assert [amount.open_ended for amount in find_amounts("50 dollars a month")] == [True]
    assert [amount.open_ended for amount in find_amounts("50 dollars a month for a year")] == [False]


def test_dollars_are_local() -> None:
    """If this fails a Canadian price never fits a Canadian mandate."""
    assert find_amounts("50 dollars", currency="CAD")[0].largest == Money.of("50", "CAD")
    assert find_amounts("50 euros", currency="CAD")[0].largest == Money.of("50", "EUR")


@given(st.decimals(min_value=1, max_value=99999, places=2))
def test_every_written_price_is_read_back_exactly(amount: Decimal) -> None:
    """If this fails some price is misread by a cent or a comma."""
    assert find_amounts(f"It is ${amount:,.2f}.")[0].largest == Money(amount, "USD")


@given(st.text(max_size=200))
def test_any_text_can_be_searched(text: str) -> None:
    """If this fails some words of a callee raise in the middle of a call."""
    find_amounts(text, price_context=True)


@pytest.mark.parametrize(
    ("amount", "currency"), [("-1", "USD"), ("x", "USD"), ("NaN", "USD"), ("1", "usd"), ("1", "$")]
)
def test_money_refuses_nonsense(amount: str, currency: str) -> None:
    """If this fails a negative or unreadable limit allows anything."""
    with pytest.raises(ValueError, match="expected"):
        Money.of(amount, currency)
