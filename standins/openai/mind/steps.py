"""The plan's steps: which is next, and how it is said."""

from __future__ import annotations

import re

from standins.openai.mind import hearing
from standins.openai.mind.brief import Errand, Story
from standins.openai.mind.hearing import says
from standins.openai.mind.quantities import amounts, whens
from standins.openai.mind.reading import content, key_words, sentence, shared


def next_step(errand: Errand, story: Story) -> str | None:
    """The first step not yet taken, as a sentence; None when all are."""
    said, heard = " ".join(story.said), " ".join(story.heard)
    for step in errand.steps:
        spoken = _as_sentence(step, errand)
        if spoken is None or spoken in said or any(value in said for value in errand.facts.values() if value in spoken):
            continue
        words = content(step)
        taken = len(shared(words, content(said))) >= 0.6 * len(words)
        settled = (
            (says(r"\bcosts?\b|price", step) and amounts(heard))
            or (says(r"\bwhen\b|time", step) and whens(heard))
            or (says(r"confirm", step) and says(hearing.STRONG, heard))
        )
        if not taken and not settled:
            return spoken
    return None


def _as_sentence(step: str, errand: Errand) -> str | None:
    """A step as said to the callee; None when there is nothing to say."""
    step = step.rstrip(".")
    for pattern, spoken in (
        (r"(?:Say|Tell them|Explain) that (.+)", "{}"),
        (r"Ask them to (.+)", "Could you please {}?"),
        (r"Ask to (.+)", "I would like to {}"),
        (r"Ask for (.+)", "Could I have {}, please?"),
        (r"Ask (.+)", "Could you tell me {}?"),
    ):
        if match := re.match(pattern, step):
            return sentence(spoken.format(match[1].replace("they have", "you have")))
    if match := re.match(r"Give (?:them )?(?:the |his |her |their )?(.+)", step):
        wanted = set(key_words(match[1]))
        key = next((key for key in errand.facts if shared({"address"} & wanted or wanted, key_words(key))), None)
        return f"The {match[1]} is {errand.facts[key]}." if key else None
    return None
