"""Requests in the real emulator: one winner among racers, one request per key, nothing written by a lost guard."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from floyd.documents import CallStatus, JobReason, Lease, Question, Released, Request, Status, Turn
from floyd.errors import ConflictError, NotFoundError
from floyd.lifecycle.after_the_call import Swept
from floyd.lifecycle.before_the_call import Approved, Edited, JobClaimed, Planned, QuestionAnswered, Retried
from floyd.lifecycle.during_the_call import CancelRequested, DialClaimed, DialDue
from floyd.plans import Callee, MandateTerms, Plan
from floyd.store import Store

NOW = datetime(2026, 11, 23, 15, 15, tzinfo=UTC)
PLAN = Plan(
    needs_call=True,
    goal="tell the school",
    done_when=[],
    callee=Callee(name="Lincoln Elementary", number="+13125550142", number_source="fact"),
    facts_needed=[],
    facts_missing=[],
    steps=[],
    opening="I am calling to tell you that Mara is sick today.",
    voicemail="",
    mandate=MandateTerms(),
    questions=[],
)


async def make(store: Store, key: str = "one") -> str:
    now = datetime.now(UTC)
    return (await store.create_request("tom", key, Request(text="tell the school", created_at=now, deadline=now))).rid


async def plan(store: Store, rid: str, **changes: object) -> None:
    """Carry a fresh request through planning."""
    claimed = await store.move("tom", rid, JobClaimed("worker", JobReason.NEW, 1))
    lease = claimed.errand.request.lease
    assert isinstance(lease, Lease)
    values = {"plan": PLAN, "release": (), "mandate": MandateTerms()} | changes
    await store.move("tom", rid, Planned(lease.epoch, "new-1", **values))  # type: ignore[arg-type]


async def test_one_key_makes_one_request_however_often_it_is_sent(store: Store) -> None:
    """If this fails a client that repeats a POST whose answer was lost has two people rung."""
    made = await asyncio.gather(
        *(store.create_request("tom", "k", Request(text="ring", created_at=NOW, deadline=NOW)) for _ in range(20))
    )

    assert len({rid for rid, _, _ in made}) == 1
    assert [new for _, _, new in made].count(True) == 1
    assert len(await store.below(f"users/tom/requests/{made[0][0]}/jobs")) == 1


async def test_a_key_used_with_other_text_is_refused(store: Store) -> None:
    """If this fails somebody who reuses a key never learns that the second request was dropped."""
    await store.create_request("tom", "k", Request(text="ring", created_at=NOW, deadline=NOW))

    with pytest.raises(ConflictError):
        await store.create_request("tom", "k", Request(text="ring twice", created_at=NOW, deadline=NOW))
    with pytest.raises(ConflictError):
        await store.known_request("tom", "ring twice", "k")


async def test_an_edit_does_not_make_a_repeated_post_a_conflict(store: Store) -> None:
    """If this fails a late repeat of the first POST is refused after the person changed the words."""
    rid = await make(store)
    await store.move("tom", rid, Edited(text="tell the school and the bus"))

    known = await store.known_request("tom", "tell the school", "one")

    assert known is not None
    assert known[0] == rid
    assert known[1].attempt == 1


async def test_a_request_is_forgotten_long_after_its_end_and_not_before(store: Store) -> None:
    """If this fails words and numbers stay for ever, or a request that waits or is tried again disappears."""
    rid = await make(store)
    path = f"users/tom/requests/{rid}"

    async def expiry(name: str = "") -> datetime | None:
        return ((await store.read(path + name)).to_dict() or {}).get("expires_at")

    await plan(store, rid)
    assert await expiry() is None
    await store.move("tom", rid, DialDue("+13125550142", "+12025550100"), NOW)
    assert await expiry("/calls/1") == NOW + store.kept
    assert await expiry("/jobs/new-1") is not None
    await store.move("tom", rid, CancelRequested(), NOW)
    assert await expiry() == NOW + store.kept
    await store.move("tom", rid, Retried(), NOW)
    assert await expiry() is None
    assert await expiry("/jobs/retry-2") == NOW + store.kept


async def test_thirty_racers_on_one_claim_have_one_winner(store: Store) -> None:
    """If this fails a trigger that is delivered many times makes many plans."""
    rid = await make(store)

    moves = await asyncio.gather(
        *(store.move("tom", rid, JobClaimed(f"worker {n}", JobReason.NEW, 1)) for n in range(30))
    )

    winners = [moved for moved in moves if moved.ignored is None]
    request = await store.request("tom", rid)
    assert len(winners) == 1
    assert request is not None
    assert request.lease == winners[0].errand.request.lease
    assert request.rev == 1


async def test_thirty_diallers_have_one_winner_and_none_after_a_cancel(store: Store) -> None:
    """If this fails a phone rings twice, or rings after the person was told that it will not."""
    rid = await make(store)
    await plan(store, rid)
    await store.move("tom", rid, DialDue("+13125550142", "+12125550100"))

    moves = await asyncio.gather(
        store.move("tom", rid, CancelRequested()), *(store.move("tom", rid, DialClaimed(1)) for _ in range(30))
    )

    cancelled, claims = moves[0], moves[1:]
    winners = [moved for moved in claims if moved.ignored is None]
    assert len(winners) == (0 if cancelled.answer == "cancelled" else 1)
    call = await store.call("tom", rid, 1)
    assert call is not None
    assert call.status is (CallStatus.CANCELED if cancelled.answer == "cancelled" else CallStatus.POSTING)


async def test_a_stored_plan_comes_back_as_it_was(store: Store) -> None:
    """If this fails the plan that a person approved is not the one that is carried out."""
    rid = await make(store)
    await plan(store, rid, release=(Released(key="child", value="Mara"),))

    request = await store.request("tom", rid)

    assert request is not None
    assert request.status is Status.READY
    assert request.plan == PLAN
    assert request.release == [Released(key="child", value="Mara")]
    job = await store.job("tom", rid, "new-1")
    assert job is not None
    assert job.done_at is not None


async def test_an_answer_is_applied_once_among_racers(store: Store) -> None:
    """If this fails an answer sent from app and phone at once is applied twice."""
    rid = await make(store)
    asked = Question(text="Which school?", kind="fact", key="school_name", deadline=NOW, created_at=NOW)
    await plan(store, rid, questions=(("q1", asked),))

    moves = await asyncio.gather(
        *(store.move("tom", rid, QuestionAnswered("q1", f"Lincoln {n}", "app")) for n in range(6))
    )

    winners = [moved for moved in moves if moved.ignored is None]
    question = await store.question("tom", rid, "q1")
    assert len(winners) == 1
    assert {moved.answer for moved in moves if moved.ignored} == {"closed"}
    assert question is not None
    assert question.status == "answered"
    assert winners[0].errand.request.release == [Released(key="school_name", value=str(question.answer))]
    assert winners[0].errand.request.status is Status.PLANNING
    assert winners[0].errand.request.attempt == 2


async def test_an_approval_releases_what_was_proposed(store: Store) -> None:
    """If this fails a yes to the approval question releases nothing, or releases before the yes."""
    rid = await make(store)
    asked = Question(text="May I give your birthday?", kind="approval", deadline=NOW, created_at=NOW)
    proposed = (Released(key="birthday", value="1990-05-01"),)
    await plan(store, rid, questions=(("approval-1", asked),), proposed=proposed)
    waiting = await store.request("tom", rid)

    moved = await store.move("tom", rid, Approved())

    assert waiting is not None
    assert waiting.status is Status.WAITING
    assert waiting.release == []
    assert moved.errand.request.status is Status.READY
    assert moved.errand.request.release == list(proposed)
    assert await store.job("tom", rid, f"approval-1-{moved.errand.request.rev - 1}") is not None


async def test_overdue_finds_every_person_and_no_ended_request(store: Store) -> None:
    """If this fails the sweeper misses a stuck request, or wakes a finished one."""
    rid = await make(store)
    gone = await make(store, "two")
    await store.move("tom", gone, CancelRequested())
    late = datetime.now(UTC) + timedelta(hours=1)

    overdue = await store.overdue(late)
    moved = await store.move("tom", rid, Swept(), late)

    assert [(uid, name) for uid, name, _ in overdue] == [("tom", rid)]
    assert await store.overdue(datetime.now(UTC) - timedelta(hours=1)) == []
    assert moved.errand.request.hints == 1
    assert await store.job("tom", rid, "new-1-0") is not None


async def test_turns_are_kept_once_and_in_order(store: Store) -> None:
    """If this fails a retried write doubles a turn, or the tenth turn is read before the second."""
    rid = await make(store)
    for seq in (1, 2, 10, 2):
        turn = Turn(call=1, speaker="callee", heard=f"turn {seq}", start_ms=seq, end_ms=seq + 1)
        await store.save_turns("tom", rid, {seq: turn}, None)

    assert [seq for seq, _ in await store.turns("tom", rid)] == [1, 2, 10]


async def test_somebody_elses_request_is_not_there(store: Store) -> None:
    """If this fails one person can move another's request by knowing its id."""
    rid = await make(store)

    with pytest.raises(NotFoundError):
        await store.move("ann", rid, CancelRequested())
