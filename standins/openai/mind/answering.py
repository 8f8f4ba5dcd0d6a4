"""Answers to the callee's questions from what was released; what is not there is asked of the person."""

import json
import re

from standins.openai.events import Reply, ToolCall
from standins.openai.mind.brief import Errand, Story
from standins.openai.mind.quantities import amounts, said_yes, whens
from standins.openai.mind.reading import (
    PHRASES,
    best_fact,
    content,
    names,
    numerals,
    related,
    rewritten,
    says,
    sentence,
    shared,
    words,
)

SAYS: dict[str, str] = PHRASES["says"]


def call(tool: str, **arguments: object) -> ToolCall:
    return ToolCall(tool, json.dumps(arguments))


def ask_person(question: str, story: Story, *choices: str) -> Reply:
    """Keep the callee company and ask the person, once."""
    if story.waiting_for(question):
        return Reply(SAYS["still_checking"])
    return Reply(SAYS["checking"], (call("ask_user", question=question, choices=choices),))


def answer(question: str, errand: Errand, story: Story) -> Reply:
    """What to say to one question."""
    if says(question, "spell"):
        spoken = [name for said in reversed(story.said) for name in names(said) if name not in ("AI", "Yes", "It")]
        known = [name for name in spoken if name in f"{errand.goal} {errand.on_behalf_of} {errand.facts}"]
        letters = [" ".join(part.upper()) for part in [*known, errand.on_behalf_of][0].split()]
        said: str | None = f"It is spelled {', '.join(letters)}." if letters else None
    else:
        said = _said_of_oneself(question, errand) or _known(question, errand, story) or _stated(question, errand, story)
    return Reply(said) if said else ask_person(f'They would like to know: "{question}". What may I say?', story)


def spoken_answer(question: str, given: str) -> str:
    """The person's answer to a question as said to the callee."""
    given, verdict = rewritten(given.strip(), "answer"), said_yes(given)
    short = verdict is not None and len(given.split()) <= 2
    if says(given, "unknown") or (short and verdict is False and says(question, "open_question")):
        return SAYS["unknown"]
    if short:
        offered = says(question, "offered")
        return ("Yes, please." if verdict else "No, thank you.") if offered else ("Yes." if verdict else "No.")
    phrase = len(given.split()) > 5 or re.match(r"(?:some|any|a|an|the|what)", given, re.I)
    return sentence(given if phrase or whens(given) or verdict is not None else f"It is {given}")


def next_step(errand: Errand, story: Story) -> str | None:
    """The first step of the plan not yet taken, as a sentence; None when all are."""
    said, heard = " ".join(story.said), " ".join(story.heard)
    for step in errand.steps:
        spoken = _as_sentence(step.rstrip("."), errand)
        if spoken is None or spoken in said or any(value in said for value in errand.facts.values() if value in spoken):
            continue
        meant = content(step)
        taken = len(shared(meant, content(said))) >= 0.6 * len(meant)
        settled = (
            (says(step, "step_price") and amounts(heard))
            or (says(step, "step_time") and whens(heard))
            or (says(step, "step_confirm") and says(heard, "strong"))
        )
        if not taken and not settled:
            return spoken
    return None


def _as_sentence(step: str, errand: Errand) -> str | None:
    """A step as said to the callee; None when there is nothing to say."""
    if given := re.match(r"Give (?:them )?(?:the |his |her |their )?(.+)", step):
        wanted = set(words(given[1]))
        key = next((key for key in errand.facts if shared({"address"} & wanted or wanted, words(key))), None)
        return f"The {given[1]} is {errand.facts[key]}." if key else None
    spoken = rewritten(step, "step")
    return sentence(spoken) if spoken != step else None


def _said_of_oneself(question: str, errand: Errand) -> str | None:
    said = next((name for name in ("who_calls", "how_are_you", "are_you_there") if says(question, name)), None)
    return SAYS[said].format(person=errand.on_behalf_of) if said else None


def _known(question: str, errand: Errand, story: Story) -> str | None:
    """What the person has answered, or released."""
    answered = story.answer_to(question)
    if answered is not None:
        return spoken_answer(question, answered)
    if says(question, "name_asked") and (name := _name(question, errand)):
        return f"The name is {name}."
    key = best_fact(question, errand.tellable)
    return f"It is {errand.tellable[key]}." if key else None


def _name(question: str, errand: Errand) -> str | None:
    """Whose name is meant: a named fact, the one the errand is about, or the person's own."""
    named = {key: value for key, value in errand.tellable.items() if "name" in words(key)}
    if key := best_fact(question, named):
        return named[key]
    about = [name for name in names(errand.goal) + names(errand.purpose) if name not in errand.on_behalf_of]
    about = [name for name in about if not shared(words(name), words(errand.callee))]
    if about and says(question, "name_of_other"):
        fitting = [value for value in named.values() if about[0] in value]
        return next(iter(fitting), None if says(question, "full_name") else about[0])
    return errand.on_behalf_of if not says(question, "name_of_ward") else None


def _stated(question: str, errand: Errand, story: Story) -> str | None:
    """Details that the errand itself states: how many, when, what, why."""
    goal = numerals(errand.goal)
    if says(question, "how_many"):
        counts = (re.search(pattern, goal) for pattern in PHRASES["counts"])
        count = next(filter(None, counts), None)
        return f"For {count[1]}." if count and not whens(count[0]) else None
    about_time = says(question, "when_asked")
    if about_time and (later := re.search(PHRASES["later"], question, re.I)):
        # A "when" about what comes after is never answered from the errand's own time.
        parts = re.split(r",| and ", errand.goal)
        times = next((whens(part) for part in parts if re.search(rf"\b{later[0]}\b", part, re.I)), [])
    elif about_time and errand.kind not in ("report", "ask"):
        times = errand.mandate.times or whens(errand.goal)
    elif about_time or says(question, "never_stated"):
        times = []
    else:
        return _purpose(question, errand, story)
    return sentence(times[0]) if times else None


def _purpose(question: str, errand: Errand, story: Story) -> str | None:
    told = next((sentence(step.removeprefix("Say that ")) for step in errand.steps if step.startswith("Say that ")), "")
    if says(question, "what_about"):
        return told or sentence(errand.purpose)
    if told and says(question, "why"):
        return told
    if not says(question, "what_exactly"):
        return None
    purpose = rewritten(errand.purpose, "purpose").rstrip(".")
    asked = content(question) - {"kind", "type", "size", "color", "colour", "looking", "help", "one"}
    if not asked - {"order", "question", "know"}:
        return told or sentence(errand.purpose)
    details = content(purpose) - content(f"{errand.on_behalf_of} order buy book {' '.join(names(purpose))}")
    if errand.kind != "ask" and shared(asked, details | related(details)) and details - shared(details, asked):
        return sentence(f"I would like to {purpose}")
    # The person stated no preference, and one is not invented.
    return SAYS["suggestion"] if errand.kind == "order" and SAYS["suggestion"] not in story.said else None
