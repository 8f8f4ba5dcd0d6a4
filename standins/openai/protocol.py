"""What the vendor accepts at `POST /v1/responses`, and the error it answers with when it does not.

Unknown fields, wrong types and schemas outside the strict subset are refused with the vendor's own error body
(`{"error": {"message", "type", "param", "code"}}`), because code that only works against a lenient server does not
work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Json = dict[str, Any]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]
"""Names of tools and schemas, as the vendor restricts them."""

# Keywords of the strict subset of JSON schema; `default`, `allOf`, `oneOf`, `not` and conditionals are outside it.
SCHEMA_KEYWORDS = frozenset(
    re.findall(
        r"\S+",
        "type properties required additionalProperties items enum const anyOf $ref $defs definitions description "
        "title format pattern minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems "
        "$schema",
    )
)
MAX_SCHEMA_DEPTH = 10
"""Levels of nesting the vendor allows in a strict schema."""


class RefusedError(Exception):
    """A request the vendor refuses. `body()` is the JSON the vendor sends with `status`."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.error: Json = {"message": message, "type": error_type(status), "param": param, "code": code}

    def body(self) -> Json:
        return {"error": self.error}


def error_type(status: int) -> str:
    """The vendor's `type` for an HTTP status."""
    if status == 429:
        return "requests"
    return "server_error" if status >= 500 else "invalid_request_error"


