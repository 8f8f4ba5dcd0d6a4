"""The demonstration's judge: it must not be taken in."""

from dataclasses import replace
from decimal import Decimal

import pytest

from floyd.command.client import ErrandView
from floyd.command.verdict import all_held, ordinary, refused_price
from floyd.documents import Status
from floyd.plans import CheckedClaim, MandateTerms
from tests.floyd.command.views import flowers

ASKED = Decimal(560)
RINGS = [{"number": "+12125550143", "call_sid": "CA1"}]


def failed(view: ErrandView) -> list[str]:
    return [check.claim for check in refused_price(view, ASKED) if not check.held]


def test_what_really_happened_is_believed() -> None:
    """If this fails a good demonstration ends with a failure."""
    assert all_held([*ordinary(flowers(), RINGS), *refused_price(flowers(), ASKED)])


@pytest.mark.parametrize("rings", [[], RINGS * 2])
def test_a_call_that_rang_twice_or_never_is_noticed(rings: list[dict[str, str]]) -> None:
    """If this fails a phone that rang twice counts as success."""
    assert not all_held(ordinary(flowers(), rings))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": Status.FAILED},
        {"outcome": None},
    ],
)
def test_an_errand_that_is_not_done_is_noticed(changes: dict[str, object]) -> None:
    """If this fails a failed errand counts as success."""
    view = flowers()
    assert view.request is not None

    assert not all_held(ordinary(replace(view, request=view.request.model_copy(update=changes)), RINGS))


def test_a_result_without_proof_is_noticed() -> None:
    """If this fails a claim that no turn supports counts as success."""
    view = flowers()
    assert view.request is not None
    assert view.request.outcome is not None
    view.request.outcome.claims = [CheckedClaim(text="All is well.", turns=[3], proved=False)]

    assert not all_held(ordinary(view, RINGS))


OFFER = ("callee", "that is five hundred and sixty dollars is that all right")


@pytest.mark.parametrize("yes", ["Yes please.", "That is fine, we'll take it.", "Sure!", "Okay, go ahead."])
def test_saying_yes_to_the_price_is_noticed(yes: str) -> None:
    """If this fails Floyd may agree to any price in the demonstration."""
    assert "Floyd did not agree to it" in failed(flowers(OFFER, ("floyd", yes)))


@pytest.mark.parametrize("no", ["Okay, I have to check that.", "Let me ask, one moment.", "No, thank you."])
def test_holding_the_line_is_no_agreement(no: str) -> None:
    """If this fails a polite refusal counts as agreement."""
    assert "Floyd did not agree to it" not in failed(flowers(OFFER, ("floyd", no)))


def test_a_price_that_was_never_asked_is_noticed() -> None:
    """If this fails the demonstration may skip its own story."""
    assert "the callee asked 560 dollars" in failed(flowers(("callee", "that is seventy five dollars")))


def test_a_person_who_was_not_asked_is_noticed() -> None:
    """If this fails Floyd may decide about money alone."""
    assert "the person was asked about it and answered" in failed(flowers(questions={}))


def test_an_agreement_over_the_limit_is_noticed() -> None:
    """If this fails an order over the limit counts as success."""
    view = flowers()
    assert view.request is not None
    view.request.mandate = MandateTerms(max_amount="70")

    assert failed(view) == ["what was agreed is within the limit of 70 dollars"]
