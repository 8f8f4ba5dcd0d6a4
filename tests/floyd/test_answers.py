"""What an answer allows is decided by code: never more than the person said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from floyd.answers import has_card_number, needs_app, settle, verdict
from floyd.documents import Question, Released
from floyd.plans import MandateTerms

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def ask(**fields: Any) -> Question:
    given: dict[str, Any] = {"text": "Is 560 dollars all right?", "kind": "mandate", "offer": "560"} | fields
    return Question(deadline=NOW, **given)


@pytest.mark.parametrize(
    ("answer", "limit"),
    [
        ("yes", "560"),
        ("Yes, please", "560"),
        ("yes, up to 80", "80"),
        ("up to 80 dollars", "80"),
        ("80", "80"),
        ("no", "50"),
        ("no, 80 at most", "80"),
        ("no, 560 is too much", "50"),
        ("560 is too expensive", "50"),
        ("yes, but not 560, up to 80", "80"),
        ("no, 560 is too much, but 80 would be fine", "80"),
        ("no more than 560", "560"),
        ("five sixty is fine", "560"),
        ("ask whether they have something smaller", "50"),
        ("yes but no more than eighty", "80"),
        ("yes, 700 euros", "560"),
    ],
)
def test_an_answer_about_money_sets_the_limit(answer: str, limit: str) -> None:
    """If this fails Floyd may agree to more than the person allowed, or not to what they did allow."""
    mandate = settle(ask(), answer, [], MandateTerms(max_amount="50")).mandate

    assert mandate is not None
    assert float(mandate.max_amount) == float(limit)


def test_an_ambiguous_amount_without_an_offer_is_read_carefully() -> None:
    """If this fails "five sixty" meant as 5.60 allows 560."""
    mandate = settle(ask(offer=None), "up to five sixty", [], None).mandate

    assert mandate is not None
    assert float(mandate.max_amount) == 5.6


def test_a_yes_to_something_without_a_price_is_a_promise_it_allows() -> None:
    """If this fails a yes to "May I say you will come?" allows nothing, or allows money."""
    mandate = settle(ask(text="May I say you will come?", offer=None), "yes", [], None).mandate

    assert mandate == MandateTerms(promises=["May I say you will come?"])


def test_a_fact_joins_the_release_of_this_errand_once() -> None:
    """If this fails an answer never reaches the call, or an old value stays beside the new."""
    question = Question(text="Which teacher?", kind="fact", key="teacher", deadline=NOW)
    release = [Released(key="teacher", value="?"), Released(key="child", value="Mara")]

    settled = settle(question, " Ms Gray ", release, None)

    assert settled.release == [Released(key="child", value="Mara"), Released(key="teacher", value="Ms Gray")]
    assert settle(question.model_copy(update={"key": None}), "x", [], None).release[0].key == "which_teacher"
    asked = question.model_copy(update={"key": None, "text": 'They want to know: "Which class?". What may I say?'})
    assert settle(asked, "3 B", [], None).release == [Released(key="which_class", value="3 B")]
    assert settle(asked, "Yes.", [], None).release == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("YES", "yes"),
        ("ok!", "yes"),
        ("  ...no", "no"),
        ("Don\u2019t", "no"),
        ("never mind", "abandon"),
        ("cancel", "abandon"),
        ("Lincoln Elementary", "words"),
        ("yesterday", "words"),
        ("nobody", "words"),
        ("", "words"),
    ],
)
def test_the_first_words_tell_the_kind_of_an_answer(answer: str, expected: str) -> None:
    """If this fails "yesterday" approves a plan."""
    assert verdict(answer) == expected


def test_much_money_needs_the_app() -> None:
    """If this fails whoever takes over a phone number can approve any amount by text."""
    little, much = MandateTerms(max_amount="80"), MandateTerms(max_amount="600")

    assert needs_app(ask(), "yes", little)
    assert not needs_app(ask(), "yes, up to 80", None)
    assert not needs_app(ask(), "no", little)
    assert not needs_app(ask(), "yes", much)
    assert needs_app(ask(kind="approval"), "yes", much)
    assert not needs_app(ask(kind="approval", offer=None), "yes", much)


@pytest.mark.parametrize(
    ("answer", "card"),
    [
        ("4111 1111 1111 1111", True),
        ("it's 3782-822463-10005, ok?", True),
        ("4111 1111 1111 1112", False),
        ("call 312 555 0142 or 312 555 0143", False),
        ("order 12345678901234567890123", False),
        ("", False),
    ],
)
def test_card_numbers_are_recognised(answer: str, card: bool) -> None:
    """If this fails a card number is read to whoever answers the phone, or an ordinary number is refused."""
    assert has_card_number(answer) is card
