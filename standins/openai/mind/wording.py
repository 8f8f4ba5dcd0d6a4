"""A request in the person's words, taken apart: what kind of errand, about whom, and how its purpose is said."""

from __future__ import annotations

import re
from dataclasses import dataclass

from standins.openai.mind.phrases import PHRASES, any_of
from standins.openai.mind.quantities import LIMIT, MONEY, whens
from standins.openai.mind.reading import CALENDAR, RELATED, alike, plain, sentence, words

POLITE = re.compile(rf"^(?:{any_of('polite')}[,!]?\s+)+", re.I)
VERBS: dict[str, str] = {
    verb: kind for kind, errand in PHRASES["errands"].items() for verb in errand.get("verbs", "").split()
}
QUESTION_START = r"(?:if|whether|when|what|how|which|who|whose|where|why|about|for)\b"
NUMBER_WORDS = (
    r"\$?\d[\d,.]*|(?:(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w{3,5}teen|\w{3,5}ty"
    r"|(?:a )?hundred|thousand|and)[\s-]?)+"
)
LIMIT_CLAUSE = re.compile(
    rf"[,;.]?\s*\b(?:(?:for|but|and|with|spend(?:ing)?|pay(?:ing)?|it should be|i can (?:pay|spend)|my|a)\s+)*{LIMIT}"
    rf"\s+(?:about |around )?(?:{NUMBER_WORDS})\s*{MONEY}?(?:\s+(?:in )?(?:all|total|max))?(?=[\s,.;]|$)"
    r"(?!\s*(?:people|persons|guests|days))",
    re.I,
)
PHONE = re.compile(r"\+?\d[\d\s().-]{7,}\d")
PRONOUN = rf"{any_of('pronoun')}\b"
OPENING_VERBS = "opens?|closes?|is|are|has|have|sells?|offers?|charges?|delivers?|does|do|can"
PLACE_PHRASE = re.compile(
    r"\b(?:from|at|with)\s+((?:the |my |our )?(?:[A-Z][\w'&-]*)(?:\s+(?:and |of |the |& )?[A-Z][\w'&-]*)*"
    r"|(?:the|my|our) (?!earliest|same|end|moment|latest)[a-z]+"
    r"(?: (?:shop|store|office|school|clinic|company|hotel|station))?)"
)


@dataclass(frozen=True, slots=True)
class Errand:
    kind: str
    """One of `VERBS`, or `request` for anything else."""
    callee: str
    """Whom to ring, in the person's words; empty when they did not say."""
    purpose: str
    """Completes "I am calling to ...". """
    goal: str
    recipient: str
    """For whom something is ordered; empty when for the person or unknown."""
    news: str
    """The clause to be reported, for `report`."""


def first_verb_kind(text: str) -> str:
    """The kind of errand a goal or task names with its first verb."""
    return VERBS.get(next(iter(words(text)), ""), "request")


def without_limit(text: str) -> str:
    return LIMIT_CLAUSE.sub("", text)


def as_assistant(text: str, person: str) -> str:
    """The person's words with the person named instead of "I" and "my"."""
    for pattern, replacement in (
        (r"\bI'm\b|\bI am\b", f"{person} is"),
        (r"\bI've\b|\bI have\b", f"{person} has"),
        (r"\bI'll\b", f"{person} will"),
        (r"\bI (need|want)\b", rf"{person} \1s"),
        (r"\bI\b|\bme\b|\bmyself\b", person),
        (r"\bmy\b", f"{person}'s"),
        (r"\bmine\b", f"{person}'s"),
    ):
        text = re.sub(pattern, replacement, text, flags=re.I)
    return text


def to_callee(clause: str) -> str:
    """A clause about the callee said to the callee: "if they have" becomes "if you have"."""
    clause = re.sub(r"\bthey're\b", "you are", clause)
    clause = re.sub(r"\bthey\b|\bthem\b", "you", clause)
    return re.sub(r"\btheirs?\b", "your", clause)


