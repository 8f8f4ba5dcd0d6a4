"""Replies: which model is asked, what becomes of its stream, and what it is told of the past."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from floyd.errors import VendorError
from relay.core.actions import Message, Role, StartReply
from relay.core.events import (
    AskRequested,
    EndCallRequested,
    FactNoted,
    KeysRequested,
    ReplyFailed,
    ReplyFinished,
    ReplyText,
)
from relay.mind import Delta, Prompt, Thought, ToolCall, ToolResult, Usage
from relay.replying import KEPT_IN_FULL, ROUNDS_PER_REPLY, Breaker, MindEvent, Replies

DONE = Usage("m", 10, 0, 5)
TURNS = (Message(Role.CALLEE, "hello"),)
Script = Sequence[Thought | Exception]


class ScriptedMind:
    """A model that says what a test wrote down, one script per stream."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self.asked: list[tuple[str, Prompt]] = []

    async def think(self, prompt: Prompt, *, model: str) -> AsyncGenerator[Thought, None]:
        self.asked.append((model, prompt))
        for thought in self._scripts.pop(0) if self._scripts else [DONE]:
            if isinstance(thought, Exception):
                raise thought
            yield thought

    async def warm(self) -> None:
        return None

    async def close(self) -> None:
        return None


class Told:
    """What the replies report, and a way to wait for it."""

    def __init__(self, *scripts: Script, clock: Callable[[], float] = lambda: 0.0) -> None:
        self.mind = ScriptedMind(*scripts)
        self.events: list[MindEvent] = []
        self.first_tokens: list[int] = []
        self._over = asyncio.Event()
        self.breaker = Breaker(clock)
        self.replies = Replies(
            mind=self.mind,
            models=("first", "fallback"),
            breaker=self.breaker,
            prompt=Prompt("rules", (), "key", "person"),
            report=self._report,
            first_token=self.first_tokens.append,
        )

    def _report(self, event: MindEvent) -> None:
        self.events.append(event)
        if isinstance(event, ReplyFinished | ReplyFailed):
            self._over.set()

    async def reply(self, reply_id: int = 1, turns: tuple[Message, ...] = TURNS) -> list[MindEvent]:
        self.events.clear()
        self._over.clear()
        self.replies.start(StartReply(reply_id, turns))
        async with asyncio.timeout(5):
            await self._over.wait()
        return list(self.events)


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall("c1", name, arguments)


FAILED = VendorError("model", "down", retryable=True)


async def test_text_is_cut_into_segments_and_the_bill_is_kept() -> None:
    """Fails if the callee would hear nothing until the whole reply is written."""
    told = Told([Delta("Yes, she "), Delta("is. We will"), Delta(" come at ten."), DONE])
    assert await told.reply() == [ReplyText(1, "Yes, she is."), ReplyText(1, "We will come at ten."), ReplyFinished(1)]
    assert told.first_tokens == [1]
    assert told.replies.usages == [DONE]


async def test_each_tool_becomes_its_event() -> None:
    """Fails if the model could not act in a call."""
    told = Told(
        [
            Delta("One moment. "),
            call("ask_user", question="Which size?", choices=["small", "large"]),
            call("press_keys", digits="1 2#"),
            call("note_fact", key="price", value="80"),
            DONE,
        ]
    )
    assert await told.reply() == [
        ReplyText(1, "One moment."),
        AskRequested(1, "Which size?", ("small", "large")),
        KeysRequested(1, "12#"),
        FactNoted(1, "price", "80"),
        ReplyFinished(1),
    ]


async def test_the_farewell_is_queued_before_the_call_closes() -> None:
    """Fails if ending the call cut the goodbye that was written before it."""
    told = Told([Delta("Goodbye"), call("end_call", reason="done"), DONE])
    assert await told.reply() == [ReplyText(1, "Goodbye"), EndCallRequested(1, "done"), ReplyFinished(1)]


async def test_a_model_that_fails_before_a_word_is_replaced() -> None:
    """Fails if one vendor's bad minute ended calls."""
    told = Told([FAILED], [Delta("Hello."), DONE])
    assert await told.reply() == [ReplyText(1, "Hello."), ReplyFinished(1)]
    assert [model for model, _ in told.mind.asked] == ["first", "fallback"]


async def test_a_model_that_breaks_off_is_not_repeated() -> None:
    """Fails if the callee heard the same sentence twice, from two models."""
    told = Told([Delta("Hello there. I wan"), FAILED], [Delta("never")])
    events = await told.reply()
    assert events[:2] == [ReplyText(1, "Hello there."), ReplyText(1, "I wan")]
    assert isinstance(events[-1], ReplyFailed)
    assert len(told.mind.asked) == 1


async def test_a_failing_model_is_left_alone_for_a_while() -> None:
    """Fails if every turn began by waiting for a dead model."""
    now = 0.0
    good: Script = [Delta("Yes."), DONE]
    bad: Script = [FAILED]
    told = Told(bad, good, bad, good, bad, good, clock=lambda: now)
    for reply_id in (1, 2, 3):
        await told.reply(reply_id)
    assert told.breaker.order(("first", "fallback"))[0] == "fallback"
    now = 1000.0
    assert told.breaker.order(("first", "fallback"))[0] == "first"


async def test_a_note_alone_is_no_answer() -> None:
    """Fails if the callee waited in silence because the model only took notes, or it could go on for ever."""
    note = call("note_fact", key="price", value="80")
    only_notes: Script = [note, DONE]
    told = Told([note, DONE], [Delta("Eighty, I see."), DONE])
    assert await told.reply() == [FactNoted(1, "price", "80"), ReplyText(1, "Eighty, I see."), ReplyFinished(1)]
    history = told.mind.asked[1][1].history
    assert history == (*TURNS, ToolResult(note, "noted"))
    storm = Told(*([only_notes] * 100))
    assert isinstance((await storm.reply())[-1], ReplyFailed)
    assert len(storm.mind.asked) == 2 * ROUNDS_PER_REPLY


async def test_an_empty_reply_counts_as_failed() -> None:
    """Fails if silence could pass for an answer."""
    assert isinstance((await Told([DONE], [DONE]).reply())[-1], ReplyFailed)


async def test_impossible_arguments_reach_the_model_and_not_the_call() -> None:
    """Fails if nonsense from the model broke the conversation."""
    told = Told([call("press_keys", digits="call 911"), call("dial", number="911"), DONE], [Delta("Sorry."), DONE])
    assert await told.reply() == [ReplyText(1, "Sorry."), ReplyFinished(1)]


async def test_the_history_is_bounded_and_keeps_its_notes() -> None:
    """Fails if the price and the wait of a reply grew with the length of the call."""
    told = Told([Delta("Yes."), DONE])
    notes = (Message(Role.NOTE, "note: earlier call said: hello"),)
    long = notes + tuple(Message(Role.CALLEE, f"line {number}") for number in range(200))
    await told.reply(1, long)
    history = told.mind.asked[0][1].history
    assert len(history) <= KEPT_IN_FULL + len(notes)
    assert history[0] == notes[0]
    assert history[-1] == long[-1]


async def test_a_cancelled_reply_says_nothing_more() -> None:
    """Fails if an interrupted reply went on in the background."""
    told = Told([Delta("Hello. "), Delta("More."), DONE])
    told.replies.start(StartReply(1, TURNS))
    told.replies.cancel(1)
    await told.replies.close()
    assert told.events == []
