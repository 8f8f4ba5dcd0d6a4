"""What the model is told about a call: rules that never change, then the errand, then the talk so far.

Rules and errand stay byte for byte the same over a call, so that the vendor's prompt cache serves them. The model gets
the release set and nothing else about the person: what is not in here cannot be coaxed out of it. Recent talk is told
word for word, older talk in short, so that the hundredth reply costs and takes what the tenth did.
"""

import re
import tomllib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from relay.core.actions import Message, Role
from relay.core.brief import Brief
from relay.core.log import INTERRUPTED
from relay.mind import Prompt, ToolResult

KEPT_IN_FULL = 20  # newest entries word for word: ten turns of each side
KEPT_CHARACTERS = 6000  # but no more than this, some 1,500 tokens, if they are long
SHORTENED_AT_ONCE = 8
"""Older entries are shortened in groups: between two groups the prompt only grows at its end, which keeps the cache."""
SUMMARY_CHARACTERS = 900  # some 225 tokens
_FIGURE = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundred|thousand|half|dollars?"
    r"|\w+day|tomorrow|tonight|noon|name)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")

_DATA: Any = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
RULES: str = _DATA["rules"]
OUTPUTS: dict[str, str] = {name: tool["output"] for name, tool in _DATA["tools"].items()}
"""What the model is told became of its call, by the tool's name."""


def _tool(name: str, description: str, arguments: list[str]) -> dict[str, Any]:
    text = {"type": "string"}
    kinds = {each.removesuffix("[]"): {"type": "array", "items": text} if "[]" in each else text for each in arguments}
    schema = {"type": "object", "properties": kinds, "required": list(kinds), "additionalProperties": False}
    return {"type": "function", "name": name, "description": description, "strict": True, "parameters": schema}


TOOLS = [_tool(name, tool["description"], tool["arguments"]) for name, tool in _DATA["tools"].items()]
"""As the Responses API wants them."""


def prompt_for(brief: Brief, *, call_key: str, person_key: str, now: str) -> Prompt:
    """The prompt of one call, without a history.

    `call_key` and `person_key` reach the vendor as digests only. `now` is the time in the person's zone, RFC 3339, when
    the call began.
    """
    errand = {
        "goal": brief.goal,
        "done_when": brief.done_when,
        "steps": brief.steps,
        "on_behalf_of": brief.on_behalf_of,
        "callee": brief.callee,
        "opening": " ".join(brief.opening),
        "facts": dict(brief.release),
        "mandate": brief.mandate.to_json(),
        "questions": brief.questions,
        "now": now,
    }
    return Prompt(
        instructions=f"{RULES}\nERRAND:\n{orjson.dumps(errand).decode()}",
        history=(),
        cache_key=_digest(call_key),
        person=_digest(person_key),
    )


def talk(turns: Sequence[Message], results: Sequence[tuple[int, ToolResult]]) -> tuple[Message | ToolResult, ...]:
    """The talk so far. Each of `results` stands after so many turns."""
    entries: list[Message | ToolResult] = list(turns)
    for at, result in reversed(results):
        entries.insert(min(at, len(turns)), result)
    sizes = [len(entry.text) if isinstance(entry, Message) else len(str(entry)) for entry in entries]
    cut = 0
    while len(entries) - cut > KEPT_IN_FULL or (cut < len(entries) - 1 and sum(sizes[cut:]) > KEPT_CHARACTERS):
        cut = min(cut + SHORTENED_AT_ONCE, len(entries) - 1)
    if cut == 0:
        return tuple(entries)
    older = entries[:cut]
    notes = dict.fromkeys(each for each in older if isinstance(each, Message) and each.role is Role.NOTE)
    notes.pop(Message(Role.NOTE, INTERRUPTED), None)
    return (*notes, Message(Role.NOTE, _in_short(older)), *entries[cut:])


def _in_short(entries: Sequence[Message | ToolResult]) -> str:
    """The sentences that hold a figure, a day or a name, then the newest others, as many as there is room for."""
    said = {
        (sentence, "they" if entry.role is Role.CALLEE else "you"): place
        for place, entry in enumerate(entries)
        if isinstance(entry, Message) and entry.role is not Role.NOTE
        for sentence in _SENTENCE.split(entry.text)
    }
    room = SUMMARY_CHARACTERS
    kept = []
    for each in sorted(said, key=lambda each: (_FIGURE.search(each[0]) is None, -said[each])):
        if (room := room - len(each[0])) < 0:
            break
        kept.append(each)
    words = " / ".join(f"{who}: {sentence}" for sentence, who in sorted(kept, key=lambda each: said[each]))
    return f"note: earlier in this call, in short: {words}"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]
