"""Outcomes against the model's stand-in: nothing is claimed that the callee did not say, and only once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from floyd import lines
from floyd.documents import CallStatus, JobReason, Lease, Question, Released, Status, Turn
from floyd.lifecycle.before_the_call import JobClaimed, Planned, QuestionAnswered, QuestionAsked
from floyd.lifecycle.during_the_call import (
    CallFinished,
    CancelRequested,
    CarrierProgress,
    DialClaimed,
    DialDue,
    Posted,
    StreamStarted,
)
from floyd.plans import Callee, MandateTerms, Plan
from floyd.store import Store
from functions import outcomes
from standins.openai.server import Delays, application, listening
from tests.functions.planning_stage import FACTS, NOW, SCHOOL, UID, Stage, race, stage

PLAN = Plan(
    needs_call=True,
    goal="Order flowers for Christa.",
    done_when=["The shop confirms the order."],
    callee=Callee(name="Flora", number=SCHOOL, number_source="fact"),
    facts_needed=[],
    facts_missing=[],
    steps=[],
    opening="I am calling to order flowers.",
    voicemail="",
    mandate=MandateTerms(max_amount="80"),
    questions=[],
)
DRAFT: dict[str, Any] = {
    "category": "done",
    "summary": "The flowers are ordered for 60 dollars.",
    "claims": [{"text": "The flowers cost 60 dollars.", "turns": [3]}],
    "tasks": [],
    "facts": [],
}
TALK = (
    ("callee", "Flora, good morning."),
    ("floyd", "I would like to order flowers for Christa Moser, at 12 Elm Street."),
    ("callee", "That comes to sixty dollars, delivered on Friday. The order number is A 4 7 1 1."),
    ("floyd", "Thank you. Goodbye."),
)


@pytest.fixture
async def floyd(store: Store) -> AsyncIterator[Stage]:
    quick = Delays(first_token_ms=0, tokens_per_s=1_000_000)
    async with listening(application(delays=quick), "127.0.0.1", 0) as port:
        made = stage(store, port)
        await made.person(*FACTS)
        yield made
        await made.close()


async def called(floyd: Stage) -> str:
    """A request whose call has been talking."""
    rid = await floyd.request("order Christa some flowers, up to 80 dollars")
    moved = await floyd.store.move(UID, rid, JobClaimed("w", JobReason.NEW, 1))
    lease = moved.errand.request.lease
    assert isinstance(lease, Lease)
    release = (Released(key="recipient", value="Christa Moser"), Released(key="birthday", value="May 1"))
    await floyd.store.move(UID, rid, Planned(lease.epoch, "new-1", PLAN, release, PLAN.mandate))
    await floyd.store.move(UID, rid, DialDue(SCHOOL, "+12125550100"))
    await floyd.store.move(UID, rid, DialClaimed(1))
    await floyd.store.move(UID, rid, Posted(1, "CA1"))
    return rid


async def talked(floyd: Stage, end_reason: str = "done", talk: tuple[tuple[str, str], ...] = TALK) -> str:
    rid = await called(floyd)
    await floyd.store.move(UID, rid, StreamStarted(1, "ws://127.0.0.1:9", 1))
    for seq, (speaker, heard) in enumerate(talk, 1):
        turn = Turn.model_validate(
            {"call": 1, "speaker": speaker, "heard": heard, "start_ms": seq * 1000, "end_ms": seq * 1000 + 900}
        )
        await floyd.store.save_turns(UID, rid, {seq: turn}, None)
    await floyd.store.note_call(UID, rid, 1, {"cost": {"amount": "0.12", "currency": "USD", "parts": {}}})
    await floyd.store.move(UID, rid, CallFinished(1, end_reason))
    return rid


async def test_a_proved_outcome_with_what_it_leaves_behind(floyd: Stage) -> None:
    """If this fails the person gets no result, no tasks, no ledger, or a cost that leaves something out."""
    rid = await talked(floyd)
    facts = [
        {"key": "order_number", "value": "A4711", "turn": 3},
        {"key": "discount", "value": "20 percent", "turn": 3},
        {"key": "recipient", "value": "Christa Moser", "turn": 2},
    ]
    tasks = [
        {"title": "Flowers are delivered", "due": "Friday", "kind": "appointment", "turn": 3},
        {"title": "They call back", "due": "Monday", "kind": "promise", "turn": 3},
        {"title": "Nothing", "due": None, "kind": "promise", "turn": 99},
    ]
    await floyd.reply("outcome", DRAFT | {"facts": facts, "tasks": tasks})

    await floyd.run(rid)

    request = await floyd.read(rid)
    kept = await floyd.store.below(f"users/{UID}/tasks")
    proposed = await floyd.store.below(f"users/{UID}/requests/{rid}/events")
    ledger = await floyd.store.below(f"users/{UID}/disclosures")
    places = await floyd.store.places(UID)
    assert request.status is Status.DONE
    assert request.outcome is not None
    assert [(claim.proved, claim.turns) for claim in request.outcome.claims] == [(True, [3])]
    assert [fields["value"] for _, fields in proposed] == ["A4711"]
    assert [(fields["title"], fields.get("due")) for _, fields in kept] == [
        ("Flowers are delivered", "Friday"),
        ("They call back", None),
    ]
    assert [(fields["fact"], fields["to"], fields["turn"]) for _, fields in ledger] == [("recipient", SCHOOL, 2)]
    assert [(place.number, place.calls, place.last_outcome) for place in places] == [(SCHOOL, 1, "done")]
    assert float(request.cost.amount) > 0.12
    # What a callee said becomes a fact only by the person's own hand.
    assert {fact.key for fact in await floyd.store.facts(UID, NOW)} == {fact.key for fact in FACTS}


async def test_an_apology_is_no_errand(floyd: Stage) -> None:
    """If this fails a call that ended with our own fault is reported as done because the callee was polite."""
    talk = (
        ("callee", "Flora, good morning."),
        ("floyd", f"{lines.disclosure('Tom Baker')[0]} {lines.APOLOGY}"),
        ("callee", "I have written that down."),
    )
    rid = await talked(floyd, "callee_hung_up", talk)
    await floyd.reply("outcome", DRAFT | {"claims": [{"text": "They have written it down.", "turns": [3]}]})

    await floyd.run(rid)

    outcome = (await floyd.read(rid)).outcome
    assert outcome is not None
    assert (outcome.category, [claim.proved for claim in outcome.claims]) == ("unconfirmed", [False])


@pytest.mark.parametrize(
    "claim",
    [
        {"text": "The flowers cost 50 dollars.", "turns": [3]},
        {"text": "The flowers cost 60 dollars.", "turns": [1]},
        {"text": "The flowers cost 60 dollars.", "turns": [2]},
        {"text": "The flowers cost 60 dollars.", "turns": [99]},
        {"text": "The flowers cost 60 dollars.", "turns": []},
        {"text": "The flowers are delivered on Saturday.", "turns": [3]},
        {"text": "The shop apologised and promised a refund.", "turns": [3]},
    ],
)
async def test_a_claim_that_the_cited_turn_does_not_hold_is_unproved(floyd: Stage, claim: dict[str, Any]) -> None:
    """If this fails a person is told that something is settled which nobody said."""
    rid = await talked(floyd)
    await floyd.reply("outcome", DRAFT | {"claims": [claim]})

    await floyd.run(rid)

    request = await floyd.read(rid)
    assert request.outcome is not None
    assert [each.proved for each in request.outcome.claims] == [False]
    assert request.outcome.category == "unconfirmed"
    assert request.status is Status.UNCONFIRMED
    assert "ordered" not in request.outcome.summary


@pytest.mark.parametrize("category", ["needs_answer", "answered_without_call", "cancelled", "do_not_call", "no_answer"])
async def test_a_model_cannot_choose_what_only_code_knows(floyd: Stage, category: str) -> None:
    """If this fails a model's word starts calls, ends errands, or blocks a number."""
    rid = await talked(floyd)
    await floyd.reply("outcome", DRAFT | {"category": category})

    await floyd.run(rid)

    request = await floyd.read(rid)
    assert request.outcome is not None
    assert request.outcome.category == "unconfirmed"
    assert request.attempt == 1


