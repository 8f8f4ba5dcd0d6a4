"""The HTTP face, driven by the vendor's own unmodified client."""

import asyncio
import json
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel

from tests.standins.openai.conftest import StandIn

TOOLS: list[Any] = [
    {
        "type": "function",
        "name": "end_call",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"reason": {"type": "string"}},
            "required": ["reason"],
            "additionalProperties": False,
        },
    }
]
FAREWELL: list[Any] = [
    {"role": "assistant", "content": "Hello, this is an AI assistant. I am calling to tell you that Ann is late."},
    {"role": "user", "content": "thank you for letting us know bye"},
]


class Verdict(BaseModel):
    class Part(BaseModel):
        name: str
        score: int

    certain: bool
    parts: list[Part]
    reason: str | None


async def events_of(standin: StandIn, **more: Any) -> list[Any]:
    stream = await standin.openai.responses.create(model="any", input=FAREWELL, tools=TOOLS, stream=True, **more)
    return [event async for event in stream]


async def test_stream_helper_accepts_the_event_sequence(standin: StandIn) -> None:
    """Breaks: the vendor's stream helper raises on a missing or misplaced event, so relays see no reply at all."""
    async with standin.openai.responses.stream(model="any", input=FAREWELL, tools=TOOLS) as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_response()
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert "response.content_part.added" in kinds
    assert "response.function_call_arguments.done" in kinds
    assert "Goodbye" in final.output_text
    assert final.output[1].type == "function_call"
    assert final.usage is not None
    assert final.usage.total_tokens == final.usage.input_tokens + final.usage.output_tokens


async def test_raw_stream_numbers_events_and_deltas_join(standin: StandIn) -> None:
    """Breaks: clients that order by sequence_number or join deltas would speak scrambled sentences."""
    events = await events_of(standin)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    done = next(event for event in events if event.type == "response.output_text.done")
    assert text == done.text == events[-1].response.output_text
    arguments = "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta")
    assert json.loads(arguments)["reason"]


async def test_parse_returns_the_callers_model(standin: StandIn) -> None:
    """Breaks: strict structured output would not fit a schema this mind has never seen."""
    parsed = await standin.openai.responses.parse(model="any", input="is it so?", text_format=Verdict)
    assert parsed.output_parsed == Verdict(certain=False, parts=[], reason=None)


async def test_unary_response_holds_the_same_reply(standin: StandIn) -> None:
    """Breaks: callers that do not stream get another answer than those that do."""
    response = await standin.openai.responses.create(model="any", input=FAREWELL, tools=TOOLS)
    assert response.output_text == (await events_of(standin))[-1].response.output_text
    assert response.status == "completed"


async def test_output_limit_makes_the_response_incomplete(standin: StandIn) -> None:
    """Breaks: code that must notice a truncated reply is never shown one."""
    limited: Any = {"instructions": "ERRAND:\n" + json.dumps({"opening": "word " * 40})}
    response = await standin.openai.responses.create(model="any", input="hello", max_output_tokens=16, **limited)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


async def test_equal_prefix_is_reported_as_cached(standin: StandIn) -> None:
    """Breaks: cost figures that rely on cached_tokens would always be those of a cold cache."""
    cached = []
    for turn in ("hello", "hello again"):
        response = await standin.openai.responses.create(
            model="any", instructions="rule " * 2000, input=turn, prompt_cache_key="call"
        )
        assert response.usage is not None
        cached.append(response.usage.input_tokens_details.cached_tokens)
    assert cached[0] == 0
    assert cached[1] >= 1024
    assert cached[1] % 128 == 0


async def test_wrong_key_is_refused(standin: StandIn) -> None:
    """Breaks: a missing or wrong key would be noticed only in production."""
    with pytest.raises(openai.AuthenticationError) as caught:
        await standin.openai.with_options(api_key="wrong").responses.create(model="any", input="hello")
    assert caught.value.code == "invalid_api_key"


@pytest.mark.parametrize(("status", "error"), [(429, openai.RateLimitError), (503, openai.InternalServerError)])
async def test_status_fault_hits_the_next_request_only(
    standin: StandIn, status: int, error: type[openai.APIStatusError]
) -> None:
    """Breaks: tests of rate limits and outages cannot be staged, or never end."""
    fault = {"kind": "status", "status": status, "retry_after_s": 2, "of": "talk"}
    assert (await standin.http.post("/control/faults", json=fault)).status_code == 201
    with pytest.raises(error) as caught:
        await standin.openai.responses.create(model="any", input="hello")
    assert caught.value.response.headers["retry-after"] == "2"
    assert (await standin.openai.responses.create(model="any", input="hello")).status == "completed"


@pytest.mark.parametrize("stream", [True, False])
async def test_cut_breaks_the_connection(standin: StandIn, stream: bool) -> None:
    """Breaks: a vendor that dies mid-reply looks like one that finished."""
    await standin.http.post("/control/faults", json={"kind": "cut", "after_tokens": 2})
    asking = events_of(standin) if stream else standin.openai.responses.create(model="any", input=FAREWELL)
    with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError)):
        await asking


async def test_stall_sends_nothing_more(standin: StandIn) -> None:
    """Breaks: the deadline between tokens cannot be tested."""
    await standin.http.post("/control/faults", json={"kind": "stall", "after_tokens": 3})
    stream = await standin.openai.responses.create(model="any", input=FAREWELL, stream=True)
    seen: list[str] = []

    async def read() -> None:
        async for event in stream:
            seen.append(event.type)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read(), 0.3)
    await stream.close()
    assert seen.count("response.output_text.delta") == 3


@pytest.mark.parametrize("kind", ["garbage", "empty"])
async def test_bad_replies_are_still_valid_protocol(standin: StandIn, kind: str) -> None:
    """Breaks: a test of bad model output would test a broken protocol instead."""
    await standin.http.post("/control/faults", json={"kind": kind})
    final = (await events_of(standin))[-1].response
    assert (final.output_text.startswith('{"}]]'), final.output == []) == (kind == "garbage", kind == "empty")


async def test_scripted_reply_is_said_word_for_word(standin: StandIn) -> None:
    """Breaks: tests that need one particular reply of the model (a wrong citation, say) cannot have it."""
    call = {"name": "end_call", "arguments": '{"reason":"scripted"}'}
    await standin.http.post("/control/faults", json={"kind": "reply", "text": "Exactly this.", "calls": [call]})
    final = (await events_of(standin))[-1].response
    assert final.output_text == "Exactly this."
    assert final.output[1].arguments == call["arguments"]


async def test_every_byte_received_is_logged(standin: StandIn) -> None:
    """Breaks: nobody can prove that an unreleased fact was never sent to the vendor."""
    with pytest.raises(openai.BadRequestError):
        await standin.openai.responses.create(model="any", input="canary-1", extra_body={"odd": True})
    await standin.openai.responses.create(model="any", input="canary-2")
    log = (await standin.http.get("/control/requests")).json()
    assert [f"canary-{n}" in entry["text"] for n, entry in enumerate(log["requests"], 1)] == [True, True]


async def test_delays_change_while_running(standin: StandIn) -> None:
    """Breaks: benchmarks cannot choose the simulated vendor's speed; a misspelt delay would pass unnoticed."""
    settings = (await standin.http.post("/control/settings", json={"first_token_ms": 5})).json()
    assert settings["first_token_ms"] == 5
    assert (await standin.http.post("/control/settings", json={"first_tokn_ms": 5})).status_code == 400
