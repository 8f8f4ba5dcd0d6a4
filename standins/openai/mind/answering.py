"""Answers to the callee's questions from what was released; what is not there is asked of the person."""

from __future__ import annotations

import re
from dataclasses import dataclass

from standins.openai.mind.brief import Errand, Story
from standins.openai.mind.hearing import says
from standins.openai.mind.quantities import numerals, said_yes, whens
from standins.openai.mind.reading import best_fact, content, key_words, names, sentence, shared, widened, words

SUGGESTION = "What would you suggest?"
"""The person stated no preference, and one is not invented."""
LATER = r"\b(?:back|return|returning|better|recover|long|next|feel|feeling|doing)\b"
"""A "when" about what comes after: never answered from the errand's own time."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Something only the person can answer."""

    question: str
    choices: tuple[str, ...] = ()


def answer(question: str, errand: Errand, story: Story) -> str | Ask:
    """What to say to one question."""
    if says(
        r"who(?:'s| is| am i| are you)\b.*(?:call|speak|this|talk|you)|who are you|your name$|on behalf|calling for",
        question,
    ):
        return f"I am an AI assistant calling for {errand.person}."
    if says(r"how are you|hear me|are you (?:still )?there", question):
        return "Yes, I can hear you." if "how" not in question else "Thank you, I am well."
    if says(r"spell", question):
        return _spelt(question, errand, story)
    known = story.answer_to(question)
    if known is not None:
        return spoken_answer(question, known)
    if says(r"\bname\b|who(?:'s| is| are)\b.*\bfor\b|recipient|for whom", question) and (
        name := _name(question, errand)
    ):
        return f"The name is {name}."
    if key := best_fact(question, errand.tellable):
        return f"It is {errand.tellable[key]}."
    return _from_errand(question, errand, story) or Ask(f'They would like to know: "{question}". What may I say?')


def spoken_answer(question: str, given: str) -> str:
    """The person's answer to a question as said to the callee."""
    given = re.sub(r"^(?:please )?(?:tell|say to) (?:them|her|him)(?: that)?\s+|^say\s+", "", given.strip(), flags=re.I)
    if re.search(
        r"\b(?:don't know|do not know|no idea|not sure|can't say|rather not|don't have|decline)\b", given, re.I
    ):
        return "I am sorry, I do not have that."
    verdict = said_yes(given)
    if verdict is not None and len(given.split()) <= 2:
        if verdict is False and says(r"\b(?:what|which|when|where|who|how)\b(?! may i)", question):
            return "I am sorry, I do not have that."
        offered = says(r"\b(?:like|want|care for)\b", question)
        return ("Yes, please." if verdict else "No, thank you.") if offered else ("Yes." if verdict else "No.")
    phrase = len(given.split()) > 5 or re.match(r"(?:some|any|a|an|the|what)", given, re.I)
    return sentence(given if phrase or whens(given) or verdict is not None else f"It is {given}")


def _name(question: str, errand: Errand) -> str | None:
    """Whose name is meant: a named fact, the one the errand is about, or the person's own."""
    if key := best_fact(question, {key: value for key, value in errand.tellable.items() if "name" in key_words(key)}):
        return errand.tellable[key]
    about = [name for name in names(errand.goal) + names(errand.purpose) if name not in errand.person]
    about = [name for name in about if not shared(words(name), words(errand.callee))]
    other = says(
        r"child|student|kid|her\b|his\b|their|daughter|son\b|pupil|recipient|patient|pet\b|dog|cat\b|who.*for"
        r"|(?:last|full) name",
        question,
    )
    if other and about:
        fitting = [value for key, value in errand.tellable.items() if "name" in key_words(key) and about[0] in value]
        if says(r"last name|full name|surname", question):
            return fitting[0] if fitting else None
        return (fitting or about)[0]
    return errand.person if not says(r"child|student|kid|pet|dog|cat|animal", question) else None


def _spelt(question: str, errand: Errand, story: Story) -> str | Ask:
    """The name last spoken, letter by letter."""
    spoken = [name for said in reversed(story.said) for name in names(said) if name not in ("AI", "Yes", "It")]
    known = [name for name in spoken if name in f"{errand.goal} {errand.person} {errand.facts}"]
    name = known[0] if known else errand.person
    if not name:
        return Ask(f'They would like to know: "{question}". What may I say?')
    return "It is spelled " + ", ".join(" ".join(part.upper()) for part in name.split()) + "."


def _from_errand(question: str, errand: Errand, story: Story) -> str | None:
    """Details that the errand itself states: how many, when, what, why."""
    purpose = re.sub(r"^I am calling (?:back about our earlier call, )?to ", "", errand.purpose).rstrip(".")
    if says(r"how many", question):
        count = re.search(r"\bfor (\d+)\b(?! (?:dollars|am|pm))", numerals(errand.goal)) or re.search(
            r"\b(\d+)\b(?! (?:am|pm|dollars))", numerals(errand.goal)
        )
        return f"For {count[1]}." if count and not whens(count[0]) else None
    about_time = says(r"\bwhen\b|what (?:time|day|date)|which (?:day|date|time)", question)
    if about_time and (later := re.search(LATER, question, re.I)):
        stated = next((whens(part) for part in re.split(r",| and ", errand.goal) if says(rf"\b{later[0]}\b", part)), [])
        return sentence(stated[0]) if stated else None
    if about_time and errand.kind not in ("report", "ask"):
        times = errand.times or tuple(whens(errand.goal))
        return sentence(times[0]) if times else None
    if about_time or says(r"how (?:is|long|old|would you like to pay)|pay|card|symptom|fever", question):
        return None
    told = next((sentence(step.removeprefix("Say that ")) for step in errand.steps if step.startswith("Say that ")), "")
    if says(r"regarding|what(?:'s| is) (?:this|it) about|purpose|(?:why|reason).*call", question):
        return told or sentence(errand.purpose)
    if told and says(r"\bwhy\b|reason|what(?:'s| is) (?:wrong|the matter)", question):
        return told
    if says(r"^what (?:would you|can i|do you|did you|are you|is your|kind|type|size|colou?r)|^which\b", question):
        asked = content(question) - {"kind", "type", "size", "color", "colour", "looking", "help", "one"}
        if not asked - {"order", "question", "know"}:
            return told or sentence(errand.purpose)
        details = content(purpose) - content(f"{errand.person} order buy book {' '.join(names(purpose))}")
        if errand.kind != "ask" and shared(asked, widened(details)) and details - shared(details, asked):
            return sentence(f"I would like to {purpose}")
        if errand.kind == "order" and SUGGESTION not in story.said:
            return SUGGESTION
    return None
