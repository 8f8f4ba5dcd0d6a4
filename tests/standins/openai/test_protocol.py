"""Requests the vendor would refuse are refused here, in the vendor's words."""

from typing import Any

import pytest

from standins.openai.protocol import RefusedError, read_request
from tests.standins.openai.conftest import encoded

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
CALL = {"type": "function_call", "call_id": "call_1", "name": "end_call", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "done"}


def body(**more: Any) -> bytes:
    return encoded({"model": "any", "input": "hello"} | more)


def with_schema(schema: dict[str, Any], **more: Any) -> bytes:
    return body(text={"format": {"type": "json_schema", "name": "plan", "strict": True, "schema": schema} | more})


def with_tool(**more: Any) -> bytes:
    return body(tools=[{"type": "function", "name": "end_call", "strict": True, "parameters": SCHEMA} | more])


@pytest.mark.parametrize(
    ("raw", "code", "param"),
    [
        (b"{not json", None, None),
        (b"[]", "invalid_type", None),
        (encoded({"input": "hello"}), "missing_required_parameter", "model"),
        (encoded({"model": "any"}), "missing_required_parameter", "input"),
        (body(odd=1), "unknown_parameter", "odd"),
        (body(model=5), "invalid_type", "model"),
        (body(stream="yes"), "invalid_type", "stream"),
        (body(max_output_tokens=5), "integer_below_min_value", "max_output_tokens"),
        (body(safety_identifier="x" * 129), "string_above_max_length", "safety_identifier"),
        (body(reasoning={"effort": "huge"}), "invalid_value", "reasoning.effort"),
        (body(reasoning={"efort": "low"}), "unknown_parameter", "reasoning.efort"),
        (body(previous_response_id="resp_1"), "unsupported_parameter", "previous_response_id"),
        (
            body(text={"format": {"type": "json_schema", "schema": SCHEMA}}),
            "missing_required_parameter",
            "text.format.name",
        ),
        (
            body(text={"format": {"type": "json_schema", "name": "a b", "schema": SCHEMA}}),
            "invalid_value",
            "text.format.name",
        ),
        (with_schema({**SCHEMA, "additionalProperties": True}), "invalid_json_schema", "text.format.schema"),
        (with_schema({**SCHEMA, "required": []}), "invalid_json_schema", "text.format.schema"),
        (with_schema({**SCHEMA, "properties": {"text": {}}}), "invalid_json_schema", "text.format.schema"),
        (with_schema({"type": "array", "items": SCHEMA}), "invalid_json_schema", "text.format.schema"),
        (
            with_schema({**SCHEMA, "properties": {"text": {"type": "string", "default": "x"}}}),
            "invalid_json_schema",
            "text.format.schema",
        ),
        (
            with_tool(parameters={"type": "object", "properties": {}}),
            "invalid_function_parameters",
            "tools[0].parameters",
        ),
        (with_tool(name="end call"), "invalid_value", "tools[0].name"),
        (with_tool(function={}), "unknown_parameter", "tools[0].function"),
        (body(tools=[{"type": "web_search"}]), "invalid_value", "tools[0].type"),
        (body(input=[{"role": "callee", "content": "x"}]), "invalid_value", "input[0].role"),
        (body(input=[{"role": "user"}]), "missing_required_parameter", "input[0].content"),
        (body(input=[{"role": "user", "content": "x", "name": "y"}]), "unknown_parameter", "input[0].name"),
        (
            body(input=[{"role": "user", "content": [{"type": "output_text", "text": "x"}]}]),
            "invalid_value",
            "input[0].content[0].type",
        ),
        (body(input=[{"type": "tool_call", "name": "x"}]), "invalid_value", "input[0].type"),
        (body(input=[CALL]), None, "input"),
        (body(input=[OUTPUT]), None, "input"),
        (body(input=[{**CALL, "arguments": {}}, OUTPUT]), "invalid_type", "input[0].arguments"),
    ],
)
def test_wrong_requests_are_refused(raw: bytes, code: str | None, param: str | None) -> None:
    """Breaks: a request that works locally would be refused by the vendor."""
    with pytest.raises(RefusedError) as caught:
        read_request(raw)
    assert caught.value.status == 400
    assert (caught.value.error["code"], caught.value.error["param"]) == (code, param)
    assert caught.value.error["type"] == "invalid_request_error"


def test_everything_the_product_sends_is_accepted() -> None:
    """Breaks: the stand-in is stricter than the vendor, and nothing runs locally."""
    request = read_request(
        body(
            instructions="rules",
            input=[{"role": "developer", "content": "note"}, CALL, OUTPUT, {"role": "user", "content": "hello"}],
            tools=[{"type": "function", "name": "end_call", "strict": True, "parameters": SCHEMA, "description": "x"}],
            stream=True,
            store=False,
            reasoning={"effort": "none"},
            max_output_tokens=200,
            safety_identifier="x" * 64,
            prompt_cache_key="talk",
            text={"format": {"type": "text"}},
        )
    )
    assert request.stream is True


def test_nested_schemas_are_checked_to_the_bottom() -> None:
    """Breaks: a schema that is loose three levels down would be accepted here and refused by the vendor."""
    loose = {**SCHEMA, "additionalProperties": True}
    inner = {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}]}}
    schema = {**SCHEMA, "properties": {"text": inner}, "$defs": {"Part": loose}}
    with pytest.raises(RefusedError, match="In context=\\('\\$defs', 'Part'\\), 'additionalProperties'"):
        read_request(with_schema(schema))
    schema["$defs"] = {"Part": SCHEMA}
    assert read_request(with_schema(schema)).model == "any"