class Strict(BaseModel):
    """Nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class InputText(Strict):
    type: Literal["input_text"]
    text: str


class OutputText(Strict):
    type: Literal["output_text"]
    text: str
    annotations: list[Json] = []
    logprobs: list[Json] = []


class Message(Strict):
    type: Literal["message"] = "message"
    role: Literal["user", "system", "developer"]
    content: str | list[InputText]


class AssistantMessage(Strict):
    type: Literal["message"] = "message"
    role: Literal["assistant"]
    content: str | list[OutputText]
    id: str | None = None
    status: Literal["in_progress", "completed", "incomplete"] | None = None
    phase: Literal["commentary", "final_answer"] | None = None


class FunctionCall(Strict):
    type: Literal["function_call"]
    call_id: str
    name: Name
    arguments: str
    id: str | None = None
    status: Literal["in_progress", "completed", "incomplete"] | None = None


class FunctionCallOutput(Strict):
    type: Literal["function_call_output"]
    call_id: str
    output: str | list[InputText]
    id: str | None = None
    status: Literal["in_progress", "completed", "incomplete"] | None = None


class FunctionTool(Strict):
    type: Literal["function"]
    name: Name
    parameters: Json
    strict: bool | None = True
    description: str | None = None


class NamedTool(Strict):
    type: Literal["function"]
    name: str


class PlainFormat(Strict):
    type: Literal["text"]


class SchemaFormat(Strict):
    type: Literal["json_schema"]
    name: Name
    json_schema: Json = Field(alias="schema")
    strict: bool | None = None
    description: str | None = None


class Text(Strict):
    format: Annotated[PlainFormat | SchemaFormat, Field(discriminator="type")] = PlainFormat(type="text")
    verbosity: Literal["low", "medium", "high"] | None = None


class Reasoning(Strict):
    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class CacheOptions(Strict):
    mode: Literal["implicit", "explicit"] = "implicit"
    ttl: Literal["30m", "12h"] | None = None


class StreamOptions(Strict):
    include_obfuscation: bool | None = None


class CreateRequest(Strict):
    """The body of `POST /v1/responses`, without the vendor features this stand-in does not imitate."""

    model: str
    input: str | list[Json]
    instructions: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[Json] = []
    tool_choice: Literal["none", "auto"] | NamedTool = "auto"
    parallel_tool_calls: bool | None = None
    text: Text = Text()
    reasoning: Reasoning | None = None
    max_output_tokens: Annotated[int, Field(ge=16)] | None = None
    max_tool_calls: int | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None
    safety_identifier: Annotated[str, Field(max_length=128)] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: CacheOptions | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None


Model = TypeVar("Model", bound=Strict)

NOT_IMITATED = ("background", "conversation", "prompt", "previous_response_id", "include", "context_management")


def read_request(raw: bytes) -> CreateRequest:
    """The checked request. Raises `RefusedError` with the vendor's message for the first thing wrong with it."""
    try:
        body = json.loads(raw)
    except ValueError:
        raise RefusedError("We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise RefusedError("Invalid type for request body: expected an object.", code="invalid_type")
    for field in NOT_IMITATED:
        if body.get(field) is not None:
            raise RefusedError(f"'{field}' is not imitated by this stand-in.", field, "unsupported_parameter")
    if "model" in body and "input" not in body:
        message = "One of 'input' or 'previous_response_id' or 'prompt' or 'conversation_id' must be provided."
        raise RefusedError(message, "input", "missing_required_parameter")
    request = _checked(CreateRequest, body)
    for index, tool in enumerate(request.tools):
        where = f"tools[{index}]"
        if tool.get("type") != "function":
            raise RefusedError(f"Only function tools are imitated, not {tool.get('type')!r}.", where, "invalid_value")
        function = _checked(FunctionTool, tool, where)
        if function.strict is not False:
            problem = schema_problem(function.parameters)
            if problem:
                message = f"Invalid schema for function '{function.name}': {problem}"
                raise RefusedError(message, f"{where}.parameters", "invalid_function_parameters")
    if isinstance(request.input, list):
        _check_items(request.input)
    if isinstance(request.text.format, SchemaFormat) and request.text.format.strict:
        problem = schema_problem(request.text.format.json_schema)
        if problem:
            message = f"Invalid schema for response_format '{request.text.format.name}': {problem}"
            raise RefusedError(message, "text.format.schema", "invalid_json_schema")
    return request


def _check_items(items: Sequence[Json]) -> None:
    """Every item has a shape the vendor knows, and tool calls and their outputs come in pairs."""
    waiting: list[str] = []
    kinds: dict[str, type[Strict]] = {"function_call": FunctionCall, "function_call_output": FunctionCallOutput}
    for index, item in enumerate(items):
        where = f"input[{index}]"
        kind = item.get("type", "message")
        if kind not in kinds and kind != "message":
            supported = "'message', 'function_call', and 'function_call_output'"
            message = f"Invalid value: '{kind}'. Supported values are: {supported}."
            raise RefusedError(message, f"{where}.type", "invalid_value")
        message_model = AssistantMessage if item.get("role") == "assistant" else Message
        _checked(kinds.get(kind, message_model), item, where)
        call_id = item.get("call_id")
        if kind == "function_call":
            waiting.append(str(call_id))
        elif kind == "function_call_output":
            if call_id not in waiting:
                raise RefusedError(f"No tool call found for function call output with call_id {call_id}.", "input")
            waiting.remove(str(call_id))
    if waiting:
        raise RefusedError(f"No tool output found for function call {waiting[0]}.", "input")


def _checked(model: type[Model], body: Json, where: str = "") -> Model:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        # Unknown fields first: a misspelt name also looks like a missing one. Then a union's deepest branch.
        first = min(error.errors(), key=lambda each: (each["type"] != "extra_forbidden", -len(each["loc"])))
        raise _refusal(dict(first), body, where) from None


def _refusal(first: Json, body: Json, where: str) -> RefusedError:
    """The vendor's words for one validation error."""
    param, here = where, body
    for step in first["loc"]:
        if isinstance(step, int):
            param += f"[{step}]"
        elif isinstance(here, Mapping) and (step in here or step == first["loc"][-1]):
            param += f".{step}" if param else step
        else:
            continue  # a branch name that pydantic adds for unions
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = {}
    kind, context = first["type"], first.get("ctx", {})
    if kind == "extra_forbidden":
        return RefusedError(f"Unknown parameter: '{param}'.", param, "unknown_parameter")
    if kind in ("missing", "union_tag_not_found"):
        return RefusedError(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")
    if kind in ("literal_error", "union_tag_invalid"):
        supported = context.get("expected") or context.get("expected_tags")
        return RefusedError(
            f"Invalid value: {first['input']!r}. Supported values are: {supported}.", param, "invalid_value"
        )
    if kind == "greater_than_equal":
        message = f"Invalid '{param}': integer below minimum value. Expected a value >= {context['ge']}"
        return RefusedError(f"{message}, but got {first['input']} instead.", param, "integer_below_min_value")
    if kind == "string_too_long":
        message = f"Invalid '{param}': string too long. Expected a string with maximum length {context['max_length']}"
        return RefusedError(
            f"{message}, but got a string with length {len(first['input'])} instead.",
            param,
            "string_above_max_length",
        )
    if kind == "string_pattern_mismatch":
        message = f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern"
        return RefusedError(f"{message} '{context['pattern']}'.", param, "invalid_value")
    return RefusedError(f"Invalid type for '{param}': {first['msg']}.", param, "invalid_type")


def schema_problem(schema: object, context: tuple[str, ...] = ()) -> str | None:
    """Why a schema is outside the strict subset, in the vendor's words; None when it is inside."""
    place = f"In context={context!r}, "
    if not isinstance(schema, dict):
        return f"{place}schema must be a JSON object."
    if len(re.findall("properties", " ".join(context))) > MAX_SCHEMA_DEPTH:
        return f"{place}nesting exceeds {MAX_SCHEMA_DEPTH} levels."
    if not context and schema.get("type") != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'."
    for keyword in schema:
        if keyword not in SCHEMA_KEYWORDS:
            return f"{place}'{keyword}' is not permitted."
    if not {"type", "$ref", "anyOf", "enum", "const"} & schema.keys():
        return f"{place}schema must have a 'type' key."
    kinds = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")]
    nested: list[tuple[object, tuple[str, ...]]] = []
    if "object" in kinds:
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            return f"{place}'additionalProperties' is required to be supplied and to be false."
        missing = sorted(set(properties) ^ set(schema.get("required", [])))
        if missing or "required" not in schema:
            return (
                f"{place}'required' is required to be supplied and to be an array including every key in properties. "
                f"Missing or extra '{''.join(missing[:1])}'."
            )
        nested += [(each, (*context, "properties", name)) for name, each in properties.items()]
    if "array" in kinds:
        if "items" not in schema:
            return f"{place}array schema missing items."
        nested.append((schema["items"], (*context, "items")))
    nested += [(each, (*context, "anyOf", str(index))) for index, each in enumerate(schema.get("anyOf", []))]
    for definitions in ("$defs", "definitions"):
        nested += [(each, (*context, definitions, name)) for name, each in schema.get(definitions, {}).items()]
    return next((problem for each, where in nested if (problem := schema_problem(each, where))), None)
