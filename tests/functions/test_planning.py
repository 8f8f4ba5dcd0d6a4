"""Planning against the model's stand-in over a real socket: what code makes of plans, good and bad."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from floyd.documents import CallStatus, Fact, JobReason, Place, Released, Status
from floyd.lifecycle.after_the_call import Swept
from floyd.lifecycle.before_the_call import Approved, Edited, JobClaimed, PlanFailed, QuestionAnswered
from floyd.lifecycle.during_the_call import CancelRequested
from floyd.lifecycle.limits import HINT, LEASE
from floyd.plans import MandateTerms
from floyd.store import Store
from functions.planning import run_job
from standins.openai.server import Delays, application, listening
from tests.functions.planning_stage import FACTS, NOW, SCHOOL, UID, Stage, race, stage

PLAN: dict[str, Any] = {
    "needs_call": True,
    "answer_key": None,
    "goal": "Tell {school_name} that {child_name} is sick today.",
    "done_when": ["The school has noted it."],
    "callee": {"name": "Lincoln Elementary", "number": SCHOOL, "number_source": "fact"},
    "facts_needed": ["child_name", "school_name"],
    "facts_missing": [],
    "steps": ["Say that {child_name} is sick."],
    "opening": "I am calling to tell you that {child_name} is sick today.",
    "voicemail": "Please call back.",
    "mandate": {"max_amount": "0", "currency": "USD", "times": [], "promises": []},
    "questions": [],
}


@pytest.fixture
async def floyd(store: Store) -> AsyncIterator[Stage]:
    quick = Delays(first_token_ms=0, tokens_per_s=1_000_000)
    async with listening(application(delays=quick), "127.0.0.1", 0) as port:
        made = stage(store, port)
        await made.person(*FACTS)
        yield made
        await made.close()


async def test_an_errand_is_planned_and_the_intent_to_ring_written(floyd: Stage) -> None:
    """If this fails the plain case does not work: known number, known facts, nothing to ask."""
    rid = await floyd.plan("Tell Mara's school she is sick today")

    request, call = await floyd.read(rid), await floyd.call(rid)
    assert request.status is Status.DIALING
    assert (call.status, call.to, call.from_) == (CallStatus.INTENDED, SCHOOL, "+12125550100")
    assert request.plan is not None
    assert "{" not in request.plan.opening
    assert request.plan.callee.number == SCHOOL
    assert len(await floyd.sent()) == 1


async def test_placeholders_are_filled_with_what_is_released(floyd: Stage) -> None:
    """If this fails the callee hears a key in braces, or a fact that the errand does not need."""
    await floyd.reply("plan", PLAN)

    request = await floyd.read(await floyd.plan("x"))

    assert request.plan is not None
    assert request.plan.opening == "I am calling to tell you that Mara Baker is sick today."
    assert {fact.key for fact in request.release} == {"child_name", "school_name"}


async def test_values_that_are_not_always_shared_are_in_no_byte_sent(floyd: Stage) -> None:
    """If this fails a vendor, and through it a callee, learns what the person keeps or has not allowed yet."""
    canaries = ("canary-never-4711", "canary-ask-0815")
    await floyd.person(
        Fact(key="card_number", value=canaries[0], category="payment", share="never"),
        Fact(key="child_birthday", value=canaries[1], category="person", share="ask"),
    )
    needing = PLAN | {
        "facts_needed": ["child_name", "child_birthday", "card_number"],
        "opening": "I am calling about {child_name}, born {child_birthday}, card {card_number}.",
    }
    await floyd.reply("plan", needing)
    rid = await floyd.plan("Tell Mara's school she is sick")
    waiting = await floyd.read(rid)
    await floyd.reply("plan", needing)
    await floyd.store.move(UID, rid, Edited(text="Tell Mara's school she is ill"))
    await floyd.run(rid)
    await floyd.store.move(UID, rid, Approved())
    await floyd.run(rid)

    approved = await floyd.read(rid)
    sent = b"".join(await floyd.sent())
    assert b"card_number" in sent
    assert [canary for canary in canaries if canary.encode() in sent] == []
    assert waiting.status is Status.WAITING
    assert {fact.key for fact in waiting.release} == {"school_name", "child_name"}
    assert {fact.key for fact in approved.release} == {"school_name", "child_name", "child_birthday"}
    assert approved.plan is not None
    assert approved.plan.opening == "I am calling about Mara Baker, born canary-ask-0815, card."


async def test_a_number_that_the_plan_made_up_is_not_rung(floyd: Stage) -> None:
    """If this fails a model's invention, or a number planted in a text, is called."""
    made_up = {"name": "Lincoln Elementary", "number": "+12125550199", "number_source": "request"}
    await floyd.reply("plan", PLAN | {"callee": made_up})

    rid = await floyd.plan("Tell the school that Mara is sick")

    request = await floyd.read(rid)
    assert request.status is Status.WAITING
    assert [question.text for question in await floyd.asked(rid)] == ["What is the phone number of Lincoln Elementary?"]


