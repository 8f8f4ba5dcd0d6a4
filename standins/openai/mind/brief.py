"""What the mind is sent for one reply in a call: the errand in the instructions, and the story so far in the input."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from standins.openai.mind.quantities import limit_after
from standins.openai.mind.reading import content, plain, shared
from standins.openai.mind.wording import first_verb_kind

Json = dict[str, Any]
ANSWERED = re.compile(r'person answered "(?P<answer>.*)" to "(?P<question>.*)"', re.S)


@dataclass(frozen=True, slots=True)
class Errand:
    """The `ERRAND:` line of the instructions; anything absent is empty."""

    goal: str = ""
    steps: tuple[str, ...] = ()
    person: str = ""
    callee: str = ""
    opening: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    max_amount: Decimal = Decimal(0)
    times: tuple[str, ...] = ()

    @property
    def tellable(self) -> dict[str, str]:
        """The facts without the callee's own: nobody asks for their own name."""
        return {key: value for key, value in self.facts.items() if value.lower() not in self.callee.lower()}

    @property
    def kind(self) -> str:
        return first_verb_kind(self.goal)

    @property
    def purpose(self) -> str:
        """The opening's sentence that says why we call, without the disclosure."""
        said = re.search(r"I am calling .*", self.opening)
        return said[0] if said else self.opening or self.goal


@dataclass(slots=True)
class Story:
    """The call so far. `news` is what the callee said since we last spoke."""

    said: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    news: str = ""
    answers: list[tuple[str, str]] = field(default_factory=list)
    """The person's (question, answer) pairs, oldest first."""
    fresh: list[tuple[str, str]] = field(default_factory=list)
    """Those that came since we last spoke."""
    exchanges: int = 0
    """How often we have replied to the callee (company lines while the person thinks do not count)."""
    asked: list[str] = field(default_factory=list)
    """Questions put to the person through `ask_user`."""

    @property
    def is_waiting(self) -> bool:
        """Whether the person has a question of this call before them."""
        return len(self.asked) > sum(question in self.asked for question, _ in self.answers)

    def waiting_for(self, question: str) -> bool:
        """Whether this question, or one much like it, was put to the person and is still open."""
        return any(_same(question, each) and not self.answer_to(each) for each in self.asked)

    def answer_to(self, question: str) -> str | None:
        """The person's latest answer to a question like this one."""
        return next((answer for asked, answer in reversed(self.answers) if _same(question, asked)), None)


FRAME = content(
    'They would like to know: "". What may I say? They ask dollars. They offer. Is that all right? If asked'
)


def _same(first: str, second: str) -> bool:
    one, other = content(first) - FRAME, content(second) - FRAME
    smaller, larger = sorted((one, other), key=len)
    return bool(smaller) and len(shared(smaller, larger)) >= 0.6 * len(larger)


def read_instructions(instructions: str) -> Errand:
    match = re.search(r"^ERRAND:\s*(\{.*\})\s*$", instructions, re.M)
    try:
        data: Json = json.loads(match[1]) if match else {}
    except ValueError:
        data = {}
    mandate = data.get("mandate") or {}
    callee = data.get("callee") or ""
    try:
        allowed = Decimal(str(mandate.get("max_amount") or 0))
    except InvalidOperation:
        allowed = Decimal(0)
    return Errand(
        goal=data.get("goal") or "",
        steps=tuple(data.get("steps") or ()),
        person=data.get("on_behalf_of") or "",
        callee=callee.get("name", "") if isinstance(callee, dict) else callee,
        opening=data.get("opening") or "",
        facts={key: str(value) for key, value in (data.get("facts") or {}).items()},
        max_amount=allowed,
        times=tuple(mandate.get("times") or ()),
    )


def read_story(items: str | list[Json], errand: Errand) -> Story:
    story = Story()
    for step in errand.steps:
        if known := re.match(r'If asked "(.*)", say: (.*?)\.?$', step):
            story.answers.append((known[1], known[2]))
    for item in [{"role": "user", "content": items}] if isinstance(items, str) else items:
        role, text = item.get("role"), plain(_text(item.get("content")))
        if role == "assistant" and text:
            story.said.append(text)
            story.exchanges += bool(story.news)
            story.news, story.fresh = "", []
        elif role == "user" and text:
            story.heard.append(text)
            story.news = f"{story.news} {text}".strip()
        elif role in ("developer", "system") and (found := ANSWERED.search(text)):
            pair = (found["question"], found["answer"])
            story.answers.append(pair)
            # An answer from an earlier call is known, but nobody here is waiting for it.
            if found["question"] in story.asked:
                story.fresh.append(pair)
        elif item.get("type") == "function_call" and item.get("name") == "ask_user":
            story.asked.append(_asked(item["arguments"]))
        elif item.get("type") == "function_call":
            story.news = ""  # the keys pressed or the fact noted were our reaction to it
    return story


def allowed_amount(errand: Errand, story: Story) -> Decimal:
    """How much may be agreed to now: the mandate, and what the person has answered since."""
    return limit_after(errand.max_amount, story.answers)


def _text(content_parts: object) -> str:
    if isinstance(content_parts, list):
        return " ".join(str(part.get("text", "")) for part in content_parts)
    return str(content_parts or "")


def _asked(arguments: str) -> str:
    try:
        return str(json.loads(arguments).get("question", ""))
    except (ValueError, AttributeError):
        return ""
