"""The mind against the Responses stand-in over a real socket: what is sent, understood, and counted as failed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from floyd.errors import VendorError
from floyd.mandate import Mandate
from relay import openai_responses
from relay.core.actions import Message, Role
from relay.core.brief import Brief
from relay.mind import Delta, Prompt, Thought, ToolCall, ToolResult, Usage
from relay.openai_responses import OpenAIMind
from relay.prompt import prompt_for
from standins.openai.server import Delays, application, listening

BRIEF = Brief(
    goal="Tell the school that Mara is sick today",
    on_behalf_of="Tom Baker",
    opening=("Hello, this is an AI assistant calling for Tom Baker.", "Mara is sick today."),
    mandate=Mandate(),
    callee="Lincoln Elementary",
    release={"child_name": "Mara"},
    steps=("Say that Mara is sick",),
    done_when=("The school has noted it",),
)
PROMPT = prompt_for(BRIEF, call_key="u/r/1", person_key="u", now="2026-11-23T09:15:00-06:00")
HISTORY = (
    Message(Role.ASSISTANT, "Hello, this is an AI assistant calling for Tom Baker. Mara is sick today."),
    Message(Role.CALLEE, "Thank you, I have noted it. Goodbye."),
)


class Vendor:
    """The stand-in's control pages."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    async def fault(self, **fault: object) -> None:
        async with aiohttp.ClientSession() as session:
            answer = await session.post(f"{self._origin}/control/faults", json=fault)
            assert answer.status < 300, await answer.text()

    async def bodies(self) -> list[dict[str, Any]]:
        async with aiohttp.ClientSession() as session:
            answer = await session.get(f"{self._origin}/control/requests")
            return [json.loads(each["text"]) for each in (await answer.json())["requests"]]


@asynccontextmanager
async def mind(**delays: float) -> AsyncIterator[tuple[OpenAIMind, Vendor]]:
    quick = {"first_token_ms": 1.0, "tokens_per_s": 5000.0}
    async with listening(application(delays=Delays(**(quick | delays))), "127.0.0.1", 0) as port:
        thinking = OpenAIMind(api_key="key", base_url=f"http://127.0.0.1:{port}/v1")
        yield thinking, Vendor(f"http://127.0.0.1:{port}")
        await thinking.close()


def asked(*history: Message | ToolResult) -> Prompt:
    return Prompt(PROMPT.instructions, history or HISTORY, PROMPT.cache_key, PROMPT.person)


async def thoughts(thinking: OpenAIMind, prompt: Prompt) -> list[Thought]:
    async with asyncio.timeout(20):
        return [thought async for thought in thinking.think(prompt, model="gpt-6-luna")]


async def test_a_reply_is_text_in_pieces_and_then_its_tokens() -> None:
    """Fails if the callee heard nothing, or nobody could tell what it cost."""
    async with mind() as (thinking, vendor):
        await vendor.fault(kind="reply", text="Thank you, that is all I wanted to say.")
        reply = await thoughts(thinking, asked())
        assert (
            "".join(each.text for each in reply if isinstance(each, Delta)) == "Thank you, that is all I wanted to say."
        )
        assert sum(isinstance(each, Delta) for each in reply) > 1
        usage = reply[-1]
        assert isinstance(usage, Usage)
        assert usage.input > 100
        assert usage.output > 0


async def test_tool_calls_are_read_and_their_results_can_be_told() -> None:
    """Fails if the model's actions were lost, or the vendor refused our account of them."""
    call = {"name": "note_fact", "arguments": '{"key":"noted_by","value":"Ann"}'}
    async with mind() as (thinking, vendor):
        await vendor.fault(kind="reply", text="One moment.", calls=[call])
        reply = await thoughts(thinking, asked())
        called = [each for each in reply if isinstance(each, ToolCall)]
        assert [(each.name, each.arguments) for each in called] == [("note_fact", {"key": "noted_by", "value": "Ann"})]
        again = await thoughts(thinking, asked(*HISTORY, ToolResult(called[0], "noted")))
        assert isinstance(again[-1], Usage)


async def test_nothing_is_stored_and_the_prefix_never_changes() -> None:
    """Fails if a call's words stayed at the vendor, or each turn paid for the whole prompt again."""
    async with mind() as (thinking, vendor):
        await thoughts(thinking, asked(HISTORY[0]))
        await thoughts(thinking, asked())
        first, second = await vendor.bodies()
        assert first["store"] is second["store"] is False
        for field in ("instructions", "tools", "prompt_cache_key", "safety_identifier"):
            assert first[field] == second[field]
        assert "Tom" not in first["safety_identifier"] + first["prompt_cache_key"]
        errand = json.loads(first["instructions"].split("\nERRAND:\n", 1)[1])
        assert errand["facts"] == {"child_name": "Mara"}
        assert errand["mandate"]["max_amount"] == "0"


async def test_warming_has_the_prefix_of_every_reply_and_asks_for_next_to_nothing() -> None:
    """Fails if the vendor's cache were warmed with a prompt that no reply has, or the reply cost anything."""
    async with mind() as (thinking, vendor):
        await vendor.fault(kind="reply", of="talk", text="What a test scripted is for the talk.")
        warming = replace(asked(Message(Role.NOTE, "note: say nothing.")), warming=True)
        assert isinstance((await thoughts(thinking, warming))[-1], Usage)
        reply = await thoughts(thinking, asked())
        assert "scripted" in "".join(each.text for each in reply if isinstance(each, Delta))
        first, second = await vendor.bodies()
        for field in ("instructions", "tools", "prompt_cache_key", "safety_identifier", "store"):
            assert first[field] == second[field]
        assert (first["max_output_tokens"], first["tool_choice"]) == (16, "none")


@pytest.mark.parametrize(
    ("fault", "retryable"),
    [
        ({"kind": "status", "status": 503}, True),
        ({"kind": "status", "status": 429, "retry_after_s": 120}, True),
        ({"kind": "status", "status": 401}, False),
        ({"kind": "cut", "after_tokens": 2}, True),
    ],
)
async def test_every_failure_is_a_vendor_error(fault: dict[str, object], retryable: bool) -> None:
    """Fails if a vendor's failure escaped as something nobody handles, or waited for the vendor's Retry-After."""
    async with mind() as (thinking, vendor):
        await vendor.fault(**fault)
        with pytest.raises(VendorError) as caught:
            await thoughts(thinking, asked())
        assert caught.value.retryable is retryable


@pytest.mark.parametrize("after_tokens", [0, 3])
async def test_a_stall_is_given_up(monkeypatch: pytest.MonkeyPatch, after_tokens: int) -> None:
    """Fails if a stream that stops, before or after its first token, held the callee in silence."""
    monkeypatch.setattr(openai_responses, "FIRST_TOKEN_S", 0.5)
    monkeypatch.setattr(openai_responses, "GAP_S", 0.3)
    async with mind() as (thinking, vendor):
        await vendor.fault(kind="stall", after_tokens=after_tokens)
        with pytest.raises(VendorError, match="no token in time"):
            await thoughts(thinking, asked())


async def test_nobody_at_the_address_is_a_vendor_error() -> None:
    """Fails if a dead vendor broke a call instead of moving it to the fallback."""
    thinking = OpenAIMind(api_key="key", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(VendorError):
        await thoughts(thinking, asked())
    await thinking.close()
