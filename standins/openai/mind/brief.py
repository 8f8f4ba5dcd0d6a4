"""What the mind is sent for one reply in a call: the errand in the instructions, and the story so far in the input."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

from pydantic import BaseModel, ValidationError

from standins.openai.mind.quantities import limit_after
from standins.openai.mind.reading import WORDS, content, first_verb_kind, plain, shared
from standins.openai.protocol import AssistantMessage, FunctionCall, Item, Message, said

ANSWERED = re.compile(r'person answered "(.*)" to "(.*)"', re.S)


class Mandate(BaseModel):
    max_amount: Decimal = Decimal(0)
    times: list[str] = []


class Errand(BaseModel):
    """The `ERRAND:` line of the instructions; anything absent is empty."""

    goal: str = ""
    steps: list[str] = []
    on_behalf_of: str = ""
    callee: str = ""
    opening: str = ""
    facts: dict[str, str] = {}
    mandate: Mandate = Mandate()

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


def read_instructions(instructions: str) -> Errand:
    match = re.search(r"^ERRAND:\s*(\{.*\})\s*$", instructions, re.M)
    try:
        return Errand.model_validate_json(match[1]) if match else Errand()
    except ValidationError:
        return Errand()


@dataclass(slots=True)
class Story:
    """The call so far."""

    said: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    news: str = ""
    """What the callee said since we last spoke."""
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


def read_story(items: Iterable[Item], errand: Errand) -> Story:
    known = (re.match(r'If asked "(.*)", say: (.*?)\.?$', step) for step in errand.steps)
    story = Story(answers=[(step[1], step[2]) for step in known if step])
    for item in items:
        match item:
            case AssistantMessage() if text := plain(said(item)):
                story.said.append(text)
                story.exchanges += bool(story.news)
                story.news, story.fresh = "", []
            case Message(role="user") if text := plain(said(item)):
                story.heard.append(text)
                story.news = f"{story.news} {text}".strip()
            case Message(role="developer" | "system") if found := ANSWERED.search(plain(said(item))):
                story.answers.append((found[2], found[1]))
                # An answer from an earlier call is known, but nobody here is waiting for it.
                if found[2] in story.asked:
                    story.fresh.append((found[2], found[1]))
            case FunctionCall(name="ask_user"):
                with suppress(ValueError, KeyError, TypeError):
                    story.asked.append(str(json.loads(item.arguments)["question"]))
            case FunctionCall():
                story.news = ""  # the keys pressed or the fact noted were our reaction to it
    return story


def allowed_amount(errand: Errand, story: Story) -> Decimal:
    """How much may be agreed to now: the mandate, and what the person has answered since."""
    return limit_after(errand.mandate.max_amount, story.answers)


def _same(first: str, second: str) -> bool:
    smaller, larger = sorted((content(first) - WORDS["frame"], content(second) - WORDS["frame"]), key=len)
    return bool(smaller) and len(shared(smaller, larger)) >= 0.6 * len(larger)
