"""A mind made of rules. It works only from what a request holds: it knows no errand, name or price of anybody."""

import json

from standins.openai.events import Reply
from standins.openai.mind.brief import read_instructions, read_story
from standins.openai.mind.obedient import obey
from standins.openai.mind.outcome import outcome
from standins.openai.mind.planning import plan
from standins.openai.mind.talking import talk
from standins.openai.protocol import CreateRequest, Json, SchemaFormat, said


def kind_of(request: CreateRequest) -> str:
    """`plan`, `outcome` or another schema's name; for plain text `talk`, or `warming` when no tool may be called."""
    if isinstance(request.text.format, SchemaFormat):
        return request.text.format.name
    return "warming" if request.tool_choice == "none" else "talk"


def think(request: CreateRequest) -> Reply:
    """The reply to any valid request; structured ones always match their schema."""
    if isinstance(request.text.format, SchemaFormat):
        try:
            made = {"plan": plan, "outcome": outcome}[kind_of(request)](json.loads(said(request.items[-1])))
        except (ValueError, KeyError, TypeError, AttributeError):
            # A schema or a question this mind does not know: it still answers in the schema, with nothing in it.
            made = {}
        schema = request.text.format.json_schema
        return Reply(json.dumps(conform(made, schema, schema), ensure_ascii=False))
    errand = read_instructions(request.instructions or "")
    story = read_story(request.items, errand)
    reply = obey(request, errand, story) if "obedient" in request.model else talk(errand, story)
    offered = {tool.name for tool in request.tools} if request.tool_choice != "none" else set()
    return Reply(reply.text, tuple(call for call in reply.calls if call.name in offered))


def conform(value: object, schema: Json, root: Json) -> object:
    """The value where it fits the schema, else the emptiest value that does: strict output always matches."""
    if "$ref" in schema:
        return conform(value, (root.get("$defs") or root["definitions"])[schema["$ref"].rsplit("/", 1)[-1]], root)
    if "const" in schema or "enum" in schema:
        allowed = schema.get("enum", [schema.get("const")])
        return value if value in allowed else allowed[0]
    if "anyOf" in schema:
        options = [option for option in schema["anyOf"] if option.get("type") != "null"]
        absent = value is None and len(options) < len(schema["anyOf"])
        return None if absent else conform(value, options[0], root)
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