@pytest.mark.parametrize(
    ("source", "number", "text"),
    [
        ("request", "+13125550142", "Tell the school at (312) 555-0142 that Mara is sick"),
        ("fact", "{school_number}", "Tell the school"),
        ("place", "+13125550142", "Tell the school"),
    ],
)
async def test_a_number_is_read_from_where_it_stands(floyd: Stage, source: str, number: str, text: str) -> None:
    """If this fails a number that the person gave is not understood."""
    await floyd.store.note_result(UID, "old", 1, place=Place(name="Lincoln", number=SCHOOL))
    callee = {"name": "Lincoln", "number": number, "number_source": source}
    await floyd.reply("plan", PLAN | {"callee": callee})

    assert (await floyd.call(await floyd.plan(text))).to == SCHOOL


@pytest.mark.parametrize(
    ("number", "category"),
    [
        ("911 911 911", "refused_by_policy"),
        ("+1 900 555 0142", "refused_by_policy"),
        ("+1 312 555 0187", "refused_by_policy"),
        ("+1 111 111 1111", "number_invalid"),
        ("+1 212 555 0100", "refused_by_policy"),
    ],
)
async def test_a_number_that_may_not_ring_ends_the_request(floyd: Stage, number: str, category: str) -> None:
    """If this fails an emergency, premium, foreign or our own number is dialled, or the request hangs."""
    callee = {"name": "Somebody", "number": number, "number_source": "request"}
    await floyd.reply("plan", PLAN | {"callee": callee})

    request = await floyd.read(await floyd.plan(f"ring {number}"))

    assert request.status is Status.FAILED
    assert request.outcome is not None
    assert request.outcome.category == category, request.outcome
    assert request.status_reason


async def test_a_missing_fact_is_asked_for_and_used_once_known(floyd: Stage) -> None:
    """If this fails Floyd rings without what the callee will ask for, or forgets the answer."""
    await floyd.reply("plan", PLAN | {"facts_missing": ["teacher_name"]})
    rid = await floyd.plan("Tell the school")
    asked = await floyd.store.questions(UID, rid)
    await floyd.store.move(UID, rid, QuestionAnswered(asked[0][0], "Ms Gray", "app"))
    await floyd.reply("plan", PLAN | {"facts_needed": ["child_name", "teacher_name"]})

    await floyd.run(rid)

    request = await floyd.read(rid)
    assert [question.text for _, question in asked] == ["What is the teacher name?"]
    assert request.status is Status.DIALING
    assert Released(key="teacher_name", value="Ms Gray") in request.release
    assert b"Ms Gray" in (await floyd.sent())[-1]
    # An answer serves this errand; it becomes a fact only by the person's own hand.
    assert {fact.key for fact in await floyd.store.facts(UID, NOW)} == {fact.key for fact in FACTS}


async def test_an_asked_number_is_rung(floyd: Stage) -> None:
    """If this fails Floyd asks for a number and then asks again."""
    unknown = PLAN | {"callee": {"name": "Christa's Flowers", "number": None, "number_source": "none"}}
    await floyd.reply("plan", unknown)
    rid = await floyd.plan("Order flowers")
    (name, _), *_ = await floyd.store.questions(UID, rid)
    await floyd.store.move(UID, rid, QuestionAnswered(name, "it is 312 555 0142, ask for Jo", "sms"))
    await floyd.reply("plan", unknown)
    await floyd.run(rid)

    assert (await floyd.call(rid, 2)).to == SCHOOL
    assert SCHOOL not in str((await floyd.read(rid)).release)


