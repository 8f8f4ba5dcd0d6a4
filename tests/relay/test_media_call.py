"""Whole calls over real sockets and real sound: what the callee hears, and what the documents say afterwards."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2
import orjson
import pytest

from floyd import logs
from floyd.documents import Status
from floyd.lifecycle.before_the_call import QuestionAnswered
from floyd.lifecycle.during_the_call import ResumeGranted
from floyd.store import InboxCommand, Store
from relay import media_call
from relay.tape import Tape
from tests.relay.running import RID, TRACE, UID, Phone, Relay, relay

OPENING = "hello this is an ai assistant calling for tom baker this call is transcribed mara is sick today"


@pytest.fixture
async def running(store: Store) -> AsyncIterator[Relay]:
    async with relay(store) as running:
        yield running


@asynccontextmanager
async def answered(running: Relay, token: str) -> AsyncIterator[Phone]:
    async with running.media() as socket:
        handset = Phone(socket)
        await handset.open(token)
        yield handset
        await handset.close()


async def reply(running: Relay, text: str = "", *calls: tuple[str, dict[str, Any]]) -> None:
    """What the model answers next."""
    scripted = [{"name": name, "arguments": orjson.dumps(arguments).decode()} for name, arguments in calls]
    async with httpx2.AsyncClient(trust_env=False) as client:
        fault = {"kind": "reply", "of": "talk", "text": text, "calls": scripted}
        answer = await client.post(f"{running.mind}/control/faults", json=fault)
        assert answer.status_code < 300


async def ended(running: Relay) -> None:
    """Until the relay has done everything about its calls."""
    async with asyncio.timeout(90):
        while running.calls:
            await asyncio.gather(*(call.over.wait() for call in running.calls))
            await asyncio.sleep(0)


async def test_a_call_from_hello_to_goodbye(running: Relay) -> None:
    """Fails if the errand's whole path through the relay broke anywhere."""
    token = await running.errand()
    await reply(running, "Thank you very much. Goodbye.", ("end_call", {"reason": "noted"}))
    async with answered(running, token) as handset:
        handset.say("lincoln elementary good morning")
        await handset.until(lambda: OPENING in handset.words())
        handset.say("thank you i have noted that for mara")
        await handset.until(lambda: "goodbye" in handset.words())
        assert (await handset.closed())[0] == 1000
    await ended(running)
    errand = await running.store.load(UID, RID)
    assert errand.request.status is Status.WRAPPING
    call = errand.call
    assert call is not None
    assert call.end_reason == "done"
    assert await running.store.job(UID, RID, "outcome-1") is not None
    turns = [turn for _, turn in await running.store.turns(UID, RID)]
    assert [turn.speaker for turn in turns] == ["callee", "floyd", "callee", "floyd"]
    assert turns[0].heard == "lincoln elementary good morning"
    assert (
        turns[1].heard
        == "Hello, this is an AI assistant calling for Tom Baker. This call is transcribed. Mara is sick today."
    )
    assert turns[2].heard == "thank you i have noted that for mara"
    assert turns[3].heard == "Thank you very much. Goodbye."
    assert float(call.cost.amount) > 0
    answer = next(gap for gap in call.gaps if gap.turn == 4)
    stages = [answer.asked_ms, answer.token_ms, answer.clause_ms, answer.audio_ms, answer.frame_ms]
    assert all(stage is not None for stage in stages)
    assert stages == sorted(stage for stage in stages if stage is not None)
    assert answer.endpoint_ms is not None
    assert answer.endpoint_ms > (answer.asked_ms or 0.0), "the model was asked before the turn was over"


