"""A person, their facts and a simulated callee, joined to the stand-in as the product is: by the vendor's client."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openai import AsyncOpenAI

PERSON = "Nora Quist"
NOW = "2026-11-23T09:15:00-06:00"
OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": False}


def record(**properties: Any) -> dict[str, Any]:
    return {**OBJECT, "properties": properties, "required": list(properties)}


def listed(each: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": each}


TEXT = {"type": "string"}
OPTIONAL = {"type": ["string", "null"]}
NUMBER = {"type": "integer"}
SOURCES = {"type": "string", "enum": ["request", "fact", "place", "look_up", "none"]}
PLAN = record(
    needs_call={"type": "boolean"},
    answer_key=OPTIONAL,
    goal=TEXT,
    done_when=listed(TEXT),
    callee=record(name=TEXT, number=OPTIONAL, number_source=SOURCES),
    facts_needed=listed(TEXT),
    facts_missing=listed(TEXT),
    steps=listed(TEXT),
    opening=TEXT,
    voicemail=TEXT,
    mandate=record(max_amount=TEXT, currency=TEXT, times=listed(TEXT), promises=listed(TEXT)),
    questions=listed(TEXT),
)
OUTCOME = record(
    category=TEXT,
    summary=TEXT,
    claims=listed(record(text=TEXT, turns=listed(NUMBER))),
    tasks=listed(record(title=TEXT, due=OPTIONAL, kind=TEXT, turn=NUMBER)),
    facts=listed(record(key=TEXT, value=TEXT, turn=NUMBER)),
)
TOOLS: list[Any] = [
    {"type": "function", "name": name, "strict": True, "parameters": record(**arguments)}
    for name, arguments in {
        "ask_user": {"question": TEXT, "choices": listed(TEXT)},
        "press_keys": {"digits": TEXT},
        "note_fact": {"key": TEXT, "value": TEXT},
        "end_call": {"reason": TEXT},
    }.items()
]


def fact(key: str, category: str, value: str | None = None, share: str = "always") -> dict[str, str]:
    """A fact as the planner sees it: its value only when it may always be shared."""
    return {"key": key, "category": category, "share": share} | ({"value": value} if value else {})


@dataclass
class Callee:
    """Says the line of the first unused rule whose pattern is in what was heard, else the next of `otherwise`."""

    rules: list[tuple[str, str]]
    otherwise: list[str] = field(default_factory=list)

    def answer(self, heard: str) -> str:
        for rule in self.rules:
            if re.search(rule[0], heard, re.I):
                self.rules.remove(rule)
                return rule[1]
        return self.otherwise.pop(0) if self.otherwise else "okay"


@dataclass
class Call:
    """What came of one call."""

    plan: dict[str, Any]
    replies: list[str] = field(default_factory=list)
    turns: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    noted: dict[str, str] = field(default_factory=dict)
    reason: str | None = None
    """Why the model ended the call; None when it did not within the turns allowed."""
    outcome: dict[str, Any] = field(default_factory=dict)

    def add(self, speaker: str, text: str) -> None:
        self.turns.append({"n": len(self.turns) + 1, "speaker": speaker, "text": text})


async def structured(
    client: AsyncOpenAI, name: str, schema: dict[str, Any], brief: Mapping[str, Any]
) -> dict[str, Any]:
    form: Any = {"format": {"type": "json_schema", "name": name, "strict": True, "schema": schema}}
    asked: Any = [{"role": "user", "content": json.dumps(brief)}]
    response = await client.responses.create(model="any", instructions="Rules.", input=asked, text=form)
    made: dict[str, Any] = json.loads(response.output_text)
    return made


async def make_plan(
    client: AsyncOpenAI, request: str, facts: Sequence[dict[str, str]] = (), **more: Any
) -> dict[str, Any]:
    brief = {
        "request": request,
        "now": NOW,
        "language": "en-US",
        "person": {"name": PERSON},
        "facts": list(facts),
        "places": [],
        "answers": [],
        "earlier": [],
    }
    return await structured(client, "plan", PLAN, brief | more)


def instructions(plan: Mapping[str, Any], facts: Sequence[dict[str, str]]) -> str:
    released = {each["key"]: each["value"] for each in facts if each["key"] in plan["facts_needed"] and "value" in each}
    errand = {
        **{key: plan[key] for key in ("goal", "done_when", "steps", "mandate", "questions")},
        "on_behalf_of": PERSON,
        "callee": plan["callee"]["name"],
        "opening": f"Hello, this is an AI assistant calling for {PERSON}. This call is transcribed. {plan['opening']}",
        "facts": released,
        "now": NOW,
    }
    return f"You talk on the phone for a person.\nERRAND:\n{json.dumps(errand)}"


async def converse(
    client: AsyncOpenAI,
    request: str,
    callee: Callee,
    facts: Sequence[dict[str, str]] = (),
    *,
    answers: Mapping[str, str] | None = None,
    max_replies: int = 12,
    **planning: Any,
) -> Call:
    """Plan, talk until the model ends the call or has replied `max_replies` times, and judge the outcome."""
    call = Call(await make_plan(client, request, facts, **planning))
    brief = instructions(call.plan, facts)
    opening = json.loads(brief.splitlines()[-1])["opening"]
    items: list[Any] = [{"role": "assistant", "content": opening}]
    call.add("floyd", opening)
    heard, answered = opening, False
    while call.reason is None and len(call.replies) < max_replies:
        if not answered:
            said = callee.answer(heard)
            call.add("callee", said)
            items.append({"role": "user", "content": said})
        answered = False
        async with client.responses.stream(
            model="any", instructions=brief, input=items, tools=TOOLS, max_output_tokens=300
        ) as stream:
            final = await stream.get_final_response()
        heard = final.output_text
        call.replies.append(heard)
        if heard:
            items.append({"role": "assistant", "content": heard})
            call.add("floyd", heard)
        for each in final.output:
            if each.type != "function_call":
                continue
            arguments = json.loads(each.arguments)
            items.append(
                {"type": "function_call", "call_id": each.call_id, "name": each.name, "arguments": each.arguments}
            )
            items.append({"type": "function_call_output", "call_id": each.call_id, "output": "ok"})
            if each.name == "end_call":
                call.reason = arguments["reason"]
            elif each.name == "note_fact":
                call.noted[arguments["key"]] = arguments["value"]
            elif each.name == "ask_user":
                question = arguments["question"]
                call.asked.append(question)
                given = next((text for pattern, text in (answers or {}).items() if re.search(pattern, question)), "no")
                items.append({"role": "developer", "content": f'note: your person answered "{given}" to "{question}"'})
                answered = True
    report = {
        "request": request,
        **{key: call.plan[key] for key in ("goal", "done_when", "mandate")},
        "end_reason": call.reason or "callee hung up",
        "turns": call.turns,
    }
    call.outcome = await structured(client, "outcome", OUTCOME, report)
    return call