@pytest.mark.parametrize(
    ("reason", "status"),
    [("do_not_call", Status.FAILED), ("voicemail_left", Status.DONE), ("cancelled", Status.CANCELLED)],
)
async def test_why_the_call_ended_stands_above_the_model(floyd: Stage, reason: str, status: Status) -> None:
    """If this fails a "never call again" is reported as a success."""
    rid = await talked(floyd, reason)
    await floyd.reply("outcome", DRAFT)

    await floyd.run(rid)

    request = await floyd.read(rid)
    assert request.status is status
    assert request.outcome is not None
    assert request.outcome.category == reason


async def test_no_answer_is_tried_again_with_time_between_and_not_for_ever(floyd: Stage) -> None:
    """If this fails nobody is tried twice, or a phone rings all day."""
    rid = await called(floyd)
    waits = []
    for attempt in (1, 2, 3):
        await floyd.store.move(UID, rid, CarrierProgress(attempt, f"CA{attempt}", CallStatus.NO_ANSWER))
        await floyd.run(rid)
        request = await floyd.read(rid)
        if request.status is not Status.READY:
            break
        assert request.not_before is not None
        before = request.not_before
        waits.append(before)
        await floyd.store.move(UID, rid, DialDue(SCHOOL, "+12125550100"), before)
        await floyd.store.move(UID, rid, DialClaimed(attempt + 1), before)
        await floyd.store.move(UID, rid, Posted(attempt + 1, f"CA{attempt + 1}"), before)

    assert len(waits) == 2
    assert request.status is Status.FAILED
    assert request.outcome is not None
    assert request.outcome.category == "no_answer"
    assert await floyd.sent() == []