@pytest.mark.parametrize(
    ("text", "amount", "status"),
    [
        ("order flowers, up to 80 dollars", "80", Status.DIALING),
        ("order flowers, up to 80 dollars", "81", Status.WAITING),
        ("order flowers", "25", Status.WAITING),
        ("order flowers for eighty dollars", "80", Status.DIALING),
        ("order flowers", "-1", Status.DIALING),
        ("order flowers", "NaN", Status.DIALING),
    ],
)
async def test_money_that_the_person_did_not_name_needs_a_yes(
    floyd: Stage, text: str, amount: str, status: Status
) -> None:
    """If this fails Floyd spends what nobody allowed, or asks about what was said."""
    mandate = {"max_amount": amount, "currency": "USD", "times": [], "promises": []}
    await floyd.reply("plan", PLAN | {"mandate": mandate})

    request = await floyd.read(await floyd.plan(text))

    assert request.status is status
    assert request.mandate is not None
    assert float(request.mandate.max_amount) <= max(float(amount), 0) or amount == "NaN"


async def test_an_approved_plan_is_rung_without_being_planned_again(floyd: Stage) -> None:
    """If this fails an approval is asked for twice, or another plan than the approved one is carried out."""
    mandate = {"max_amount": "25", "currency": "USD", "times": [], "promises": []}
    await floyd.reply("plan", PLAN | {"mandate": mandate})
    rid = await floyd.plan("order flowers")
    (name, question), *_ = await floyd.store.questions(UID, rid)

    await floyd.store.move(UID, rid, QuestionAnswered(name, "yes", "app"))
    await floyd.run(rid)

    request = await floyd.read(rid)
    assert question.text == "May Floyd spend up to 25 dollars?"
    assert request.status is Status.DIALING
    assert request.attempt == 1
    assert len(await floyd.sent()) == 1


async def test_wishes_of_the_person_stand_above_the_plan(floyd: Stage) -> None:
    """If this fails what the person chose in the app is replaced by what a model thinks."""
    rid = await floyd.request("order flowers")
    wished = MandateTerms(max_amount="40")
    await floyd.store.move(UID, rid, Edited(release=("school_name",), mandate=wished))
    await floyd.reply("plan", PLAN | {"mandate": {"max_amount": "90", "currency": "USD", "times": [], "promises": []}})

    await floyd.run(rid)

    request = await floyd.read(rid)
    assert request.status is Status.DIALING
    assert request.mandate == wished
    assert request.release == [Released(key="school_name", value="Lincoln Elementary")]


async def test_a_question_about_a_fact_needs_no_call(floyd: Stage) -> None:
    """If this fails a phone rings to learn what the person has written down."""
    await floyd.person(Fact(key="dentist_appointment", value="Tuesday at 3", category="date", share="ask"))
    await floyd.reply("plan", PLAN | {"needs_call": False, "answer_key": "dentist_appointment"})

    request = await floyd.read(await floyd.plan("when is my dentist appointment?"))

    assert request.status is Status.DONE
    assert request.outcome is not None
    assert request.outcome.category == "answered_without_call"
    assert request.outcome.summary == "Dentist appointment: Tuesday at 3"
    assert b"Tuesday at 3" not in b"".join(await floyd.sent())


async def test_a_dry_run_ends_with_its_plan(floyd: Stage) -> None:
    """If this fails trying a request out rings somebody, or never ends."""
    rid = await floyd.plan("Tell Mara's school she is sick", dry_run=True)

    request = await floyd.read(rid)
    assert request.status is Status.DONE
    assert request.plan is not None
    assert await floyd.store.calls(UID, rid) == []


