"""What code makes of a plan: numbers only from their source, money and first contacts only with a yes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from floyd.documents import Fact, Person, Place, Question, Request, Wishes
from floyd.plans import Callee, MandateTerms, Plan
from functions.plan_review import MOST_QUESTIONS, Found, Known, find_number, number_key, review

NOW = datetime(2026, 11, 23, 16, 15, tzinfo=UTC)
NUMBER = "+13125550142"
FOUND = Found(NUMBER)


def plan(source: str = "request", number: str | None = NUMBER, **fields: Any) -> Plan:
    given: dict[str, Any] = {
        "needs_call": True,
        "goal": "order flowers",
        "done_when": [],
        "callee": Callee.model_validate({"name": "Flora", "number": number, "number_source": source}),
        "facts_needed": [],
        "facts_missing": [],
        "steps": [],
        "opening": "I am calling to order flowers.",
        "voicemail": "",
        "mandate": MandateTerms(),
        "questions": [],
    }
    return Plan(**given | fields)


def request(text: str = "order flowers", **fields: Any) -> Request:
    return Request(text=text, created_at=NOW, deadline=NOW, **fields)


def known(*facts: Fact, places: tuple[Place, ...] = (), answers: tuple[Question, ...] = ()) -> Known:
    return Known(Person(name="Tom"), facts, places, answers)


def answer(key: str, said: str) -> Question:
    return Question(text="?", kind="fact", key=key, status="answered", answer=said, deadline=NOW)


SECRET = Fact(key="flora_number", value=NUMBER, share="never")
PHONE = Fact(key="flora_number", value=NUMBER, share="ask")


@pytest.mark.parametrize(
    ("proposed", "background", "text", "found"),
    [
        (plan(), known(), "ring 312 555 0142", "312 555 0142"),
        (plan(), known(), "ring somebody", None),
        (plan(), known(answers=(answer("x", "it is (312) 555-0142"),)), "ring them", "(312) 555-0142"),
        (plan("fact"), known(PHONE), "ring Flora", NUMBER),
        (plan("fact", "{flora_number}"), known(PHONE), "ring Flora", NUMBER),
        (plan("fact", "{flora_number}"), known(SECRET), "ring Flora", None),
        (plan("place"), known(places=(Place(name="Flora", number=NUMBER),)), "ring Flora", NUMBER),
        (plan("place"), known(), f"ring {NUMBER}", None),
        (plan("look_up"), known(), f"ring {NUMBER}", None),
        (plan("none", None), known(answers=(answer("flora_number", "312-555-0142 I think"),)), "x", "312-555-0142"),
    ],
)
def test_a_number_is_read_from_its_source_and_nowhere_else(
    proposed: Plan, background: Known, text: str, found: str | None
) -> None:
    """If this fails a number that a model made up, or that may never be used, is rung."""
    number = find_number(proposed, request(text), background)
    assert (number and number.number) == found


def test_a_call_back_rings_the_number_of_the_first_call() -> None:
    """If this fails an answer is brought to a stranger."""
    first = plan(number="+13125550199")
    assert find_number(plan(), request(NUMBER, plan=first), known()) == Found("+13125550199")


def test_what_is_missing_is_asked_for_the_number_first_and_not_all_at_once() -> None:
    """If this fails a person gets a questionnaire, or no question at all."""
    wanted = plan(facts_missing=[f"detail_{index}" for index in range(9)])
    asked = review(wanted, request(), known(), None, NOW).questions
    assert len(asked) == MOST_QUESTIONS
    assert asked[0][1].key == number_key(wanted.callee)
    assert all(question.kind == "fact" for _, question in asked)


@pytest.mark.parametrize(
    ("text", "limit", "asked"),
    [
        ("order flowers up to 80 dollars", "80", None),
        ("order flowers up to 80 dollars", "60", None),
        ("order flowers up to 80 dollars", "90", "90"),
        ("order flowers", "80", "80"),
        ("order flowers", "0", None),
        ("order flowers", "much", None),
    ],
)
def test_money_needs_the_persons_own_word(text: str, limit: str, asked: str | None) -> None:
    """If this fails a model decides what a person spends."""
    reviewed = review(plan(mandate=MandateTerms(max_amount=limit)), request(text), known(), FOUND, NOW)
    assert [question.offer for _, question in reviewed.questions] == ([asked] if asked else [])


def test_one_question_asks_for_everything_that_needs_a_yes() -> None:
    """If this fails a stranger is rung, told or promised something that the person never saw."""
    wanted = plan(facts_needed=["birthday"], mandate=MandateTerms(promises=["to come on Monday"]))
    birthday = Fact(key="birthday", value="May 1", share="ask")
    stranger = Found(NUMBER, first_contact=True, name="Flora Ltd")
    reviewed = review(wanted, request(), known(birthday), stranger, NOW)
    ((_, question),) = reviewed.questions
    for part in (f"ring Flora Ltd at {NUMBER}", "tell them your birthday", "promise: to come on Monday"):
        assert part in question.text
    assert [fact.key for fact in reviewed.proposed] == ["birthday"]
    assert reviewed.release == ()


def test_the_persons_own_mandate_stands_above_the_plans() -> None:
    """If this fails a limit that the person has set is widened by a model."""
    wishes = Wishes(mandate=MandateTerms(max_amount="20"))
    reviewed = review(plan(mandate=MandateTerms(max_amount="80")), request(wishes=wishes), known(), FOUND, NOW)
    assert (reviewed.mandate.max_amount, reviewed.questions) == ("20", ())


def test_a_fact_that_may_never_be_told_leaves_no_trace() -> None:
    """If this fails what a person never shares is spoken because a plan wrote its key into a sentence."""
    code = Fact(key="door_code", value="4711", share="never")
    wanted = plan(facts_needed=["door_code"], opening="I am calling; the code is {door_code}.")
    reviewed = review(wanted, request(), known(code), FOUND, NOW)
    assert reviewed.release == ()
    assert "4711" not in reviewed.plan.model_dump_json()
    assert "door_code" not in reviewed.plan.opening
