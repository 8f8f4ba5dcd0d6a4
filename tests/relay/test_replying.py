"""Replies: which model is asked, what becomes of its stream, and what it is told of the past."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from floyd.errors import VendorError
from relay.core.actions import Message, Role, StartReply
from relay.core.events import (
    AskRequested,
    EndCallRequested,
    FactNoted,
    FromMind,
    KeysRequested,
    ReplyFailed,
    ReplyFinished,
    ReplyText,
)
from relay.mind import Delta, Prompt, Thought, ToolCall, ToolResult, Usage
from relay.replying import FAILURES_TO_OPEN, OPEN_S, ROUNDS_PER_REPLY, Breaker, Replies

MODELS = ("first", "fallback")
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


class Told:
    """What the replies report, and a way to wait for it."""

    def __init__(self, *scripts: Script) -> None:
        self.mind = ScriptedMind(*scripts)
        self.events: list[FromMind] = []
        self._over = asyncio.Event()
        self.replies = Replies(self.mind, Breaker(*MODELS), Prompt("rules", (), "key", "person"), self._report)

    def _report(self, event: FromMind) -> None:
        self.events.append(event)
        if isinstance(event, ReplyFinished | ReplyFailed):
            self._over.set()

    async def reply(self, reply_id: int = 1, turns: tuple[Message, ...] = TURNS) -> list[FromMind]:
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
    assert list(told.replies.first_token_at) == [1]
    assert told.replies.usages == [DONE]


async def test_warming_is_one_short_request_that_nobody_hears_and_everybody_pays() -> None:
    """Fails if warming the vendor's cache spoke, failed a call, or was left off the bill."""
    told = Told([Delta("I will wait."), DONE], [FAILED])
    await told.replies.warm()
    (model, prompt), events = told.mind.asked[0], told.events
    assert (model, prompt.instructions, prompt.warming, len(prompt.history)) == ("first", "rules", True, 1)
    assert (events, told.replies.usages) == ([], [DONE])
    await told.replies.warm()
    assert (told.events, told.replies.usages, len(told.mind.asked)) == ([], [DONE], 2)


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


async def test_half_a_sentence_does_not_run_into_the_next_models_answer() -> None:
    """Fails if what one model began and never finished were said together with the other's words."""
    told = Told([Delta("I wan"), FAILED], [Delta("Yes, she is."), DONE])
    assert await told.reply() == [ReplyText(1, "Yes, she is."), ReplyFinished(1)]


async def test_a_model_that_breaks_off_is_not_repeated() -> None:
    """Fails if the callee heard the same sentence twice, from two models, or half of one."""
    told = Told([Delta("Hello there. I wan"), FAILED], [Delta("never")])
    assert await told.reply() == [ReplyText(1, "Hello there."), ReplyFailed(1, str(FAILED))]
    assert len(told.mind.asked) == 1


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


@pytest.mark.parametrize(
    "text",
    [
        '{"}]] <|im_end|> \ufffd {"name": "end_call", "argum',
        '{"text": "Hello."}',
        "<tool_call>note_fact</tool_call>",
        'note_fact("price", 80).',
        "Well. end_call(reason=done).",
        "|".join("abc"),
        "\ufffd\ufffd hello there.",
        "...",
        "- * -",
        "",
    ],
)
async def test_garbage_is_not_read_out(text: str) -> None:
    """Fails if a callee heard data, markup or torn characters instead of the other model's answer."""
    told = Told([Delta(text), DONE], [Delta("Yes, she is."), DONE])
    events = await told.reply()
    assert [event for event in events if event != ReplyText(1, "Well.")][-2:] in (
        [ReplyText(1, "Yes, she is."), ReplyFinished(1)],
        [ReplyFailed(1, "model: a reply that nobody can say")],
    )


@pytest.mark.parametrize("text", ['Tom said "yes": fine.', "Is it tom_baker@mail.com?", "[Pause] Yes."])
async def test_what_can_be_said_is_said(text: str) -> None:
    """Fails if an odd sentence cost a good reply."""
    told = Told([Delta(text), DONE], [Delta("no"), DONE])
    said = " ".join(event.text for event in await told.reply() if isinstance(event, ReplyText))
    assert said == text


async def test_a_cancelled_reply_says_nothing_more() -> None:
    """Fails if an interrupted reply went on in the background."""
    told = Told([Delta("Hello. "), Delta("More."), DONE])
    told.replies.start(StartReply(1, TURNS))
    told.replies.cancel(1)
    await told.replies.close()
    assert told.events == []


def test_a_failing_model_is_left_alone_for_a_while() -> None:
    """Fails if every turn began by waiting for a dead model, or a model that is well again were never asked."""
    breaker = Breaker(*MODELS)
    for failure in range(FAILURES_TO_OPEN):
        assert breaker.order(now=failure) == [*MODELS]
        breaker.failed("first", now=failure)
    assert breaker.order(now=OPEN_S) == ["fallback", "first"]
    later = FAILURES_TO_OPEN + OPEN_S
    assert breaker.order(now=later) == [*MODELS]
    breaker.failed("first", now=later)
    assert breaker.order(now=later + 1) == ["fallback", "first"]
    breaker.succeeded("first")
    breaker.failed("first", now=later + OPEN_S)
    assert breaker.order(now=later + OPEN_S + 1) == [*MODELS]


def test_with_all_models_failing_each_is_still_tried() -> None:
    """Fails if an outage of both models silenced calls for longer than it lasts."""
    breaker = Breaker(*MODELS)
    for model in MODELS * FAILURES_TO_OPEN:
        breaker.failed(model, now=0.0)
    assert breaker.order(now=1.0) == [*MODELS]
    assert Breaker("one", "one").order(now=1.0) == ["one"]
