"""Replies: which model is asked, how often, and how its stream becomes events of the conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace

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
from relay.core.sentences import Segmenter
from relay.mind import Delta, Mind, Prompt, ToolCall, ToolResult, Usage

MindEvent = ReplyText | ReplyFinished | ReplyFailed | EndCallRequested | KeysRequested | AskRequested | FactNoted

ROUNDS_PER_REPLY = 3
ROUNDS_PER_CALL = 12
"""A model that calls tools instead of speaking is given so many chances, in one reply and in all."""
KEPT_IN_FULL = 40
"""Newest entries of the history given word for word, some twenty turns of each side: bounds a reply's time and cost."""
DROPPED_AT_ONCE = 10
"""Older entries go in groups, so that the prompt keeps its beginning, and with it the vendor's cache, for a while."""
FAILURES_TO_OPEN = 3
OPEN_S = 20.0
"""After so many failures in a row a model is left alone for so long: replies begin with the fallback, not a wait."""

_OUTPUTS = {
    "ask_user": "asked; the answer will come as a note",
    "press_keys": "pressed",
    "note_fact": "noted",
    "end_call": "the call ends after your farewell",
}


class Breaker:
    """Which models have failed lately; one for all calls of a process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: dict[str, int] = {}
        self._closed_at: dict[str, float] = {}

    def order(self, models: tuple[str, ...]) -> tuple[str, ...]:
        """The models to try: those that work first, the others all the same, as a last resort."""
        now = self._clock()
        return tuple(sorted(models, key=lambda model: self._closed_at.get(model, now) > now))

    def succeeded(self, model: str) -> None:
        self._failures.pop(model, None)

    def failed(self, model: str) -> None:
        self._failures[model] = self._failures.get(model, 0) + 1
        if self._failures[model] >= FAILURES_TO_OPEN:
            self._closed_at[model] = self._clock() + OPEN_S


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
        self._results: list[tuple[int, ToolResult]] = []
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

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _reply(self, action: StartReply) -> None:
        stream = _Stream(action.reply_id, self._report, self._first_token)
        error: VendorError | None = None
        for model in self._breaker.order(self._models):
            try:
                await self._rounds_of(stream, action.turns, model)
            except VendorError as failure:
                self._breaker.failed(model)
                error = failure
                if stream.productive:
                    break  # another model would say it again, or otherwise
                continue
            self._breaker.succeeded(model)
            self._report(ReplyFinished(action.reply_id))
            return
        stream.flush()
        self._report(ReplyFailed(action.reply_id, str(error)))

    async def _rounds_of(self, stream: _Stream, turns: tuple[Message, ...], model: str) -> None:
        for _ in range(ROUNDS_PER_REPLY):
            called: list[ToolResult] = []
            prompt = replace(self._prompt, history=self._history(turns))
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
            self._results += [(len(turns), result) for result in called]
            if stream.productive:
                return
            self._rounds += 1
            if not called or self._rounds > ROUNDS_PER_CALL:
                break
        raise VendorError("model", "a reply without words", retryable=True, code="empty")

    def _history(self, turns: tuple[Message, ...]) -> tuple[Message | ToolResult, ...]:
        """Words and tool calls in order; of what is too long ago only the notes."""
        history: list[Message | ToolResult] = []
        results = list(self._results)
        for position, turn in enumerate(turns):
            while results and results[0][0] <= position:
                history.append(results.pop(0)[1])
            history.append(turn)
        history += [result for _, result in results]
        excess = max(0, len(history) - KEPT_IN_FULL)
        cut = -(-excess // DROPPED_AT_ONCE) * DROPPED_AT_ONCE
        notes = (entry for entry in history[:cut] if isinstance(entry, Message) and entry.role is Role.NOTE)
        return (*notes, *history[cut:])


class _Stream:
    """One reply as it is written: text to segments, tool calls to events."""

    def __init__(self, reply_id: int, report: Callable[[MindEvent], None], first_token: Callable[[int], None]) -> None:
        self._reply_id = reply_id
        self._report = report
        self._first_token = first_token
        self._segmenter = Segmenter()
        self._begun = False
        self.productive = False
        """Whether the callee, or the person, will notice this reply: it spoke or acted."""

    def write(self, text: str) -> None:
        if not self._begun:
            self._begun = True
            self._first_token(self._reply_id)
        self._speak(self._segmenter.receive(text))

    def flush(self) -> None:
        self._speak(self._segmenter.finish())

    def call(self, call: ToolCall) -> str:
        """Report one tool call; what to tell the model became of it."""
        arguments = call.arguments
        try:
            match call.name:
                case "ask_user":
                    choices = tuple(str(choice) for choice in arguments.get("choices", ()))
                    self._act(AskRequested(self._reply_id, str(arguments.get("question", "")), choices))
                case "press_keys":
                    self._act(KeysRequested(self._reply_id, str(arguments.get("digits", "")).replace(" ", "")))
                case "note_fact":
                    fact = FactNoted(self._reply_id, str(arguments.get("key", "")), str(arguments.get("value", "")))
                    self._report(fact)
                case "end_call":
                    # What was written before the call is the farewell: it must be queued before the call closes.
                    self.flush()
                    self._act(EndCallRequested(self._reply_id, str(arguments.get("reason", ""))))
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
            self._act(ReplyText(self._reply_id, segment))