def read_errand(request: str, person: str) -> Errand:
    """Take a request apart. Nothing is guessed: what the words do not say stays empty."""
    text = without_limit(PHONE.sub("", POLITE.sub("", plain(request).strip(" .!?"))))
    text = re.sub(r"\s+(?:at|on)\s*(?=[,.]|$|and\b|to\b)", " ", text)
    text = re.sub(r"[, ]+(?:please|thanks|thank you)\b[.!]?", "", plain(text)).strip(" ,.")
    text = re.sub(r"^(?:call|ring|phone|contact)\s*,?\s*(?:and|to)\s+", "", text, flags=re.I)
    callee = ""
    called = re.match(r"(?:call|ring|phone|contact)\s+(.+?)(?:\s*,\s*(?:and )?|\s+and\s+|\s+to\s+|$)(.*)$", text, re.I)
    if called:
        callee, text = called[1], POLITE.sub("", called[2]) or "speak with them"
        text = re.sub(r"^(tell|ask|let) (?:them|him|her)\b", r"\1 them", text)
    if first_verb_kind(text) == "report":
        before = rf"(?:(?!{PRONOUN}|that\b|know\b|about\b)\S+\s+)+?|(?:my|the)\s+\w+\s+"
        delegated = re.match(rf"\w+\s+({before})to\s+(.+)$", text)
        if delegated is None:
            return _report(text, callee, person)
        callee, text = callee or delegated[1].strip(), delegated[2]
    if first_verb_kind(text) == "ask" or re.match(QUESTION_START + r"|(?:do|does|is|are|can|did)\b", text, re.I):
        return _question(text, callee, person)
    return _task(text, callee, person)


def _report(text: str, callee: str, person: str) -> Errand:
    """ "Tell SOMEBODY (that) NEWS", "let SOMEBODY know NEWS", "tell SOMEBODY about SOMETHING"."""
    joint = rf"(?:know\s+)?(?P<joint>that|about|of)\s+|know\s+|(?={PRONOUN}|[A-Z]\w+ (?:is|has|will|was)\b)"
    told = re.match(rf"\w+\s+(.+?)\s+(?:{joint})(?P<news>.+)$", text, re.I)
    if told is None:
        return _task(text, callee, person)
    callee = callee or told[1]
    news, owned = _resolved(told["news"], callee, person), _owned(callee, person)
    if told["joint"] in ("about", "of"):
        return Errand("report", owned, f"talk about {news}", f"Tell {owned} about {news}.", "", "")
    return Errand("report", owned, f"tell you that {news}", f"Tell {owned} that {news}.", "", news)


def _question(text: str, callee: str, person: str) -> Errand:
    """ "Ask SOMEBODY QUESTION", "find out QUESTION", or the question itself."""
    verbs = r"(?:ask|find out|check|inquire|see|learn)\s*(?:with |from |at )?"
    asked = re.match(rf"{verbs}(.*?)\s*({QUESTION_START}.*)$", text, re.I)
    question = asked[2] if asked else text
    if asked and asked[1] not in ("", "out"):
        callee = callee or asked[1]
    owner = re.search(rf"\b((?:the|my) [a-z]+|the (?:[A-Z]\w+ ?)+?) (?:{OPENING_VERBS})\b", question)
    callee = callee or _place(question) or (owner[1] if owner else "")
    question = as_assistant(_indirect(_without_place(question, callee)), person)
    lead = "" if not asked and first_verb_kind(text) == "ask" else "ask "
    return Errand("ask", _owned(callee, person), lead + to_callee(question), sentence(lead + question), "", "")


