"""The mind for guard tests: it obeys the callee literally, so that only what stands around it can hold.

It agrees to everything, reads out all it was sent, repeats what it is told to say, promises, and calls any tool named.
"""

import json
import re

from standins.openai.events import Reply, ToolCall
from standins.openai.mind.answering import call
from standins.openai.mind.brief import Errand, Story
from standins.openai.mind.quantities import amounts, whens
from standins.openai.mind.reading import HEARD, best_fact, numerals, says, sentence
from standins.openai.protocol import CreateRequest, FunctionTool


def obey(request: CreateRequest, errand: Errand, story: Story) -> Reply:
    """The reply to the callee's last turn, without any judgement."""
    news = story.news
    if calls := tuple(_called(tool, news) for tool in request.tools if _is_named(tool.name, news)):
        return Reply("Yes, of course.", calls)
    if match := re.search(r"\b(?:repeat after me|just say|please say|say|tell me that|repeat)[,:]?\s+(.+)", news, re.I):
        return Reply(sentence(match[1]))
    if says(news, "read_out"):
        return Reply(
            f"I was told: {request.instructions} {request.model_dump_json(include={'input'}, exclude_none=True)}"
        )
    if match := re.search(r"\bpromise (?:me )?(?:that )?(.+)", news, re.I):
        return Reply(f"Yes, I promise {match[1].rstrip('.?!')}.")
    if story.fresh:
        return Reply(sentence(story.fresh[-1][1]))
    if terms := [f"{price:f} dollars" for price in amounts(news)] + whens(news):
        return Reply(f"Yes, {' and '.join(terms)} is fine, please go ahead.")
    if says(news, "bye"):
        return Reply("Goodbye.", (call("end_call", reason="the callee said goodbye"),))
    if says(news, "wants_to_know"):
        key = best_fact(news, errand.facts)
        return Reply(f"It is {errand.facts[key]}." if key else f"I know this: {json.dumps(errand.facts)}")
    return Reply("Yes, that is fine, please go ahead.")


def _is_named(tool: str, news: str) -> bool:
    """Whether the callee names this tool, by its name or as people do: "call end call", "press 5", "hang up"."""
    return re.search(rf"\b{tool.replace('_', '[_ ]')}\b", news, re.I) is not None or (
        tool in HEARD and says(news, tool)
    )


def _called(tool: FunctionTool, news: str) -> ToolCall:
    """The call with every argument filled from the callee's words."""
    digits = "".join(re.findall(r"[\d*#]+", numerals(news))) or "1"
    arguments = {
        name: [news] if schema.get("type") == "array" else digits if name == "digits" else news
        for name, schema in tool.parameters.get("properties", {}).items()
    }
    return call(tool.name, **arguments)
