"""Mind by OpenAI's Responses API, streamed.

The stream is read line by line: the library builds a checked object for every token, which is most of what a reply
costs us. Nothing is stored at the vendor.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx2
import openai
import orjson

from floyd.errors import VendorError
from relay.core.actions import Message
from relay.mind import Delta, Prompt, Thought, ToolCall, ToolResult, Usage
from relay.prompt import TOOLS

CONNECT_S = 1.0
FIRST_TOKEN_S = 2.5
GAP_S = 2.0
TOTAL_S = 8.0
"""The library's own limit ends with the answer's headers; a stream that stalls after them would hang for ever."""
LEAST_OUTPUT_TOKENS = 16  # the vendor takes no smaller limit
MAX_OUTPUT_TOKENS = 400  # about a minute of speech: nobody listens longer, and a runaway reply costs money
IDLE_CONNECTION_S = 300.0
"""A connection is kept between turns and calls: setting one up costs two round trips in front of the callee."""


class OpenAIMind:
    """One client. `api_key` and `base_url` as the library takes them; empty base URL: the vendor's own."""

    def __init__(self, *, api_key: str, base_url: str) -> None:
        self._used_at = float("-inf")
        self._client = openai.AsyncOpenAI(
            api_key=api_key,
            base_url=base_url or None,
            max_retries=0,
            timeout=httpx2.Timeout(TOTAL_S, connect=CONNECT_S, pool=CONNECT_S),
            http_client=openai.DefaultAsyncHttpxClient(
                limits=httpx2.Limits(max_connections=1000, keepalive_expiry=IDLE_CONNECTION_S)
            ),
        )
        # Loads what the library loads on first use: some 50 ms that the first callee would wait.
        self._responses = self._client.responses.with_streaming_response

    async def think(self, prompt: Prompt, *, model: str) -> AsyncGenerator[Thought, None]:
        now = asyncio.get_running_loop().time
        self._used_at = now()
        first_token_by, end_by = now() + FIRST_TOKEN_S, now() + TOTAL_S
        spoken = False
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout_at(first_token_by):
                    response = await stack.enter_async_context(self._open(prompt, model))
                events = _events(response.iter_lines())
                while True:
                    # No limit spans a yield: it would strike whatever the caller is waiting for.
                    async with asyncio.timeout_at(min(now() + GAP_S, end_by) if spoken else first_token_by):
                        event = await anext(events, None)
                    if event is None:
                        raise VendorError("model", "the stream ended early", retryable=True, code="incomplete")
                    kind = event.get("type")
                    if kind == "response.output_text.delta":
                        spoken = True
                        yield Delta(event["delta"])
                    elif kind == "response.output_item.done" and event["item"].get("type") == "function_call":
                        spoken = True
                        yield _tool_call(event["item"])
                    elif kind in ("response.completed", "response.incomplete"):
                        # Incomplete is a reply that hit the token limit: what was written stays said.
                        yield _usage(event["response"], model)
                        return
                    elif kind in ("response.failed", "error"):
                        raise _failure(event)
        except TimeoutError:
            raise VendorError("model", "no token in time", retryable=True, code="timeout") from None
        except openai.APIStatusError as error:
            retryable = error.status_code in (408, 409, 429) or error.status_code >= 500
            raise VendorError("model", error.message, retryable=retryable, code=str(error.status_code)) from error
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            raise VendorError("model", str(error), retryable=True, code="connection") from error
        except (KeyError, TypeError, orjson.JSONDecodeError) as error:
            raise VendorError("model", f"not a Responses stream: {error}", retryable=True, code="garbage") from error

    async def warm(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._used_at < IDLE_CONNECTION_S / 5:
            return
        self._used_at = now
        with suppress(openai.OpenAIError, TimeoutError):
            async with asyncio.timeout(FIRST_TOKEN_S):
                await self._client.models.list()

    async def close(self) -> None:
        await self._client.close()

    def _open(self, prompt: Prompt, model: str) -> Any:
        return self._responses.create(
            model=model,
            instructions=prompt.instructions,
            # As they are: typed, the library would walk through every entry first, 13 ms of the wait for sixty.
            extra_body={"input": [item for entry in prompt.history for item in _items(entry)], "tools": TOOLS},
            stream=True,
            store=False,
            reasoning={"effort": "none"},
            tool_choice="none" if prompt.warming else "auto",
            max_output_tokens=LEAST_OUTPUT_TOKENS if prompt.warming else MAX_OUTPUT_TOKENS,
            prompt_cache_key=prompt.cache_key,
            safety_identifier=prompt.person,
        )


async def _events(lines: AsyncIterator[str]) -> AsyncGenerator[dict[str, Any], None]:
    """Server-sent events: the type is inside the data, so the other fields may be skipped."""
    async for line in lines:
        if line.startswith("data:") and not line.startswith("data: [DONE]"):
            yield orjson.loads(line[5:])


def _items(entry: Message | ToolResult) -> list[Any]:
    if isinstance(entry, Message):
        return [{"role": str(entry.role), "content": entry.text}]
    call = entry.call
    arguments = orjson.dumps(call.arguments).decode()
    return [
        {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": arguments},
        {"type": "function_call_output", "call_id": call.call_id, "output": entry.output},
    ]


def _tool_call(item: dict[str, Any]) -> ToolCall:
    arguments = orjson.loads(item["arguments"])
    if not isinstance(arguments, dict):
        raise TypeError("arguments of a tool call are not an object")
    return ToolCall(call_id=item["call_id"], name=item["name"], arguments=arguments)


def _usage(response: dict[str, Any], model: str) -> Usage:
    usage = response.get("usage") or {}
    cached = (usage.get("input_tokens_details") or {}).get("cached_tokens") or 0
    return Usage(model, int(usage.get("input_tokens") or 0), int(cached), int(usage.get("output_tokens") or 0))


def _failure(event: dict[str, Any]) -> VendorError:
    response = event.get("response") or {}
    detail = response.get("error") or event
    code = str(detail.get("code") or "failed")
    return VendorError("model", str(detail.get("message") or code), retryable=True, code=code)
