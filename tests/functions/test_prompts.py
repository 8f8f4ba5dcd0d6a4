"""What the models are shown: enough to plan with, and nothing that is not theirs to see."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from floyd.documents import Call, Fact, Person, Place, Question, Request, Turn
from functions.plan_review import Known
from functions.prompts import EARLIER_TURNS, PLACES_SHOWN, outcome_content, plan_content, zone_of

NOW = datetime(2026, 11, 23, 16, 15, tzinfo=UTC)
REQUEST = Request(text="tell the school", created_at=NOW, deadline=NOW)


def known(**fields: object) -> Known:
    empty: dict[str, object] = {"person": Person(name="Tom"), "facts": [], "places": [], "questions": []}
    return Known(**{**empty, **fields})  # type: ignore[arg-type]  # one field at a time


def turn(call: int, heard: str, speaker: str = "callee") -> Turn:
    return Turn.model_validate({"call": call, "speaker": speaker, "heard": heard, "start_ms": 0, "end_ms": 1})


def test_values_that_need_a_yes_are_not_shown() -> None:
    """If this fails a vendor reads what the person shares only on a yes, or never."""
    facts = [Fact(key=share, value=f"value-{share}", share=share) for share in ("always", "ask", "never")]
    shown = json.dumps(plan_content(REQUEST, known(facts=facts), NOW))
    assert [f"value-{share}" in shown for share in ("always", "ask", "never")] == [True, False, False]
    assert '"never"' in shown, "the plan must know what it has to do without"


def test_only_answered_questions_and_spoken_calls_are_shown() -> None:
    """If this fails the plan is made from what nobody said, or forgets where the last call stopped."""
    open_, answered = (
        Question(text=text, kind="fact", deadline=NOW, status=status, answer=answer)  # type: ignore[arg-type]
        for text, status, answer in (("Which class?", "open", None), ("Which school?", "answered", "Lincoln"))
    )
    numbers = {"to": "+13125550142", "from": "+12125550100"}
    spoke = Call.model_validate(numbers | {"answered_at": NOW, "end_reason": "needs_answer"})
    rang = Call.model_validate(numbers | {"end_reason": "no_answer"})
    turns = [(seq, turn(1, f"word {seq}")) for seq in range(1, EARLIER_TURNS + 3)] + [(99, turn(2, "other call"))]
    content = plan_content(REQUEST, known(questions=[open_, answered], calls=[(1, spoke), (2, rang)], turns=turns), NOW)
    assert [each["question"] for each in content["answers"]] == ["Which school?"]
    (earlier,) = content["earlier"]
    assert (earlier["attempt"], earlier["end_reason"]) == (1, "needs_answer")
    assert earlier["summary"].startswith("callee: word 3 /")
    assert "other call" not in earlier["summary"]


def test_the_newest_places_are_shown() -> None:
    """If this fails a person with many calls pays for a longer and longer prompt."""
    places = [
        Place(name=f"p{age}", number="1", last_call_at=NOW - timedelta(days=age)) for age in range(PLACES_SHOWN + 5)
    ]
    shown = [place["name"] for place in plan_content(REQUEST, known(places=places[::-1]), NOW)["places"]]
    assert shown == [f"p{age}" for age in range(PLACES_SHOWN)]


def test_the_time_is_the_persons() -> None:
    """If this fails "this afternoon" means another zone's."""
    assert (
        plan_content(REQUEST, known(person=Person(time_zone="Asia/Tokyo")), NOW)["now"] == "2026-11-24T01:15:00+09:00"
    )
    assert zone_of(Person(time_zone="Nowhere/Land")).key == "UTC"


def test_an_outcome_is_read_from_what_was_heard() -> None:
    """If this fails the model reports what Floyd had planned to say as if it had been said."""
    unheard = turn(1, "", "floyd").model_copy(update={"planned": "secret plan"})
    content = outcome_content(REQUEST, "done", [(1, turn(1, "hello")), (2, unheard)])
    assert content["turns"] == [{"n": 1, "speaker": "callee", "text": "hello"}]
    assert "secret plan" not in json.dumps(content)
