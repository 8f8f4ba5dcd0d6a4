"""Replies: which model is asked, how often, and how its stream becomes events of the conversation."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from itertools import chain

from floyd.errors import VendorError
from relay.breaker import Breaker
from relay.core.actions import Message, StartReply
from relay.core.events import (
    AskRequested,
    EndCallRequested,
    FactNoted,
    KeysRequested,
    ReplyFailed,
    ReplyFinished,
    ReplyText,
)
from relay.core.sentences import Segmenter
from relay.mind import Delta, Mind, Prompt, ToolCall, ToolResult, Usage
from relay.prompt import talk

MindEvent = ReplyText | ReplyFinished | ReplyFailed | EndCallRequested | KeysRequested | AskRequested | FactNoted

ROUNDS_PER_REPLY = 3
ROUNDS_PER_CALL = 12
"""A model that calls tools instead of speaking is given so many chances, in one reply and in all."""

_OUTPUTS = {
    "ask_user": "asked; the answer will come as a note",
    "press_keys": "pressed",
    "note_fact": "noted",
    "end_call": "the call ends after your farewell",
}
_GARBAGE = re.compile(r"[{}<>|\\\ufffd]|\]\]|\"\s*:\s*\"|\b(?:" + "|".join(_OUTPUTS) + r")\b")
"""Data, markup, torn characters and tokens of the model's own: nothing that is said on a telephone."""


class Replies:
    """One call's replies. At most one is wanted at a time; what a cancelled one still reports carries its old id."""

    def __init__(
        self,
        *,
        mind: Mind,
        models: tuple[str, ...],
        breaker: Breaker,
        prompt: Prompt,
        report: Callable[[MindEvent], None],
        first_token: Callable[[int], None],
    ) -> None:
        """`prompt` without its history."""
        self._mind = mind
        self._models = models
        self._breaker = breaker
        self._prompt = prompt
        self._report = report
        self._first_token = first_token
        self._tasks: dict[int, asyncio.Task[None]] = {}
        # Earlier tool calls, each with the length of the history it was made after: the core's history has words only.
        self._results: dict[int, list[tuple[int, ToolResult]]] = {}
        self._rounds = 0
        self.usages: list[Usage] = []
        """Of every finished stream, for the bill."""

    def start(self, action: StartReply) -> None:
        task = asyncio.get_running_loop().create_task(self._reply(action))
        self._tasks[action.reply_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(action.reply_id, None))

    def cancel(self, reply_id: int) -> None:
        if task := self._tasks.get(reply_id):
            task.cancel()
        self._results.pop(reply_id, None)  # thought ahead in vain: its calls were never made

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _reply(self, action: StartReply) -> None:
        stream = _Stream(action.reply_id, self._report, self._first_token)
        error: VendorError | None = None
        now = asyncio.get_running_loop().time
        for model in self._breaker.order(self._models, now()):
            try:
                await self._rounds_of(stream, action.turns, model)
            except VendorError as failure:
                self._breaker.failed(model, now())
                error = failure
                stream.drop()
                if stream.productive:
                    break  # another model would say it again, or otherwise
                continue
            self._breaker.succeeded(model)
            self._report(ReplyFinished(action.reply_id))
            return
        self._report(ReplyFailed(action.reply_id, str(error)))

    async def _rounds_of(self, stream: _Stream, turns: tuple[Message, ...], model: str) -> None:
        for _ in range(ROUNDS_PER_REPLY):
            called: list[ToolResult] = []
            prompt = replace(self._prompt, history=talk(turns, list(chain.from_iterable(self._results.values()))))
            async with aclosing(self._mind.think(prompt, model=model)) as thoughts:
                async for thought in thoughts:
                    match thought:
                        case Delta(text):
                            stream.write(text)
                        case ToolCall():
                            called.append(ToolResult(thought, stream.call(thought)))
                        case Usage():
                            self.usages.append(thought)
            stream.flush()
            self._results.setdefault(stream.reply_id, []).extend((len(turns), result) for result in called)
            if stream.productive:
                return
            self._rounds += 1
            if not called or self._rounds > ROUNDS_PER_CALL:
                break
        raise VendorError("model", "a reply without words", retryable=True, code="empty")


class _Stream:
    """One reply as it is written: text to segments, tool calls to events."""

    def __init__(self, reply_id: int, report: Callable[[MindEvent], None], first_token: Callable[[int], None]) -> None:
        self.reply_id = reply_id
        self._report = report
        self._first_token = first_token
        self._segmenter = Segmenter()
        self._begun = False
        self.productive = False
        """Whether the callee, or the person, will notice this reply: it spoke or acted."""

    def write(self, text: str) -> None:
        if not self._begun:
            self._begun = True
            self._first_token(self.reply_id)
        self._speak(self._segmenter.receive(text))

    def flush(self) -> None:
        self._speak(self._segmenter.finish())

    def drop(self) -> None:
        """The model broke off: half a sentence is not said."""
        self._segmenter = Segmenter()

    def call(self, call: ToolCall) -> str:
        """Report one tool call; what to tell the model became of it."""
        arguments = call.arguments
        try:
            match call.name:
                case "ask_user":
                    choices = tuple(str(choice) for choice in arguments.get("choices", ()))
                    self._act(AskRequested(self.reply_id, str(arguments.get("question", "")), choices))
                case "press_keys":
                    self._act(KeysRequested(self.reply_id, str(arguments.get("digits", "")).replace(" ", "")))
                case "note_fact":
                    fact = FactNoted(self.reply_id, str(arguments.get("key", "")), str(arguments.get("value", "")))
                    self._report(fact)
                case "end_call":
                    # What was written before the call is the farewell: it must be queued before the call closes.
                    self.flush()
                    self._act(EndCallRequested(self.reply_id, str(arguments.get("reason", ""))))
                case _:
                    return "there is no such tool"
        except ValueError as error:
            return str(error)
        return _OUTPUTS[call.name]

    def _act(self, event: MindEvent) -> None:
        self.productive = True
        self._report(event)

    def _speak(self, segments: list[str]) -> None:
        for segment in segments:
            if not any(map(str.isalnum, segment)):
                continue
            if _GARBAGE.search(segment):
                raise VendorError("model", "a reply that nobody can say", retryable=True, code="garbage")
            self._act(ReplyText(self.reply_id, segment))
