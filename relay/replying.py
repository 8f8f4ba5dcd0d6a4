"""Replies: which model is asked, how often, and how its stream becomes events of the conversation."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from floyd.errors import VendorError
from relay.core import events
from relay.core.actions import Message, Role, StartReply
from relay.core.sentences import Segmenter
from relay.mind import Delta, Mind, Prompt, ToolCall, ToolResult, Usage
from relay.prompt import OUTPUTS, talk

ROUNDS_PER_REPLY = 3
ROUNDS_PER_CALL = 12  # a model that calls tools instead of speaking is given so many chances, in one reply and in all
FAILURES_TO_OPEN = 3
OPEN_S = 20.0
"""After so many failures in a row a model is left alone for so long: replies begin with the fallback, not a wait. Then
one more failure is enough to leave it alone again."""
WARMING = Message(Role.NOTE, "note: the callee has not answered yet; say nothing.")
_GARBAGE = re.compile(r"[{}<>|\\\ufffd]|\]\]|\"\s*:\s*\"|\b(?:" + "|".join(OUTPUTS) + r")\b")
"""Data, markup, torn characters and tokens of the model's own: nothing that is said on a telephone."""


class Breaker:
    """The models, first choice first, and which of them have failed lately. One for all calls of a process, so that
    each failure is suffered once. Moments (`now`) are seconds of one clock."""

    def __init__(self, *models: str) -> None:
        self._models = tuple(dict.fromkeys(models))
        self._failures = dict.fromkeys(models, 0)
        self._open_until: dict[str, float] = {}

    def order(self, now: float) -> list[str]:
        """The models to try: those that work first, the others all the same, as a last resort."""
        return sorted(self._models, key=lambda model: self._open_until.get(model, now) > now)

    def succeeded(self, model: str) -> None:
        self._failures[model] = 0

    def failed(self, model: str, now: float) -> None:
        self._failures[model] += 1
        if self._failures[model] >= FAILURES_TO_OPEN:
            self._open_until[model] = now + OPEN_S


@dataclass(eq=False)
class Replies:
    """One call's replies. At most one is wanted at a time; what a cancelled one still reports carries its old id."""

    mind: Mind
    breaker: Breaker
    prompt: Prompt  # without its history
    report: Callable[[events.FromMind], None]

    def __post_init__(self) -> None:
        self._tasks: dict[int, asyncio.Task[None]] = {}
        # Earlier tool calls, each with the length of the history it was made after: the core's history has words only.
        self._results: dict[int, list[tuple[int, ToolResult]]] = {}
        self._rounds = 0
        self.first_token_at: dict[int, float] = {}  # When each reply began to come, on the loop's clock
        self.usages: list[Usage] = []  # Of every finished stream, for the bill

    async def warm(self) -> None:
        """Have the vendor read what every prompt of this call begins with, before a reply waits for that: one short
        request over the connection that replies will use. Never fails."""
        prompt = replace(self.prompt, history=(WARMING,), warming=True)
        model = self.breaker.order(asyncio.get_running_loop().time())[0]
        with suppress(VendorError):
            async with aclosing(self.mind.think(prompt, model=model)) as thoughts:
                self.usages += [thought async for thought in thoughts if isinstance(thought, Usage)]

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
        stream = _Stream(action.reply_id, self.report)
        error: VendorError | None = None
        now = asyncio.get_running_loop().time
        for model in self.breaker.order(now()):
            try:
                await self._rounds_of(stream, action.turns, model)
            except VendorError as failure:
                self.breaker.failed(model, now())
                error = failure
                stream.drop()
                if stream.productive:
                    break  # another model would say it again, or otherwise
                continue
            self.breaker.succeeded(model)
            self.report(events.ReplyFinished(action.reply_id))
            return
        self.report(events.ReplyFailed(action.reply_id, str(error)))

    async def _rounds_of(self, stream: "_Stream", turns: tuple[Message, ...], model: str) -> None:
        for _ in range(ROUNDS_PER_REPLY):
            called: list[ToolResult] = []
            prompt = replace(self.prompt, history=talk(turns, list(chain.from_iterable(self._results.values()))))
            async with aclosing(self.mind.think(prompt, model=model)) as thoughts:
                async for thought in thoughts:
                    match thought:
                        case Delta(text):
                            self.first_token_at.setdefault(stream.reply_id, asyncio.get_running_loop().time())
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


@dataclass(eq=False)
class _Stream:
    """One reply as it is written: text to segments, tool calls to events."""

    reply_id: int
    report: Callable[[events.FromMind], None]
    productive: bool = False  # whether the callee, or the person, will notice this reply: it spoke or acted
    _segmenter: Segmenter = field(default_factory=Segmenter)

    def write(self, text: str) -> None:
        self._speak(self._segmenter.receive(text))

    def flush(self) -> None:
        self._speak(self._segmenter.finish())

    def drop(self) -> None:
        """The model broke off: half a sentence is not said."""
        self._segmenter = Segmenter()

    def call(self, call: ToolCall) -> str:
        """Report one tool call; what to tell the model became of it."""
        given: dict[str, Any] = defaultdict(str, call.arguments)
        try:
            match call.name:
                case "ask_user":
                    choices = tuple(map(str, given["choices"]))
                    self._act(events.AskRequested(self.reply_id, str(given["question"]), choices))
                case "press_keys":
                    self._act(events.KeysRequested(self.reply_id, str(given["digits"]).replace(" ", "")))
                case "note_fact":
                    self.report(events.FactNoted(self.reply_id, str(given["key"]), str(given["value"])))
                case "end_call":
                    # What was written before the call is the farewell: it must be queued before the call closes.
                    self.flush()
                    self._act(events.EndCallRequested(self.reply_id, str(given["reason"])))
                case _:
                    return "there is no such tool"
        except (TypeError, ValueError) as error:
            return str(error)
        return OUTPUTS[call.name]

    def _act(self, event: events.FromMind) -> None:
        self.productive = True
        self.report(event)

    def _speak(self, segments: list[str]) -> None:
        for segment in segments:
            if not any(map(str.isalnum, segment)):
                continue
            if _GARBAGE.search(segment):
                raise VendorError("model", "a reply that nobody can say", retryable=True, code="garbage")
            self._act(events.ReplyText(self.reply_id, segment))
