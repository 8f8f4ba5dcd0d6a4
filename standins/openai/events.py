"""A reply of the mind as the vendor sends it: one response object, or the complete sequence of server-sent events.

The order matters: the vendor's `responses.stream` helper raises when `output_item.added` or `content_part.added` is
missing.
"""

import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

from standins.openai.protocol import CreateRequest, Json

UNSET: Json = {
    **{"instructions": None, "max_output_tokens": None, "metadata": {}, "parallel_tool_calls": True, "store": True},
    **{"temperature": 1.0, "top_p": 1.0, "truncation": "disabled", "reasoning": {"effort": "medium", "summary": None}},
    **{"background": False, "error": None, "previous_response_id": None, "top_logprobs": 0},
}
"""What a response says of that which its request did not set."""
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


def tokens(text: str) -> list[str]:
    """Text cut where a model's tokenizer roughly would (about 4 characters each); joined, it is the text again."""
    return re.findall(r"\s*\w{1,6}|\s*[^\w\s]|\s+", text)


class PromptCache:
    """The last prompt seen per cache key, to report `cached_tokens` as the vendor does for equal prefixes."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str | None], str] = {}

    def usage(self, request: CreateRequest, written: int) -> Json:
        """What reading the request and writing so many tokens comes to."""
        key = (request.model, request.prompt_cache_key)
        parts = ("tools", "instructions", "input")  # in the order in which the vendor's cache sees them
        prompt = "".join(request.model_dump_json(include={part}, exclude_none=True) for part in parts)
        before, self._last[key] = self._last.get(key, ""), prompt
        pairs = enumerate(zip(before, prompt, strict=False))
        shared = next((place for place, (one, other) in pairs if one != other), len(before)) // 4
        cached = shared - shared % CACHE_STEP_TOKENS if shared >= CACHE_FLOOR_TOKENS else 0
        read = len(prompt) // 4
        fresh = read - cached if read >= CACHE_FLOOR_TOKENS else 0
        return {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": fresh},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + written,
        }


class Answer:
    """One response under construction: the same identifiers in every event and in the final object."""

    def __init__(self, request: CreateRequest, reply: Reply, cache: PromptCache) -> None:
        pieces = tokens(reply.text)
        written = len(pieces) + sum(len(tokens(call.arguments)) for call in reply.calls)
        self.status = "completed"
        if request.max_output_tokens is not None and written > request.max_output_tokens:
            self.status, written = "incomplete", request.max_output_tokens
            reply = Reply("".join(pieces[:written]))
        self.id = f"resp_{secrets.token_hex(24)}"
        self.usage = cache.usage(request, written)
        self._echoed = request.model_dump(by_alias=True, exclude_none=True, exclude={"input", "stream"})
        self._created_at = int(time.time())
        self._items = [_message(reply.text)] if reply.text else []
        self._items += [_function_call(call) for call in reply.calls]

    def response(self, *, over: bool) -> Json:
        """The response object while `in_progress`, or finished (`completed`, `incomplete`)."""
        incomplete = over and self.status == "incomplete"
        return {
            **UNSET,
            **self._echoed,
            "id": self.id,
            "object": "response",
            "created_at": self._created_at,
            "completed_at": int(time.time()) if over and not incomplete else None,
            "status": self.status if over else "in_progress",
            "incomplete_details": {"reason": "max_output_tokens"} if incomplete else None,
            "output": self._items if over else [],
            "service_tier": "default",
            "usage": self.usage if over else None,
        }

    def events(self) -> Iterator[Json]:
        """Every event in the vendor's order. Those that carry one token's text have a `delta`."""
        for number, event in enumerate(self._events()):
            yield {**event, "sequence_number": number}

    def _events(self) -> Iterator[Json]:
        for kind in ("created", "in_progress"):
            yield {"type": f"response.{kind}", "response": self.response(over=False)}
        for index, item in enumerate(self._items):
            where = {"output_index": index, "item_id": item["id"]}
            emptied: Json = {"content": []} if item["type"] == "message" else {"arguments": ""}
            added = {**item, **emptied, "status": "in_progress"}
            yield {"type": "response.output_item.added", "output_index": index, "item": added}
            if item["type"] == "message":
                where["content_index"] = 0
                part, text = item["content"][0], item["content"][0]["text"]
                yield {"type": "response.content_part.added", **where, "part": {**part, "text": ""}}
                for piece in tokens(text):
                    yield {"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []}
                yield {"type": "response.output_text.done", **where, "text": text, "logprobs": []}
                yield {"type": "response.content_part.done", **where, "part": part}
            else:
                kind = "response.function_call_arguments"
                for piece in tokens(item["arguments"]):
                    yield {"type": f"{kind}.delta", **where, "delta": piece}
                yield {"type": f"{kind}.done", **where, "name": item["name"], "arguments": item["arguments"]}
            yield {"type": "response.output_item.done", "output_index": index, "item": item}
        yield {"type": f"response.{self.status}", "response": self.response(over=True)}


def as_sent(event: Json) -> bytes:
    """One event on the wire."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _message(text: str) -> Json:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    identity = f"msg_{secrets.token_hex(24)}"
    return {"id": identity, "type": "message", "status": "completed", "role": "assistant", "content": [part]}


def _function_call(call: ToolCall) -> Json:
    ids = {"id": f"fc_{secrets.token_hex(24)}", "call_id": f"call_{secrets.token_hex(12)}"}
    return {**ids, "type": "function_call", "status": "completed", "name": call.name, "arguments": call.arguments}
