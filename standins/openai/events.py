"""A reply of the mind as the vendor sends it: one response object, or the complete sequence of server-sent events.

The order matters: the vendor's `responses.stream` helper raises when `output_item.added` or `content_part.added` is
missing.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from standins.openai.protocol import CreateRequest, Json

CACHE_FLOOR_TOKENS = 1024
"""Prompts shorter than this are never cached by the vendor."""
CACHE_STEP_TOKENS = 128
"""Cached prefixes grow in steps of this size."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    name: str
    arguments: str
    """JSON text, as the vendor sends it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the mind says and the tools it calls, text first."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Token:
    """One token's delta event: the server spends time on these and on nothing else."""

    event: Json


def tokens(text: str) -> list[str]:
    """Text cut where a model's tokenizer roughly would (about 4 characters each); joined, it is the text again."""
    return re.findall(r"\s*\w{1,6}|\s*[^\w\s]|\s+", text)


def shortened(reply: Reply, limit: int | None) -> tuple[Reply, bool]:
    """The reply within `max_output_tokens`, and whether anything was cut off."""
    pieces = tokens(reply.text)
    size = len(pieces) + sum(len(tokens(call.arguments)) for call in reply.calls)
    if limit is None or size <= limit:
        return reply, False
    return Reply("".join(pieces[:limit])), True


@dataclass(slots=True)
class PromptCache:
    """The last prompt seen per cache key, to report `cached_tokens` as the vendor does for equal prefixes."""

    last: dict[str, str] = field(default_factory=dict)

    def usage(self, request: CreateRequest, reply: Reply) -> Json:
        prompt = json.dumps([request.tools, request.instructions, request.input])
        key = f"{request.model} {request.prompt_cache_key}"
        shared = _shared_prefix(self.last.get(key, ""), prompt) // 4
        self.last[key] = prompt
        cached = shared - shared % CACHE_STEP_TOKENS if shared >= CACHE_FLOOR_TOKENS else 0
        read = len(prompt) // 4
        written = len(tokens(reply.text)) + sum(len(tokens(call.arguments)) for call in reply.calls)
        return {
            "input_tokens": read,
            "input_tokens_details": {
                "cached_tokens": cached,
                "cache_write_tokens": read - cached if read >= CACHE_FLOOR_TOKENS else 0,
            },
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + written,
        }


def _shared_prefix(first: str, second: str) -> int:
    """How many leading characters two prompts share (compared in blocks: prompts are long and mostly equal)."""
    block, size = 64, 0
    while size < min(len(first), len(second)) and first[size : size + block] == second[size : size + block]:
        size += block
    return min(size, len(first), len(second))


@dataclass(slots=True)
class Answer:
    """One response under construction: the same identifiers in every event and in the final object."""

    request: CreateRequest
    reply: Reply
    usage: Json
    cut_short: bool = False
    id: str = field(default_factory=lambda: f"resp_{secrets.token_hex(24)}")
    created_at: int = field(default_factory=lambda: int(time.time()))
    items: list[Json] = field(init=False)

    def __post_init__(self) -> None:
        self.items = [_message(self.reply.text)] if self.reply.text else []
        self.items += [_function_call(call) for call in self.reply.calls]

    def response(self, status: str) -> Json:
        """The response object while `in_progress`, or finished (`completed`, `incomplete`)."""
        request, over = self.request, status != "in_progress"
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "completed_at": int(time.time()) if status == "completed" else None,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": request.instructions,
            "max_output_tokens": request.max_output_tokens,
            "max_tool_calls": request.max_tool_calls,
            "metadata": request.metadata or {},
            "model": request.model,
            "output": self.items if over else [],
            "parallel_tool_calls": request.parallel_tool_calls is not False,
            "previous_response_id": None,
            "prompt_cache_key": request.prompt_cache_key,
            "reasoning": {"effort": request.reasoning.effort if request.reasoning else "medium", "summary": None},
            "safety_identifier": request.safety_identifier,
            "service_tier": "default",
            "store": request.store is not False,
            "temperature": request.temperature if request.temperature is not None else 1.0,
            "text": request.text.model_dump(by_alias=True, exclude_none=True),
            "tool_choice": request.tool_choice if isinstance(request.tool_choice, str) else "auto",
            "tools": request.tools,
            "top_logprobs": 0,
            "top_p": request.top_p if request.top_p is not None else 1.0,
            "truncation": request.truncation or "disabled",
            "usage": self.usage if over else None,
            "user": request.user,
        }

    @property
    def final_status(self) -> str:
        return "incomplete" if self.cut_short else "completed"

    def events(self) -> Iterator[Json | Token]:
        """Every event in the vendor's order; those that carry one token's text come wrapped in `Token`."""
        for number, each in enumerate(self._events()):
            (each.event if isinstance(each, Token) else each)["sequence_number"] = number
            yield each

    def _events(self) -> Iterator[Json | Token]:
        for kind in ("created", "in_progress"):
            yield {"type": f"response.{kind}", "response": self.response("in_progress")}
        for index, item in enumerate(self.items):
            where = {"output_index": index, "item_id": item["id"]}
            emptied: Json = {"content": []} if item["type"] == "message" else {"arguments": ""}
            added = {**item, **emptied, "status": "in_progress"}
            yield {"type": "response.output_item.added", "output_index": index, "item": added}
            if item["type"] == "message":
                yield from _text_events(item["content"][0], {**where, "content_index": 0})
            else:
                kind = "response.function_call_arguments"
                for piece in tokens(item["arguments"]):
                    yield Token({"type": f"{kind}.delta", **where, "delta": piece})
                yield {"type": f"{kind}.done", **where, "name": item["name"], "arguments": item["arguments"]}
            yield {"type": "response.output_item.done", "output_index": index, "item": item}
        yield {"type": f"response.{self.final_status}", "response": self.response(self.final_status)}


def _text_events(part: Json, where: Json) -> Iterator[Json | Token]:
    yield {"type": "response.content_part.added", **where, "part": {**part, "text": ""}}
    for piece in tokens(part["text"]):
        yield Token({"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []})
    yield {"type": "response.output_text.done", **where, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **where, "part": part}


def _message(text: str) -> Json:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    identity = f"msg_{secrets.token_hex(24)}"
    return {"id": identity, "type": "message", "status": "completed", "role": "assistant", "content": [part]}


def _function_call(call: ToolCall) -> Json:
    return {
        "id": f"fc_{secrets.token_hex(24)}",
        "type": "function_call",
        "status": "completed",
        "call_id": f"call_{secrets.token_hex(12)}",
        "name": call.name,
        "arguments": call.arguments,
    }