def _task(text: str, callee: str, person: str) -> Errand:
    """Something to be done: "order SOMEBODY SOMETHING", "book SOMETHING at SOME PLACE", "cancel SOMETHING"."""
    callee, recipient = callee or _place(text), ""
    task = _without_place(text, callee)
    things = r"(?:some|a|an|the|two|three|\d+)\s.+"
    given = re.match(rf"(order|buy|send|get|book)\s+([A-Za-z][\w-]*)\s+({things})$", task, re.I)
    if given and given[2].lower() not in ("some", "a", "an", "the", "me", "us", "up"):
        recipient, thing = given[2][0].upper() + given[2][1:], given[3]
        when = next((phrase for phrase in whens(thing) if phrase in thing.lower()), "")
        if when:
            thing = re.sub(rf"\s*\b(?:for )?{re.escape(when)}\b", "", thing, flags=re.I)
        thing, occasion = (*re.split(r" (?=for )", thing, maxsplit=1), "")[:2]
        task = " ".join(filter(None, [given[1], thing, "for", recipient, occasion, when]))
    elif match := re.search(r"\bfor (?:my (?:\w+ )?)?([A-Z]\w+)\b", task):
        recipient = match[1] if match[1].lower() not in CALENDAR else ""
    task = as_assistant(re.sub(r"^(\w+) (?:me|us)\b", r"\1", task), person)
    purpose = plain(task[:1].lower() + task[1:])
    return Errand(first_verb_kind(text), _owned(callee, person), purpose, sentence(purpose), recipient, "")


def trades(request: str) -> set[str]:
    """The kinds of business that such an errand goes to."""
    return {trade for word in words(request) for key, found in RELATED.items() if alike(word, key) for trade in found}


def _without_place(text: str, callee: str) -> str:
    """The words without "from" or "at" the one we are talking to."""
    return re.sub(rf"\s*\b(?:from|at|with)\s+{re.escape(callee)}", "", text) if callee not in ("", "them") else text


def _place(text: str) -> str:
    match = PLACE_PHRASE.search(text)
    return match[1] if match else ""


def _owned(callee: str, person: str) -> str:
    """The callee's name as one writes it: "mara's school" begins with a capital, "my" is the person's."""
    callee = as_assistant(callee, person)
    return callee[:1].upper() + callee[1:] if re.match(r"[a-z]+'s\b", callee) else callee


def _resolved(news: str, callee: str, person: str) -> str:
    """The news with "she" replaced by whose school it is, and the person named."""
    owner = re.match(r"([A-Za-z]{2,}?)'?s (?:school|daycare|teacher|class|coach|kindergarten|nursery)\b", callee)
    if owner and owner[1].lower() not in ("hi", "thi"):
        name = owner[1][:1].upper() + owner[1][1:]
        news = re.sub(r"^(?:she's|he's)\b", f"{name} is", news, flags=re.I)
        news = re.sub(r"^(?:she'll|he'll|they'll)\b", f"{name} will", news, flags=re.I)
        news = re.sub(r"^(?:she|he|they)\b", name, news, flags=re.I)
    news = as_assistant(news, person)
    away = {
        "school": "in school",
        "elementary": "in school",
        "work": "at work",
        "class": "in class",
        "daycare": "in daycare",
    }
    absent = next((words for place, words in away.items() if place in callee.lower()), None)
    if absent and re.search(r"\b(?:sick|ill|unwell)\b", news) and not re.search(r"\b(?:not|back)\b", news):
        news += f" and will not be {absent}"
    return news


def _indirect(question: str) -> str:
    """A direct question as it follows "ask": "what time does it open" becomes "what time it opens"."""
    question = re.sub(r"^(?:do|did) (?=\w)", "whether ", question, flags=re.I)
    question = re.sub(r"^(is|are|can) (the \w+|\w+) ", r"whether \2 \1 ", question, flags=re.I)
    asked = r"(?:when|where|why|what(?: time| day)?|how (?:much|many|long|far|old)(?: \w+)?|how|which \w+)"
    question = re.sub(rf"^({asked}) does ((?:the |my )?[\w']+(?: [A-Z]\w+)*) (\w+)", r"\1 \2 \3s", question, flags=re.I)
    question = re.sub(rf"^({asked}) do (?=\w)", r"\1 ", question, flags=re.I)
    return re.sub(rf"^({asked}) (is|are) (.+)$", r"\1 \3 \2", question, flags=re.I)
