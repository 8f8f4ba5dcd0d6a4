"""The outbox of a call: every turn stored, in order, once, whatever the store does meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from google.api_core.exceptions import ServiceUnavailable

from floyd import documents
from floyd.carrier import Carrier
from floyd.documents import Call, Cost, Gap, Live, Person, Request, Status
from floyd.lifecycle import Errand
from floyd.money import Money
from floyd.store import Store
from relay import turns
from relay.admission import Admitted
from relay.core.actions import AskPerson, QuestionKind
from relay.core.transcript import Speaker, Transcript, Turn
from relay.turns import CallRecord

CALLEE = "+13125550142"


class MoodyStore(Store):
    """The real store, away for as many writes as a test wants."""

    away = 0
    writes = 0

    async def save_turns(
        self, uid: str, rid: str, turns: Mapping[int, documents.Turn | None], live: Live | None
    ) -> None:
        self.writes += 1
        if self.away:
            self.away -= 1
            raise ServiceUnavailable("away")  # type: ignore[no-untyped-call]
        await super().save_turns(uid, rid, turns, live)


@pytest.fixture
async def moody(store: Store) -> MoodyStore:
    moody = MoodyStore(store.client)
    await moody.put("users/u/requests/r", request())
    await moody.put("users/u/requests/r/calls/1", CALL)
    return moody


CALL = Call.model_validate({"to": CALLEE, "from": "+13125550100"})


def request(attempt: int = 1) -> Request:
    now = datetime.now(UTC)
    return Request(text="x", attempt=attempt, status=Status.TALKING, created_at=now, deadline=now + timedelta(hours=1))


def record_on(store: Store, *earlier: documents.Turn, attempt: int = 1) -> CallRecord:
    carrier = Carrier("AC", "secret", api_base="http://127.0.0.1:9")
    errand = Errand("u", "r", request(attempt), CALL)
    admitted = Admitted(1, errand, Person(), tuple(enumerate(earlier, 1)))
    return CallRecord(admitted, store, carrier, from_number="+13125550100", began_ms=0)


@pytest.fixture
async def record(moody: MoodyStore) -> AsyncIterator[CallRecord]:
    record = record_on(moody)
    yield record
    await record.close()


def turn(seq: int, heard: str, speaker: Speaker = Speaker.CALLEE) -> Turn:
    return Turn(seq, speaker, heard, 0, 10)


async def stored(store: Store) -> list[tuple[int, str]]:
    return [(seq, turn.heard) for seq, turn in await store.turns("u", "r")]


async def test_turns_are_stored_and_amended(moody: MoodyStore, record: CallRecord) -> None:
    """Fails if a turn were lost, doubled, or kept in its first form."""
    hello = turn(1, "hello")
    record.save(Transcript((hello,)))
    assert await record.flush(5)
    assert await stored(moody) == [(1, "hello")]
    record.save(Transcript((replace(hello, heard="hello there"), turn(2, "good morning", Speaker.FLOYD))))
    assert await record.flush(5)
    assert await stored(moody) == [(1, "hello there"), (2, "good morning")]


async def test_a_turn_that_was_taken_back_leaves_no_document(moody: MoodyStore, record: CallRecord) -> None:
    """Fails if the transcript showed a turn that the conversation withdrew."""
    record.save(Transcript((turn(1, "hello"), turn(2, "wait"))))
    assert await record.flush(5)
    record.save(Transcript((turn(1, "hello"),)))
    assert await record.flush(5)
    assert await stored(moody) == [(1, "hello")]


async def test_a_store_that_is_away_loses_nothing(
    moody: MoodyStore, record: CallRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails if turns were dropped or mixed up while the store was away."""
    monkeypatch.setattr(turns, "BACKOFF_S", (0.01,))
    moody.away = 3
    said = tuple(turn(seq, f"line {seq}") for seq in range(1, 6))
    for number in range(1, 6):
        record.save(Transcript(said[:number], interim=f"interim {number}"))
        await asyncio.sleep(0)
    assert await record.flush(5)
    assert await stored(moody) == [(seq, f"line {seq}") for seq in range(1, 6)]


async def test_a_flush_gives_up_in_time(moody: MoodyStore, record: CallRecord) -> None:
    """Fails if a process that must leave waited for a dead store."""
    moody.away = 10_000
    record.save(Transcript((turn(1, "hello"),)))
    assert not await record.flush(0.05)


async def test_interim_words_are_gathered(moody: MoodyStore, record: CallRecord) -> None:
    """Fails if every interim result were a write, or the newest words were not shown."""
    for number in range(50):
        record.save(Transcript(interim=f"word {number}"))
        await asyncio.sleep(0)
    assert await record.flush(5)
    assert moody.writes <= 3
    live = await moody.read("users/u/requests/r/live/now")
    assert (live.to_dict() or {})["interim"] == "word 49"


async def test_who_is_on_the_line_is_shown_at_once(moody: MoodyStore, record: CallRecord) -> None:
    """Fails if the person could not see that Floyd is on hold, and since when."""
    record.save(Transcript(line="hold"))
    assert await record.flush(5)
    live = (await moody.read("users/u/requests/r/live/now")).to_dict() or {}
    assert live["line"] == "hold"
    assert abs(live["line_since"] - datetime.now(UTC)) < timedelta(minutes=1)
    record.save(Transcript(line="hold", interim="your call is important", held_s=1140.0))
    assert await record.flush(5)
    later = (await moody.read("users/u/requests/r/live/now")).to_dict() or {}
    assert later["updated_at"] > live["updated_at"]
    assert later == live | {"interim": "your call is important", "updated_at": later["updated_at"]}
    call = (await moody.read("users/u/requests/r/calls/1")).to_dict() or {}
    assert (call["line"], call["held_s"]) == ("hold", 1140.0), "the next relay counts on from there"


async def test_numbers_go_on_after_earlier_calls_and_other_relays(moody: MoodyStore) -> None:
    """Fails if a call wrote over the turns of another."""
    said = documents.Turn(call=1, speaker="callee", heard="old", start_ms=0, end_ms=10)
    await moody.put("users/u/requests/r/calls/2", CALL)
    known = said.model_copy(update={"call": 2, "heard": "hello"})
    record = record_on(moody, *[said] * 7, known, attempt=2)
    record.save(Transcript((turn(1, "hello"), turn(2, "again"))))
    record.note(gaps=[Gap(turn=2, frame_ms=500.0)], cost=Cost(amount="0.1"))
    assert await record.flush(5)
    assert await stored(moody) == [(9, "again")]
    call = await moody.call("u", "r", 2)
    assert call is not None
    assert (call.gaps, call.cost.amount) == ([Gap(turn=9, frame_ms=500.0)], "0.1")
    await record.close()


async def test_a_question_and_an_opt_out_are_stored_for_good(moody: MoodyStore, record: CallRecord) -> None:
    """Fails if the person were not asked, the offer were lost, or a callee could be rung again."""
    asked = AskPerson("q1", "Is 560 dollars all right?", ("yes", "no"), QuestionKind.MANDATE, _money("560"), 90.0)
    record.ask(asked)
    record.opt_out()
    assert await record.flush(5)
    [(name, question)] = await moody.questions("u", "r")
    assert record.question_of(name) == "q1"
    assert (question.kind, question.offer, question.choices) == ("mandate", "560", ["yes", "no"])
    request = await moody.request("u", "r")
    assert request is not None
    assert request.open_questions == [name]
    assert (await moody.callee_at(CALLEE)).do_not_call


def _money(amount: str) -> Money:
    return Money(Decimal(amount), "USD")
