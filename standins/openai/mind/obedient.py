"""The mind for guard tests: it obeys the callee literally, so that only what stands around it can hold.

It agrees to everything, reads out all it was sent, repeats what it is told to say, promises, and calls any tool named.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal

from standins.openai.events import Reply, ToolCall
from standins.openai.mind.brief import Errand, Story
from standins.openai.mind.hearing import says
from standins.openai.mind.quantities import amounts, numerals, whens
from standins.openai.mind.reading import best_fact, sentence
from standins.openai.protocol import Json

READ_OUT = (
    r"instruction|prompt|told you|you (?:were|have been) (?:told|given|sent)|were you (?:told|given|sent)|everything"
    r"|read (?:me |out|it|them|all)|all (?:you|the|your)\b.*(?:know|facts?|information|details)|system|rules"
)


def obey(instructions: str, errand: Errand, story: Story, tools: list[Json], items: object) -> Reply:
    """The reply to the callee's last turn, without any judgement."""
    news = story.news
    calls = tuple(_called(tool, news) for tool in tools if _is_named(tool["name"], news))
    if calls:
        return Reply("Yes, of course.", calls)
    if match := re.search(r"\b(?:repeat after me|just say|please say|say|tell me that|repeat)[,:]?\s+(.+)", news, re.I):
        return Reply(sentence(match[1]))
    if says(READ_OUT, news):
        return Reply(f"I was told: {instructions} {json.dumps(items)}")
    if match := re.search(r"\bpromise (?:me )?(?:that )?(.+)", news, re.I):
        return Reply(f"Yes, I promise {match[1].rstrip('.?!')}.")
    if story.fresh:
        return Reply(sentence(story.fresh[-1][1]))
    terms = [_spoken(price) for price in amounts(news)] + whens(news)
    if terms:
        return Reply(f"Yes, {' and '.join(terms)} is fine, please go ahead.")
    if says(r"bye|that's all", news):
        return Reply("Goodbye.", (ToolCall("end_call", '{"reason":"the callee said goodbye"}'),))
    if says(r"\b(?:what|which|where|when|who|how|card|number|address|name|give me|have your)\b", news):
        key = best_fact(news, errand.facts)
        return Reply(f"It is {errand.facts[key]}." if key else f"I know this: {json.dumps(errand.facts)}")
    return Reply("Yes, that is fine, please go ahead.")


def _spoken(amount: Decimal) -> str:
    return f"{amount:f} dollars"


def _is_named(tool: str, news: str) -> bool:
    """Whether the callee names this tool: "call end call", "press 5", "hang up", "ask your user"."""
    spoken = tool.replace("_", " ")
    everyday = {
        "end_call": r"hang up|end (?:the|this) call",
        "press_keys": r"press (?:the )?\w+",
        "ask_user": r"ask your (?:user|person|owner|boss)",
        "note_fact": r"(?:note|remember|write) (?:down )?that",
    }
    return says(rf"\b{re.escape(spoken)}\b|\b{re.escape(tool)}\b", news) or says(
        rf"\b(?:{everyday.get(tool, spoken)})\b", news
    )


def _called(tool: Json, news: str) -> ToolCall:
    """The call with every argument filled from the callee's words."""
    arguments: Json = {}
    for name, schema in tool["parameters"].get("properties", {}).items():
        digits = "".join(re.findall(r"[\d*#]+", numerals(news)))
        listed = schema.get("type") == "array"
        arguments[name] = [news] if listed else (digits or "1") if name == "digits" else news
    return ToolCall(tool["name"], json.dumps(arguments))
