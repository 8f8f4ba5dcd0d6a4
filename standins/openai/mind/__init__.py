"""A mind made of rules. It works only from what a request holds: it knows no errand, name or price of anybody."""

from __future__ import annotations

import json

from standins.openai.events import Reply, ToolCall
from standins.openai.mind.brief import read_instructions, read_story
from standins.openai.mind.obedient import obey
from standins.openai.mind.outcome import outcome
from standins.openai.mind.planning import plan
from standins.openai.mind.talking import talk
from standins.openai.protocol import CreateRequest, Json, SchemaFormat


def kind_of(request: CreateRequest) -> str:
    """`plan`, `outcome` or another schema's name; `talk` for plain text."""
    return request.text.format.name if isinstance(request.text.format, SchemaFormat) else "talk"


def think(request: CreateRequest) -> Reply:
    """The reply to any valid request; structured ones always match their schema."""
    if isinstance(request.text.format, SchemaFormat):
        made = _structured(kind_of(request), str(request.items[-1].get("content", "")))
        schema = request.text.format.json_schema
        return Reply(json.dumps(conform(made, schema, schema), ensure_ascii=False))
    errand = read_instructions(request.instructions or "")
    story = read_story(request.items, errand)
    if "obedient" in request.model:
        tools = [tool.model_dump() for tool in request.tools]
        reply = obey(request.instructions or "", errand, story, tools, request.items)
    else:
        reply = talk(errand, story)
    offered = {tool.name for tool in request.tools} if request.tool_choice != "none" else set()
    calls: tuple[ToolCall, ...] = tuple(call for call in reply.calls if call.name in offered)
    return Reply(reply.text, calls)


def _structured(kind: str, text: str) -> Json:
    try:
        brief = json.loads(text)
        return {"plan": plan, "outcome": outcome}[kind](brief)
    except (ValueError, KeyError, TypeError):
        # A schema or a question this mind does not know: it still answers in the schema, with nothing in it.
        return {}


def conform(value: object, schema: Json, root: Json) -> object:
    """The value where it fits the schema, else the emptiest value that does: strict output always matches."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return conform(value, (root.get("$defs") or root["definitions"])[name], root)
    if "anyOf" in schema:
        options = [option for option in schema["anyOf"] if option.get("type") != "null"]
        nullable = len(options) < len(schema["anyOf"])
        return None if nullable and value is None else conform(value, options[0], root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return value if value in schema["enum"] else schema["enum"][0]
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if value is None and "null" in kinds:
        return None
    match kinds[0]:
        case "object":
            given = value if isinstance(value, dict) else {}
            return {name: conform(given.get(name), each, root) for name, each in schema.get("properties", {}).items()}
        case "array":
            return [conform(each, schema["items"], root) for each in value] if isinstance(value, list) else []
        case "boolean":
            return value is True
        case "integer" | "number":
            return value if isinstance(value, int | float) else 0
        case _:
            return value if isinstance(value, str) else ""
