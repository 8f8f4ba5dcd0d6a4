"""A request in the person's words, taken apart: what kind of errand, about whom, and how its purpose is said."""

import re
from dataclasses import dataclass

from standins.openai.mind.quantities import LIMIT, whens
from standins.openai.mind.reading import ANY, PHRASES, WORDS, first_verb_kind, plain, rewritten, sentence

POLITE = re.compile(rf"^(?:{ANY['polite']}[,!]?\s+)+", re.I)
SUM = rf"(?:\$?\d[\d,.]*|(?:{ANY['figure']}[\s-]?)+)\s*{ANY['money']}?"
LIMIT_CLAUSE = re.compile(
    rf"[,;.]?\s*\b(?:{ANY['before_limit']}\s+)*{LIMIT}\s+(?:about |around )?{SUM}"
    r"(?:\s+(?:in )?(?:all|total|max))?(?=[\s,.;]|$)(?!\s*(?:people|persons|guests|days))",
    re.I,
)
CALLED = re.compile(r"(?:call|ring|phone|contact)\s+(.+?)(?:\s*,\s*(?:and )?|\s+and\s+|\s+to\s+|$)(.*)$", re.I)
PHONE = re.compile(r"\+?\d[\d\s().-]{7,}\d")
PLACE = re.compile(rf"\b(?:from|at|with)\s+({ANY['place']})")
QUESTION = rf"{ANY['question_start']}\b"
PRONOUN = rf"{ANY['pronoun']}\b"


@dataclass(frozen=True, slots=True)
class Wish:
    """A request taken apart. Nothing is guessed: what the words do not say stays empty."""

    kind: str
    """One of `phrases.toml`; `request` for anything else."""
    callee: str
    """Whom to ring, in the person's words."""
    purpose: str
    """Completes "I am calling to ...". """
    goal: str
    recipient: str = ""
    """For whom something is ordered; empty when for the person."""
    news: str = ""
    """The clause to be reported, for `report`."""


def read_request(request: str, person: str) -> Wish:
    text = rewritten(LIMIT_CLAUSE.sub("", PHONE.sub("", POLITE.sub("", plain(request).strip(" .!?")))), "trimmed")
    text, callee = plain(text).strip(" ,."), ""
    if called := CALLED.match(text):
        callee, text = called[1], POLITE.sub("", called[2]) or "speak with them"
        text = re.sub(r"^(tell|ask|let) (?:them|him|her)\b", r"\1 them", text)
    if first_verb_kind(text) == "report":
        before = rf"(?:(?!{PRONOUN}|that\b|know\b|about\b)\S+\s+)+?|(?:my|the)\s+\w+\s+"
        delegated = re.match(rf"\w+\s+({before})to\s+(.+)$", text)
        if delegated is None:
            return _report(text, callee, person)
        callee, text = callee or delegated[1].strip(), delegated[2]
    if first_verb_kind(text) == "ask" or re.match(rf"{QUESTION}|(?:do|does|is|are|can|did)\b", text, re.I):
        return _question(text, callee, person)
    return _task(text, callee, person)


def _report(text: str, callee: str, person: str) -> Wish:
    """ "Tell SOMEBODY (that) NEWS", "let SOMEBODY know NEWS", "tell SOMEBODY about SOMETHING"."""
    joint = rf"(?:know\s+)?(?P<joint>that|about|of)\s+|know\s+|(?={PRONOUN}|[A-Z]\w+ (?:is|has|will|was)\b)"
    told = re.match(rf"\w+\s+(.+?)\s+(?:{joint})(?P<news>.+)$", text, re.I)
    if told is None:
        return _task(text, callee, person)
    callee = callee or told[1]
    owner = re.match(rf"([A-Za-z]{{2,}}?)(?<!\bthi)(?<!\bhi)'?s {ANY['of_a_child']}\b", callee)
    subject = owner[1][:1].upper() + owner[1][1:] if owner else ""
    news = rewritten(rewritten(told["news"], "child", name=subject) if owner else told["news"], "person", person=person)
    absent = next((words for place, words in PHRASES["absent"].items() if place in callee.lower()), None)
    if absent and re.search(r"\b(?:sick|ill|unwell)\b", news) and not re.search(r"\b(?:not|back)\b", news):
        news += f" and will not be {absent}"
    owned = _owned(callee, person)
    if told["joint"] in ("about", "of"):
        return Wish("report", owned, f"talk about {news}", f"Tell {owned} about {news}.")
    return Wish("report", owned, f"tell you that {news}", f"Tell {owned} that {news}.", news=news)


def _question(text: str, callee: str, person: str) -> Wish:
    """ "Ask SOMEBODY QUESTION", "find out QUESTION", or the question itself."""
    verbs = r"(?:ask|find out|check|inquire|see|learn)\s*(?:with |from |at )?"
    asked = re.match(rf"{verbs}(.*?)\s*({QUESTION}.*)$", text, re.I)
    question = asked[2] if asked else text
    if asked and asked[1] not in ("", "out"):
        callee = callee or asked[1]
    owner = re.search(rf"\b((?:the|my) [a-z]+|the (?:[A-Z]\w+ ?)+?) {ANY['opens']}\b", question)
    callee = callee or _place(question) or (owner[1] if owner else "")
    question = rewritten(rewritten(_without_place(question, callee), "indirect"), "person", person=person)
    lead = "" if not asked and first_verb_kind(text) == "ask" else "ask "
    return Wish("ask", _owned(callee, person), lead + rewritten(question, "to_callee"), sentence(lead + question))


def _task(text: str, callee: str, person: str) -> Wish:
    """Something to be done: "order SOMEBODY SOMETHING", "book SOMETHING at SOME PLACE", "cancel SOMETHING"."""
    callee, recipient = callee or _place(text), ""
    task = _without_place(text, callee)
    given = re.match(rf"(order|buy|send|get|book)\s+([A-Za-z][\w-]*)\s+({ANY['quantity']}\s.+)$", task, re.I)
    if given and given[2].lower() not in ("some", "a", "an", "the", "me", "us", "up"):
        recipient, thing = given[2][0].upper() + given[2][1:], given[3]
        when = next((phrase for phrase in whens(thing) if phrase in thing.lower()), "")
        if when:
            thing = re.sub(rf"\s*\b(?:for )?{re.escape(when)}\b", "", thing, flags=re.I)
        thing, occasion = (*re.split(r" (?=for )", thing, maxsplit=1), "")[:2]
        task = " ".join(filter(None, [given[1], thing, "for", recipient, occasion, when]))
    elif match := re.search(r"\bfor (?:my (?:\w+ )?)?([A-Z]\w+)\b", task):
        recipient = match[1] if match[1].lower() not in WORDS["calendar"] else ""
    task = plain(rewritten(re.sub(r"^(\w+) (?:me|us)\b", r"\1", task), "person", person=person))
    purpose = task[:1].lower() + task[1:]
    return Wish(first_verb_kind(text), _owned(callee, person), purpose, sentence(purpose), recipient)


def _without_place(text: str, callee: str) -> str:
    """The words without "from" or "at" the one we are talking to."""
    return re.sub(rf"\s*\b(?:from|at|with)\s+{re.escape(callee)}", "", text) if callee not in ("", "them") else text


def _place(text: str) -> str:
    match = PLACE.search(text)
    return match[1] if match else ""


def _owned(callee: str, person: str) -> str:
    """The callee's name as one writes it: "mara's school" begins with a capital, "my" is the person's."""
    callee = rewritten(callee, "person", person=person)
    return callee[:1].upper() + callee[1:] if re.match(r"[a-z]+'s\b", callee) else callee
