"""What the vendor accepts at `POST /v1/responses`, and the error it answers with when it does not.

Unknown fields, wrong types and schemas outside the strict subset are refused with the vendor's own error body
(`{"error": {"message", "type", "param", "code"}}`): code that only works against a lenient server does not work.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, LiteralString, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

Json = dict[str, Any]
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]
"""Names of tools and schemas, as the vendor restricts them."""

WORDS = tomllib.loads(Path(__file__).with_name("refusals.toml").read_text("utf-8"))
"""What the vendor says to what it refuses."""
MAX_SCHEMA_DEPTH = 10
"""Levels of nesting the vendor allows in a strict schema."""


class RefusedError(Exception):
    """A request the vendor refuses, with the JSON that it sends with `status`."""

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


class Message(Strict):
    type: Literal["message"] = "message"
    role: Literal["user", "system", "developer"]
    content: str | list[InputText]


class Made(Strict):
    """What the vendor itself has made may come back with its marks."""

    id: str | None = None
    status: Literal["in_progress", "completed", "incomplete"] | None = None


class AssistantMessage(Made):
    type: Literal["message"] = "message"
    role: Literal["assistant"]
    content: str | list[OutputText]
    phase: Literal["commentary", "final_answer"] | None = None


class FunctionCall(Made):
    type: Literal["function_call"]
    call_id: str
    name: Name
    arguments: str


class FunctionCallOutput(Made):
    type: Literal["function_call_output"]
    call_id: str
    output: str | list[InputText]


def _tag(item: Json) -> str:
    kind = str(item.get("type", "message"))
    return "assistant" if kind == "message" and item.get("role") == "assistant" else kind


Item = Annotated[
    Annotated[Message, Tag("message")]
    | Annotated[AssistantMessage, Tag("assistant")]
    | Annotated[FunctionCall, Tag("function_call")]
    | Annotated[FunctionCallOutput, Tag("function_call_output")],
    Discriminator(_tag),
]


def said(item: Item) -> str:
    """The text of a message."""
    content = item.content if isinstance(item, Message | AssistantMessage) else ""
    return content if isinstance(content, str) else " ".join(part.text for part in content)


def _in_subset(schema: Json, info: ValidationInfo) -> Json:
    """The schema of a tool or of a format; where that is strict it must lie inside the strict subset."""
    is_tool, strict = info.field_name == "parameters", info.data.get("strict")
    if (strict or (is_tool and strict is None)) and (problem := schema_problem(schema)):
        owner = f"{'function' if is_tool else 'response_format'} '{info.data.get('name')}'"
        kind: LiteralString = "invalid_function_parameters" if is_tool else "invalid_json_schema"
        raise PydanticCustomError(kind, "{message}", {"message": f"Invalid schema for {owner}: {problem}"})
    return schema


class FunctionTool(Strict):
    type: Literal["function"]
    name: Name
    description: str | None = None
    strict: bool | None = True
    parameters: Annotated[Json, AfterValidator(_in_subset)]


class PlainFormat(Strict):
    type: Literal["text"]


class SchemaFormat(Strict):
    type: Literal["json_schema"]
    name: Name
    description: str | None = None
    strict: bool | None = None
    json_schema: Annotated[Json, AfterValidator(_in_subset), Field(alias="schema")]


class Text(Strict):
    format: Annotated[PlainFormat | SchemaFormat, Field(discriminator="type")] = PlainFormat(type="text")
    verbosity: Literal["low", "medium", "high"] | None = None


class Reasoning(Strict):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class CreateRequest(Strict):
    """The body of `POST /v1/responses`, without the vendor features this stand-in does not imitate."""

    model: str
    input: str | list[Item]
    instructions: str | None = None
    stream: bool | None = None
    tools: list[FunctionTool] = []
    tool_choice: Literal["none", "auto"] = "auto"
    text: Text = Text()
    reasoning: Reasoning | None = None
    max_output_tokens: Annotated[int, Field(ge=16)] | None = None
    store: bool | None = None
    safety_identifier: Annotated[str, Field(max_length=128)] | None = None
    prompt_cache_key: str | None = None

    @property
    def items(self) -> list[Item]:
        """The input as the vendor's items."""
        return [Message(role="user", content=self.input)] if isinstance(self.input, str) else self.input


class SpeechRequest(Strict):
    """The body of `POST /v1/audio/speech`; other formats, other speeds and server-sent events are not imitated."""

    model: Literal["tts-1", "tts-1-hd", "gpt-4o-mini-tts"]
    input: Annotated[str, Field(min_length=1, max_length=4096)]
    voice: Literal[
        "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse"
    ]
    instructions: str | None = None
    response_format: Literal["pcm"]
    speed: Annotated[float, Field(ge=1, le=1)] = 1
    stream_format: Literal["audio"] = "audio"


def read(raw: bytes, kind: type[M]) -> M:
    """The request sent. Raises `RefusedError` with the vendor's message for the first thing wrong with it."""
    try:
        body = json.loads(raw)
    except ValueError:
        raise RefusedError("We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise RefusedError("Invalid type for request body: expected an object.", code="invalid_type")
    for field in WORDS["not_imitated"]:
        if body.get(field) is not None:
            raise RefusedError(f"'{field}' is not imitated by this stand-in.", field, "unsupported_parameter")
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        # Unknown fields first: a misspelt name also looks like a missing one. Then a union's deepest branch.
        first = min(error.errors(), key=lambda each: (each["type"] != "extra_forbidden", -len(each["loc"])))
        raise _refusal(dict(first), body) from None


def read_request(raw: bytes) -> CreateRequest:
    """The checked request for a reply. Raises `RefusedError`."""
    request = read(raw, CreateRequest)
    waiting: list[str] = []
    for item in request.items:
        if isinstance(item, FunctionCall):
            waiting.append(item.call_id)
        elif isinstance(item, FunctionCallOutput):
            if item.call_id not in waiting:
                raise RefusedError(f"No tool call found for function call output with call_id {item.call_id}.", "input")
            waiting.remove(item.call_id)
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
    code, words = WORDS["errors"].get(first["type"], WORDS["errors"]["any"])
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
    if unknown := [keyword for keyword in schema if keyword not in WORDS["schema"]]:
        return f"{place}'{unknown[0]}' is not permitted."
    if not {"type", "$ref", "anyOf", "enum", "const"} & schema.keys():
        return f"{place}schema must have a 'type' key."
    kinds = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")]
    if "object" in kinds and schema.get("additionalProperties") is not False:
        return f"{place}'additionalProperties' is required to be supplied and to be false."
    wrong = sorted(set(schema.get("properties", {})) ^ set(schema.get("required", [])))
    if "object" in kinds and (wrong or "required" not in schema):
        return (
            f"{place}'required' is required to be supplied and to be an array including every key in properties. "
            f"Missing or extra '{''.join(wrong[:1])}'."
        )
    nested = [(schema.get("items"), (*context, "items"))] if "array" in kinds else []
    nested += [(each, (*context, "anyOf", str(index))) for index, each in enumerate(schema.get("anyOf", []))]
    for group in ("properties", "$defs", "definitions"):
        nested += [(each, (*context, group, name)) for name, each in schema.get(group, {}).items()]
    return next((problem for each, where in nested if (problem := schema_problem(each, where))), None)