async def test_a_call_that_must_ask_waits_and_rings_back_with_the_answer(floyd: Stage) -> None:
    """If this fails a late answer is lost, or the call back agrees to more than was allowed."""
    rid = await called(floyd)
    await floyd.store.move(UID, rid, StreamStarted(1, "ws://127.0.0.1:9", 1))
    question = Question(text="Is 560 dollars all right?", kind="mandate", offer="560", deadline=NOW, created_at=NOW)
    await floyd.store.move(UID, rid, QuestionAsked(1, "q1", question))
    turn = Turn(call=1, speaker="callee", heard="That is five hundred sixty dollars.", start_ms=0, end_ms=1)
    await floyd.store.save_turns(UID, rid, {1: turn}, None)
    await floyd.store.move(UID, rid, CallFinished(1, "needs_answer"))
    await floyd.run(rid)
    waiting = await floyd.read(rid)

    await floyd.store.move(UID, rid, QuestionAnswered("q1", "up to 80", "app"))
    await floyd.run(rid)

    again = await floyd.read(rid)
    assert waiting.status is Status.WAITING
    assert (again.status, again.attempt) == (Status.DIALING, 2)
    assert again.mandate is not None
    assert again.mandate.max_amount == "80"
    assert (await floyd.call(rid, 2)).to == SCHOOL
    plan_body = (await floyd.sent())[-1]
    assert b"up to 80" in plan_body
    assert b"five hundred sixty" in plan_body


async def test_an_answer_that_overtakes_the_outcome_rings_back_at_once(floyd: Stage) -> None:
    """If this fails an answer given while the call was ending is never used."""
    rid = await called(floyd)
    await floyd.store.move(UID, rid, StreamStarted(1, "ws://127.0.0.1:9", 1))
    question = Question(text="560?", kind="mandate", offer="560", deadline=NOW, attempt=1)
    await floyd.store.move(UID, rid, QuestionAsked(1, "q1", question))
    await floyd.store.move(UID, rid, CallFinished(1, "needs_answer"))
    await floyd.store.move(UID, rid, QuestionAnswered("q1", "yes", "app"))

    await floyd.run(rid)

    assert (await floyd.read(rid)).attempt == 2


async def test_a_bail_without_a_question_does_not_ring_for_ever(floyd: Stage) -> None:
    """If this fails a call that says it must ask, and asked nothing, is repeated without end."""
    rid = await talked(floyd, "needs_answer")

    await floyd.run(rid)

    request = await floyd.read(rid)
    assert request.outcome is not None
    assert (request.attempt, request.outcome.category) == (1, "no_progress")


async def test_a_cancel_during_the_call_is_the_outcome(floyd: Stage) -> None:
    """If this fails a cancelled errand is rung again or reported as done."""
    rid = await called(floyd)
    await floyd.store.move(UID, rid, CancelRequested())
    await floyd.store.move(UID, rid, CarrierProgress(1, "CA1", CallStatus.NO_ANSWER))

    await floyd.run(rid)

    assert (await floyd.read(rid)).status is Status.CANCELLED


async def test_without_the_model_the_transcript_is_the_result(floyd: Stage) -> None:
    """If this fails a vendor's outage leaves a finished call without an end, or makes a success up."""
    rid = await talked(floyd)
    await floyd.fail("status", status=500, count=10)

    await floyd.run(rid)

    request = await floyd.read(rid)
    assert request.status is Status.UNCONFIRMED
    assert request.outcome is not None
    assert request.outcome.claims == []
    assert len(await floyd.sent()) == outcomes.TRIES


async def test_an_outcome_is_worked_out_once(floyd: Stage) -> None:
    """If this fails repeated triggers double costs, tasks, and calls after no answer."""
    rid = await talked(floyd)
    await floyd.reply("outcome", DRAFT)

    await race(floyd, rid, "outcome-1", 8)

    request = await floyd.read(rid)
    assert request.status is Status.DONE
    assert float(request.cost.amount) < 0.2
    assert len(await floyd.sent()) == 1