async def test_a_call_leaves_its_lines_and_its_tape(
    running: Relay, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails if the dashboard saw no turns, lines lost their request's trace, or a real call could not be replayed."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(media_call, "COST_EVERY_S", 0.5)
    lines: list[dict[str, Any]] = []
    formatter = logs.JsonLines("p")
    caplog.handler.addFilter(lambda record: bool(lines.append(json.loads(formatter.format(record))) or True))
    token = await running.errand()
    await reply(running, "Thank you very much. Goodbye.", ("end_call", {"reason": "noted"}))
    async with answered(running, token) as handset:
        handset.say("lincoln elementary good morning")
        await handset.until(lambda: OPENING in handset.words())
        handset.say("thank you i have noted that for mara")
        await handset.closed()
    await ended(running)

    told = [line for line in lines if line.get("kind") in ("turn", "call", "stream")]
    turns_told = [line for line in told if line["kind"] == "turn"]
    (call_told,) = [line for line in told if line["kind"] == "call"]
    assert [line["turn"] for line in turns_told] == [1, 2, 3, 4]
    assert (told[0]["kind"], told[-1]["kind"]) == ("turn", "stream")
    assert {line["logging.googleapis.com/trace"] for line in told} == {f"projects/p/traces/{TRACE}"}
    assert call_told["end_reason"] == "done"
    assert call_told["cost"] > 0
    assert turns_told[3]["turn_gap_ms"] > turns_told[3]["endpoint_ms"] > 0
    assert "mara" not in str(lines).lower()
    turns = await running.store.turns(UID, RID)
    stored = await running.store.read(f"users/{UID}/requests/{RID}/tapes/1-1")
    tape = Tape.decode((stored.to_dict() or {})["tape"])
    days = [(each - datetime.now(UTC)).days for each in (stored.get("expires_at"), turns[0][1].expires_at)]
    assert days == [29, 29]
    assert len(tape.steps) > 20
    assert list(tape.differences()) == []


async def test_what_was_cut_is_not_in_the_history(running: Relay) -> None:
    """Fails if a barge-in did not silence us, or the transcript claimed words that the callee never heard."""
    token = await running.errand()
    await reply(
        running, "I can tell you a very long story about the weather and the trees and the river. And much more."
    )
    await reply(running, "Goodbye.", ("end_call", {"reason": "done"}))
    async with answered(running, token) as handset:
        handset.say("hello")
        await handset.until(lambda: OPENING in handset.words())
        handset.say("what else do you have to say")
        await handset.until(lambda: "story" in handset.words())
        handset.say("stop please that is quite enough for me today")
        await handset.until(lambda: handset.clears > 0)
        await handset.until(lambda: "goodbye" in handset.words())
        await handset.closed()
    await ended(running)
    turns = [turn for _, turn in await running.store.turns(UID, RID)]
    cut = next(turn for turn in turns if turn.cut)
    assert "much more" not in cut.heard
    assert "much more" not in handset.words()


async def answer(running: Relay, question: str, words: str) -> None:
    """The person's answer, as `api` writes it down and passes it on."""
    await running.store.move(UID, RID, QuestionAnswered(question, words, "app"))
    command = InboxCommand(
        kind="answer", uid=UID, rid=RID, attempt=1, question=question, answer=words, created_at=datetime.now(UTC)
    )
    await running.store.tell_relay(running.url, "c1", command)


async def test_a_question_to_the_person_is_asked_answered_and_used(running: Relay) -> None:
    """Fails if the person could not help in the middle of a call."""
    token = await running.errand()
    await reply(running, "", ("ask_user", {"question": "Which class is Mara in?", "choices": []}))
    await reply(running, "She is in class four. Goodbye.", ("end_call", {"reason": "done"}))
    async with answered(running, token) as handset:
        handset.say("hello")
        await handset.until(lambda: OPENING in handset.words())
        handset.say("which class is she in")
        await handset.until(lambda: "check" in handset.words())
        name, question = (await handset.look(lambda: running.store.questions(UID, RID), bool))[0]
        assert question.text == 'They ask: "Which class is Mara in?"'
        await answer(running, name, "class four")
        await handset.until(lambda: "goodbye" in handset.words())
        await handset.closed()
    await ended(running)
    assert await running.store.inbox(running.url) == []


async def test_a_call_that_loses_its_relay_goes_on_where_it_was(running: Relay) -> None:
    """Fails if a second stream of the same call began the conversation afresh, or wrote over its turns."""
    token = await running.errand()
    async with answered(running, token) as handset:
        handset.say("hello")
        await handset.until(lambda: OPENING in handset.words())
        handset.say("one moment please")
        await handset.look(lambda: running.store.turns(UID, RID), lambda turns: len(turns) >= 3)
    await ended(running)
    assert (await running.store.load(UID, RID)).request.status is Status.TALKING
    await running.store.move(UID, RID, ResumeGranted(1))
    await reply(running, "Goodbye.", ("end_call", {"reason": "done"}))
    async with answered(running, await running.token(epoch=2)) as handset:
        await handset.until(lambda: "tom baker again" in handset.words())
        handset.say("yes i have noted it goodbye")
        await handset.until(lambda: "goodbye" in handset.words())
        await handset.closed()
    await ended(running)
    turns = [turn for _, turn in await running.store.turns(UID, RID)]
    assert turns[0].heard == "hello"
    assert any("cut off" in turn.heard for turn in turns[3:])
    began = [turn.start_ms for turn in turns]
    assert began == sorted(began), "turns count from the answer, whichever relay hears them"
    assert (await running.store.load(UID, RID)).request.status is Status.WRAPPING


async def test_an_answer_reaches_the_callee_whose_relay_died_while_the_person_was_asked(running: Relay) -> None:
    """Fails if the question dies with the relay that asked it, and the callee waits in vain for an answer."""
    token = await running.errand()
    await reply(running, "", ("ask_user", {"question": "Which class is Mara in?", "choices": []}))
    async with answered(running, token) as handset:
        handset.say("hello")
        await handset.until(lambda: OPENING in handset.words())
        handset.say("which class is she in")
        name, _ = (await handset.look(lambda: running.store.questions(UID, RID), bool))[0]
    await ended(running)
    await running.store.move(UID, RID, ResumeGranted(1))
    await reply(running, "She is in class four. Goodbye.", ("end_call", {"reason": "done"}))
    async with answered(running, await running.token(epoch=2)) as handset:
        await handset.until(lambda: "tom baker again" in handset.words())
        await answer(running, name, "class four")
        await handset.until(lambda: "class four" in handset.words())
        await handset.closed()
    await ended(running)


async def test_a_leaving_relay_hands_its_call_over(running: Relay) -> None:
    """Fails if a deployment cut people off, or closed the stream in a way that ends the call."""
    token = await running.errand()
    async with answered(running, token) as handset:
        handset.say("hello")
        await handset.until(lambda: OPENING in handset.words())
        running.stop.set()
        assert (await handset.closed())[0] == 1012
    assert (await running.store.load(UID, RID)).request.status is Status.TALKING
    assert len(await running.store.turns(UID, RID)) >= 2


@pytest.mark.parametrize(("dear", "closed_with", "end_reason"), [(False, 1012, None), (True, 1000, "cost_limit")])
async def test_a_call_that_grows_too_old_or_dear(
    running: Relay, monkeypatch: pytest.MonkeyPatch, dear: bool, closed_with: int, end_reason: str | None
) -> None:
    """Fails if the platform cut a long call in mid-sentence, or a call cost more than was set aside for it."""
    monkeypatch.setattr(media_call, "COST_EVERY_S", 0.0)
    token = await running.errand()
    if dear:
        await running.store.note_person(UID, {"limits": {"call_cents": 0}})
    async with answered(running, token) as handset:
        handset.say("hello")
        if not dear:
            await handset.until(lambda: OPENING in handset.words())
            monkeypatch.setattr(media_call, "HOP_S", -1)
        assert (await handset.closed())[0] == closed_with
    await ended(running)
    call = (await running.store.load(UID, RID)).call
    assert call is not None
    assert call.end_reason == end_reason


async def test_garbage_in_mid_call_closes_the_socket_and_not_the_errand(running: Relay) -> None:
    """Fails if a broken stream ended the errand although the carrier may open another."""
    token = await running.errand()
    async with answered(running, token) as handset:
        await handset.until(lambda: len(handset.heard) > 0)
        await handset.socket.send("{")
        assert (await handset.closed())[0] == 1007
    await ended(running)
    assert (await running.store.load(UID, RID)).request.status is Status.TALKING


async def test_the_person_may_hang_up(running: Relay) -> None:
    """Fails if a cancelled call went on talking."""
    token = await running.errand()
    async with answered(running, token) as handset:
        handset.say("hello")
        await handset.until(lambda: OPENING in handset.words())
        async with running.socket(f"/calls/{RID}") as socket:
            await socket.send(orjson.dumps({"type": "auth", "token": UID}).decode())
            assert orjson.loads(await socket.recv()) == {"type": "ready"}
            await socket.send('{"type":"listen"}')
            handset.say("are you there")
            frame = await socket.recv()
            assert isinstance(frame, bytes)
            assert len(frame) == 161
            await socket.send('{"type":"hang_up"}')
            async with asyncio.timeout(90):
                assert {len(frame) async for frame in socket} == {161}  # until the call has ended
            assert socket.close_code == 1000
            await handset.closed()
    await ended(running)
    assert (await running.store.load(UID, RID)).call is not None
