"""From documents to the brief: nothing that was not released, and nothing of the earlier talk forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from floyd.carrier import TALK_LIMIT_S
from floyd.documents import Call, Person, Question, Released, Request, Turn
from floyd.lifecycle import Errand
from floyd.money import Money
from floyd.plans import Callee, MandateTerms, Plan
from relay.admission import Admitted
from relay.briefing import brief_for, local_time

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def admitted(*turns: tuple[int, Turn], attempt: int = 1, questions: tuple[Question, ...] = ()) -> Admitted:
    plan = Plan(
        needs_call=True,
        answer_key=None,
        goal="order {flower} for {secret}",
        done_when=["ordered"],
        callee=Callee(name="Rose's", number=None, number_source="fact"),
        facts_needed=["flower", "secret"],
        facts_missing=[],
        steps=["ask for {flower}"],
        opening="I would like {flower}.",
        voicemail="",
        mandate=MandateTerms(),
        questions=[],
    )
    request = Request(
        text="x",
        attempt=attempt,
        created_at=NOW,
        deadline=NOW + timedelta(hours=1),
        plan=plan,
        release=[Released(key="flower", value="roses")],
        mandate=MandateTerms(max_amount="80"),
    )
    call = Call.model_validate({"to": "+13125550142", "from": "+13125550100"})
    errand = Errand("u", "r", request, call)
    named = tuple((f"q{number}", question) for number, question in enumerate(questions, 1))
    return Admitted(1, errand, Person(name="Tom Baker"), turns, named)


def turn(call: int, heard: str) -> Turn:
    return Turn(call=call, speaker="callee", heard=heard, start_ms=0, end_ms=10)


def test_only_released_values_are_in_the_brief() -> None:
    """Fails if a placeholder were spoken, or a value that was not released."""
    brief = brief_for(admitted())
    assert brief.opening[0] == "Hello, this is an AI assistant calling for Tom Baker."
    assert brief.opening[-1] == "I would like roses."
    assert brief.goal == "order roses for"
    assert dict(brief.release) == {"flower": "roses"}
    assert str(brief.mandate.max_amount.amount) == "80"
    assert brief.prior == ()
    assert brief.notes == ()


def test_a_call_back_knows_the_earlier_call_and_the_answer() -> None:
    """Fails if a late answer were not used, or its turns were taken for this call's own."""
    question = Question(
        text="Is 560 all right?", kind="mandate", status="answered", answer="up to 80", deadline=NOW, created_at=NOW
    )
    second = admitted((1, turn(1, "hello")), (2, turn(1, "it is 560")), attempt=2, questions=(question,))
    brief = brief_for(second)
    assert second.first_seq == 2
    assert brief.prior == ()
    assert brief.notes == (
        'your person answered "up to 80" to "Is 560 all right?"',
        "earlier call said: callee: hello / callee: it is 560",
    )


def test_a_resumed_call_goes_on_from_its_own_turns() -> None:
    """Fails if another relay began again, or counted from a wrong number."""
    resumed = admitted((1, turn(1, "old")), (2, turn(2, "hello")), (3, turn(2, "who is calling")), attempt=2)
    assert [(each.seq, each.heard) for each in resumed.prior_turns] == [(1, "hello"), (2, "who is calling")]
    assert resumed.first_seq == 1


def test_a_resumed_call_knows_what_the_person_is_being_asked() -> None:
    """Fails if an answer that comes after a relay died never reaches the callee, or an older question is waited for."""
    asked = Question(text="560?", kind="mandate", offer="560", choices=["yes", "no"], deadline=NOW, attempt=2)
    others = [asked.model_copy(update=changed) for changed in ({"attempt": 1}, {"status": "answered", "answer": "no"})]
    open_now = brief_for(admitted(attempt=2, questions=(*others, asked))).asked
    assert open_now is not None
    assert (open_now.question_id, open_now.question, open_now.amount) == ("q3", "560?", Money.of("560", "USD"))
    assert brief_for(admitted(attempt=2, questions=tuple(others))).asked is None


def test_a_call_is_as_long_as_its_person_allows() -> None:
    """Fails if a call were cut by the carrier in mid-sentence, or ended while its person still pays for it."""
    usual = brief_for(admitted())
    assert (usual.limit_s, usual.line_s) == (600.0, TALK_LIMIT_S)
    allowed = replace(admitted(), person=Person(name="Tom Baker", limits={"call_minutes": 5}))
    assert (brief_for(allowed).limit_s, brief_for(allowed).line_s) == (300.0, 300.0)
    assert brief_for(allowed, lasted_s=100.0).line_s == 200.0


def test_the_time_is_the_persons() -> None:
    """Fails if "this afternoon" meant another zone's."""
    assert local_time("Asia/Tokyo").endswith("+09:00")
    assert local_time("Nowhere/Land").endswith("+00:00")
