"""What the vendor accepts at `POST /v1/responses`, and the error it answers with when it does not.

Unknown fields, wrong types and schemas outside the strict subset are refused with the vendor's own error body
(`{"error": {"message", "type", "param", "code"}}`), because code that only works against a lenient server does not
work.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

Json = dict[str, Any]
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]
"""Names of tools and schemas, as the vendor restricts them."""

# `default`, `allOf`, `oneOf`, `not` and conditionals are outside the strict subset of JSON schema.
SCHEMA_KEYWORDS = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref", "$defs"}
    | {"definitions", "description", "title", "format", "pattern", "minimum", "maximum", "exclusiveMinimum"}
    | {"exclusiveMaximum", "multipleOf", "minItems", "maxItems", "$schema"}
)
MAX_SCHEMA_DEPTH = 10
"""Levels of nesting the vendor allows in a strict schema."""


class RefusedError(Exception):
    """A request the vendor refuses. `body()` is the JSON the vendor sends with `status`."""

    def __init__(
        self,
        message: str,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers
        kind = "requests" if status == 429 else "server_error" if status >= 500 else "invalid_request_error"
        self.error: Json = {"message": message, "type": kind, "param": param, "code": code}

    def body(self) -> Json:
        return {"error": self.error}


class Strict(BaseModel):
    """Nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


M = TypeVar("M", bound=Strict)


class InputText(Strict):
    type: Literal["input_text"]
    text: str


class OutputText(Strict):
    type: Literal["output_text"]
    text: str
    annotations: list[Json] = []
    logprobs: list[Json] = []


class Identified(Strict):
    """What the vendor itself has made may come back with its marks."""

    id: str | None = None
    status: Literal["in_progress", "completed", "incomplete"] | None = None


class Message(Strict):
    type: Literal["message"] = "message"
    role: Literal["user", "system", "developer"]
    content: str | list[InputText]


class AssistantMessage(Identified):
    type: Literal["message"] = "message"
    role: Literal["assistant"]
    content: str | list[OutputText]
    phase: Literal["commentary", "final_answer"] | None = None


class FunctionCall(Identified):
    type: Literal["function_call"]
    call_id: str
    name: Name
    arguments: str


class FunctionCallOutput(Identified):
    type: Literal["function_call_output"]
    call_id: str
    output: str | list[InputText]


def _kind(item: Json) -> str:
    kind = str(item.get("type", "message"))
    return "assistant" if kind == "message" and item.get("role") == "assistant" else kind


Item = Annotated[
    Annotated[Message, Tag("message")]
    | Annotated[AssistantMessage, Tag("assistant")]
    | Annotated[FunctionCall, Tag("function_call")]
    | Annotated[FunctionCallOutput, Tag("function_call_output")],
    Discriminator(_kind),
]


class FunctionTool(Strict):
    type: Literal["function"]
    name: Name
    description: str | None = None
    strict: bool | None = True
    parameters: Json

    @field_validator("parameters")
    @classmethod
    def _in_subset(cls, schema: Json, info: ValidationInfo) -> Json:
        if info.data.get("strict") is not False and (problem := schema_problem(schema)):
            message = f"Invalid schema for function '{info.data.get('name')}': {problem}"
            raise PydanticCustomError("invalid_function_parameters", "{message}", {"message": message})
        return schema


class NamedTool(Strict):
    type: Literal["function"]
    name: str


class PlainFormat(Strict):
    type: Literal["text"]


class SchemaFormat(Strict):
    type: Literal["json_schema"]
    name: Name
    description: str | None = None
    strict: bool | None = None
    json_schema: Json = Field(alias="schema")

    @field_validator("json_schema")
    @classmethod
    def _in_subset(cls, schema: Json, info: ValidationInfo) -> Json:
        if info.data.get("strict") and (problem := schema_problem(schema)):
            message = f"Invalid schema for response_format '{info.data.get('name')}': {problem}"
            raise PydanticCustomError("invalid_json_schema", "{message}", {"message": message})
        return schema


class Text(Strict):
    format: Annotated[PlainFormat | SchemaFormat, Field(discriminator="type")] = PlainFormat(type="text")
    verbosity: Literal["low", "medium", "high"] | None = None


class Reasoning(Strict):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class CacheOptions(Strict):
    mode: Literal["implicit", "explicit"] = "implicit"
    ttl: Literal["30m", "12h"] | None = None


class StreamOptions(Strict):
    include_obfuscation: bool | None = None


class CreateRequest(Strict):
    """The body of `POST /v1/responses`, without the vendor features this stand-in does not imitate."""

    model: str
    input: str | list[Item]
    instructions: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[FunctionTool] = []
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

    @property
    def items(self) -> list[Json]:
        """The input as the vendor's items."""
        if isinstance(self.input, str):
            return [{"role": "user", "content": self.input}]
        return [item.model_dump(exclude_none=True) for item in self.input]


NOT_IMITATED = ("background", "conversation", "prompt", "previous_response_id", "include", "context_management")

