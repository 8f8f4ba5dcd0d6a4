"""The demonstration's judge: it must not be taken in."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from floyd.command.errand import ErrandView
from floyd.command.verdict import agreed_by_ear, ordinary, refused_price
from floyd.documents import Status
from floyd.plans import CheckedClaim, MandateTerms
from tests.floyd.command.views import flowers

ASKED = Decimal(560)
RINGS = [{"number": "+12125550143", "call_sid": "CA1"}]


LARGE = ("that is five hundred and sixty dollars is that all right", 1000)
SMALL = ("i also have a small one for seventy five dollars", 9000)


def phone(heard: str, said: Sequence[tuple[str, int]] = (LARGE, SMALL), at_ms: int = 5000) -> dict[str, Any]:
    """A phone's record in which Floyd's words begin at `at_ms`."""
    return {
        "said": [{"text": text, "start_ms": start} for text, start in said],
        "heard": [{"word": word, "start_ms": at_ms + 300 * place} for place, word in enumerate(heard.split())],
    }


def failed(view: ErrandView) -> list[str]:
    return [claim for claim, held in refused_price(view, [phone("one moment please")], ASKED).items() if not held]


def test_what_really_happened_is_believed() -> None:
    """If this fails a good demonstration ends with a failure."""
    assert all((ordinary(flowers(), RINGS) | refused_price(flowers(), [phone("one moment please")], ASKED)).values())


@pytest.mark.parametrize("rings", [[], RINGS * 2])
def test_a_call_that_rang_twice_or_never_is_noticed(rings: list[dict[str, str]]) -> None:
    """If this fails a phone that rang twice counts as success."""
    assert not all(ordinary(flowers(), rings).values())


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

    assert not all(ordinary(replace(view, request=view.request.model_copy(update=changes)), RINGS).values())


def test_a_result_without_proof_is_noticed() -> None:
    """If this fails a claim that no turn supports counts as success."""
    view = flowers()
    assert view.request is not None
    assert view.request.outcome is not None
    view.request.outcome.claims = [CheckedClaim(text="All is well.", turns=[3], proved=False)]

    assert not all(ordinary(view, RINGS).values())


@pytest.mark.parametrize("yes", ["yes please", "that is fine", "we will take it", "okay go ahead", "it is a deal"])
def test_a_yes_to_the_price_at_the_callees_ear_is_noticed(yes: str) -> None:
    """If this fails Floyd may agree to any price in the demonstration."""
    assert agreed_by_ear([phone(yes)], ASKED)


@pytest.mark.parametrize("no", ["okay i have to check that", "that is more than i can agree to", "no thank you"])
def test_holding_the_line_is_no_agreement(no: str) -> None:
    """If this fails a polite refusal counts as agreement."""
    assert not agreed_by_ear([phone(no)], ASKED)


def test_a_yes_to_the_next_price_is_none_to_this_one() -> None:
    """If this fails agreeing to 75 dollars counts as agreeing to 560."""
    assert not agreed_by_ear([phone("yes please", at_ms=12_000)], ASKED)
    assert agreed_by_ear([phone("yes please", (LARGE,), at_ms=12_000)], ASKED)


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