async def test_a_call_for_later_waits_for_its_time(floyd: Stage) -> None:
    """If this fails a phone rings before the time that the person set, or in the night."""
    later = await floyd.plan("Tell Mara's school she is sick", not_before=NOW + timedelta(hours=2))
    night = await floyd.plan("Tell Mara's school", not_before=datetime(2026, 11, 24, 9, tzinfo=UTC))

    waiting, tomorrow = await floyd.read(later), await floyd.read(night)
    assert (waiting.status, waiting.not_before) == (Status.READY, NOW + timedelta(hours=2))
    # 09:00 UTC is 03:00 in Chicago, where the number rings: 08:00 there is 14:00 UTC.
    assert tomorrow.not_before == datetime(2026, 11, 24, 14, tzinfo=UTC)


async def test_one_job_delivered_many_times_is_planned_once(floyd: Stage) -> None:
    """If this fails repeated triggers cost a plan each, and may ring a phone each."""
    rid = await floyd.request("Tell Mara's school she is sick today")

    words = await race(floyd, rid, "new-1", 12)
    again = await run_job(UID, rid, "new-1", floyd.parts)

    assert words.count("ready") == 1
    assert again == "done already"
    assert len(await floyd.sent()) == 1
    assert len(await floyd.store.calls(UID, rid)) == 1


async def test_a_request_that_cannot_be_planned_fails_after_three_tries(floyd: Stage) -> None:
    """If this fails a poison request is planned for a day, or hangs for ever."""
    await floyd.fail("status", status=503, count=100)

    request = await floyd.read(await floyd.plan("anything"))

    assert request.status is Status.FAILED
    assert request.outcome is not None
    assert request.outcome.category == "vendor_failed"
    assert len(await floyd.sent()) == 3


@pytest.mark.parametrize("kind", ["garbage", "empty", "cut"])
async def test_a_bad_answer_is_asked_for_again(floyd: Stage, kind: str) -> None:
    """If this fails one bad answer of the model fails the errand, or becomes a plan."""
    await floyd.fail(kind, count=1)

    request = await floyd.read(await floyd.plan("Tell Mara's school she is sick today"))

    assert request.status is Status.DIALING
    assert len(await floyd.sent()) == 2


async def test_a_refused_key_is_not_tried_again(floyd: Stage) -> None:
    """If this fails a wrong key is sent to the vendor again and again."""
    await floyd.fail("status", status=401, count=100)

    request = await floyd.read(await floyd.plan("anything"))

    assert request.status is Status.FAILED
    assert len(await floyd.sent()) == 1


async def test_a_cancel_while_planning_stays(floyd: Stage) -> None:
    """If this fails a plan that arrives late brings a cancelled request back."""
    rid = await floyd.request("Tell Mara's school she is sick today")
    await floyd.store.move(UID, rid, CancelRequested())

    await floyd.run(rid)

    assert (await floyd.read(rid)).status is Status.CANCELLED
    assert await floyd.sent() == []


async def test_a_planner_that_died_is_replaced_and_cannot_come_back(floyd: Stage) -> None:
    """If this fails a killed function leaves "planning" for ever, or one that slept overwrites the newer plan."""
    rid = await floyd.request("Tell Mara's school she is sick today")
    dead = await floyd.store.move(UID, rid, JobClaimed("dead", JobReason.NEW, 1), NOW)
    assert dead.errand.request.lease is not None
    assert await run_job(UID, rid, "new-1", floyd.parts) == "leased to another worker"
    late = NOW + 2 * LEASE
    await floyd.store.move(UID, rid, Swept(), late)
    await floyd.store.move(UID, rid, JobClaimed("alive", JobReason.NEW, 1), late + 2 * LEASE)
    stale = PlanFailed(dead.errand.request.lease.epoch, "new-1", "too late", retryable=False)
    refused = await floyd.store.move(UID, rid, stale)
    assert refused.ignored == "the lease has passed on"
    assert (await floyd.read(rid)).status is Status.PLANNING


async def test_a_lost_trigger_is_made_up_for(floyd: Stage) -> None:
    """If this fails a request whose first job nobody heard of is never planned."""
    rid = await floyd.request("Tell Mara's school she is sick today")
    await floyd.store.delete(f"users/{UID}/requests/{rid}/jobs/new-1")
    assert await floyd.run(rid) == "nothing to do"
    await floyd.store.move(UID, rid, Swept(), NOW + 2 * HINT)
    await floyd.run(rid)
    assert (await floyd.read(rid)).status is Status.DIALING