_MISSING = ("missing_required_parameter", "Missing required parameter: '{param}'.")
_UNSUPPORTED = "Invalid value: {input!r}. Supported values are: "
ERRORS = {
    "extra_forbidden": ("unknown_parameter", "Unknown parameter: '{param}'."),
    "missing": _MISSING,
    "union_tag_not_found": _MISSING,
    "literal_error": ("invalid_value", f"{_UNSUPPORTED}{{expected}}."),
    "union_tag_invalid": ("invalid_value", f"{_UNSUPPORTED}{{expected_tags}}."),
    "greater_than_equal": (
        "integer_below_min_value",
        "Invalid '{param}': integer below minimum value. Expected a value >= {ge}, but got {input} instead.",
    ),
    "string_too_long": (
        "string_above_max_length",
        "Invalid '{param}': string too long. Expected a string with maximum length {max_length}, but got a string with "
        "length {length} instead.",
    ),
    "string_pattern_mismatch": (
        "invalid_value",
        "Invalid '{param}': string does not match pattern. Expected a string that matches the pattern '{pattern}'.",
    ),
    "invalid_function_parameters": ("invalid_function_parameters", "{message}"),
    "invalid_json_schema": ("invalid_json_schema", "{message}"),
}
"""From a kind of validation error to the vendor's code and words."""


def read_body(raw: bytes) -> Json:
    """The JSON object sent. Raises `RefusedError`."""
    try:
        body = json.loads(raw)
    except ValueError:
        raise RefusedError("We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise RefusedError("Invalid type for request body: expected an object.", code="invalid_type")
    return body


def checked(body: Json, kind: type[M]) -> M:
    """The request in `body`. Raises `RefusedError` with the vendor's message for the first thing wrong with it."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        # Unknown fields first: a misspelt name also looks like a missing one. Then a union's deepest branch.
        first = min(error.errors(), key=lambda each: (each["type"] != "extra_forbidden", -len(each["loc"])))
        raise _refusal(dict(first), body) from None


def read_request(raw: bytes) -> CreateRequest:
    """The checked request for a reply. Raises `RefusedError`."""
    body = read_body(raw)
    for field in NOT_IMITATED:
        if body.get(field) is not None:
            raise RefusedError(f"'{field}' is not imitated by this stand-in.", field, "unsupported_parameter")
    if "model" in body and "input" not in body:
        message = "One of 'input' or 'previous_response_id' or 'prompt' or 'conversation_id' must be provided."
        raise RefusedError(message, "input", "missing_required_parameter")
    request = checked(body, CreateRequest)
    waiting: list[str] = []
    for item in request.items:
        if item.get("type") == "function_call":
            waiting.append(item["call_id"])
        elif item.get("type") == "function_call_output":
            if item["call_id"] not in waiting:
                message = f"No tool call found for function call output with call_id {item['call_id']}."
                raise RefusedError(message, "input")
            waiting.remove(item["call_id"])
    if waiting:
        raise RefusedError(f"No tool output found for function call {waiting[0]}.", "input")
    return request


def _refusal(first: Json, body: Json) -> RefusedError:
    """The vendor's words for one validation error."""
    param, here = "", body
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
    if first["type"].startswith("union_tag"):
        param += ".type"
    code, words = ERRORS.get(first["type"], ("invalid_type", "Invalid type for '{param}': {msg}."))
    found = {**first.get("ctx", {}), "param": param, "input": first["input"], "msg": first["msg"]}
    return RefusedError(words.format(length=len(str(first["input"])), **found), param, code)


def schema_problem(schema: object, context: tuple[str, ...] = ()) -> str | None:
    """Why a schema is outside the strict subset, in the vendor's words; None when it is inside."""
    place = f"In context={context!r}, "
    if not isinstance(schema, dict):
        return f"{place}schema must be a JSON object."
    if context.count("properties") > MAX_SCHEMA_DEPTH:
        return f"{place}nesting exceeds {MAX_SCHEMA_DEPTH} levels."
    if not context and schema.get("type") != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{schema.get('type')}\"'."
    if unknown := [keyword for keyword in schema if keyword not in SCHEMA_KEYWORDS]:
        return f"{place}'{unknown[0]}' is not permitted."
    if not {"type", "$ref", "anyOf", "enum", "const"} & schema.keys():
        return f"{place}schema must have a 'type' key."
    kinds = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")]
    nested: list[tuple[object, tuple[str, ...]]] = []
    if "object" in kinds:
        if schema.get("additionalProperties") is not False:
            return f"{place}'additionalProperties' is required to be supplied and to be false."
        missing = sorted(set(schema.get("properties", {})) ^ set(schema.get("required", [])))
        if missing or "required" not in schema:
            return (
                f"{place}'required' is required to be supplied and to be an array including every key in properties. "
                f"Missing or extra '{''.join(missing[:1])}'."
            )
    if "array" in kinds:
        nested.append((schema.get("items"), (*context, "items")))
    nested += [(each, (*context, "anyOf", str(index))) for index, each in enumerate(schema.get("anyOf", []))]
    for group in ("properties", "$defs", "definitions"):
        nested += [(each, (*context, group, name)) for name, each in schema.get(group, {}).items()]
    return next((problem for each, where in nested if (problem := schema_problem(each, where))), None)
