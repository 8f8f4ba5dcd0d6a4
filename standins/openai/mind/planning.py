"""The plan: from a request, what is known and what is allowed, to whom to ring and what to do there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from standins.openai.mind.phrases import PHRASES, words_of
from standins.openai.mind.quantities import limit, limit_after, said_yes, whens
from standins.openai.mind.reading import PERSON_WORDS, content, key_words, sentence, shared, widened, words
from standins.openai.mind.wording import PHONE, Errand, read_errand, trades

Json = dict[str, Any]

DETAILS = words_of("details")
"""Words of a key that say which detail a fact is; a callee may ask for the errand's subject with these."""
ROLES = {"report": {"child", "student"}, "order": {"recipient", "delivery", "address", "street", "city", "zip"}}
"""Words that make a fact one for this kind of errand even when the request does not name its subject."""
# What a callee of this trade always asks for, whatever the errand is about.
ASKED_BY_TRADE = {
    "pharmacy": "date_of_birth",
    "dentist": "date_of_birth",
    "clinic": "date_of_birth",
    "gym": "membership_number",
}
NEVER_TOLD = frozenset({"payment", "phone_number", "health", "secret", "credential", "password"})


def plan(brief: Json) -> Json:
    person, facts, answers = brief["person"]["name"], brief["facts"], brief["answers"]
    pairs = [(answer["question"], answer["answer"]) for answer in answers]
    errand = read_errand(brief["request"], person)
    known = None if _wants_call(brief["request"]) else _own_fact(brief["request"], facts)
    callee, entity = _callee(brief, errand)
    about = trades(brief["request"]) | entity
    times = _times(brief["request"], errand, pairs)
    purpose = _with_time(errand, times, brief["request"])
    subject = content(brief["request"]) | content(errand.recipient)
    needed = _needed(errand, facts, subject, about)
    missing = _missing(errand, brief["request"], [*needed, *(question for question, _ in pairs)], about, times)
    usual = PHRASES["errands"][errand.kind]
    template = PHRASES["errands"]["request"] if errand.kind == "report" and not errand.news else usual
    steps = [sentence(step.format(purpose=purpose, news=errand.news)) for step in template["steps"]]
    told = [
        answer
        for answer in answers
        if answer["kind"] == "fact" and not _about_time(answer["question"], answer["answer"])
    ]
    steps += [f'If asked "{answer["question"]}", say: {answer["answer"]}.' for answer in told]
    lead = "I am calling back about our earlier call, to" if brief["earlier"] else "I am calling to"
    allowed = limit_after(limit(brief["request"]) or Decimal(0), pairs)
    return {
        "needs_call": known is None,
        "answer_key": known,
        "goal": errand.goal if not times or whens(errand.goal) else f"{errand.goal[:-1]} {times[0]}.",
        "done_when": usual["done_when"],
        "callee": callee,
        "facts_needed": needed,
        "facts_missing": missing if known is None else [],
        "steps": steps,
        "opening": sentence(f"{lead} {purpose}"),
        "voicemail": f"This is an AI assistant calling for {person}. Please call back when you can. Thank you.",
        "mandate": {"max_amount": f"{allowed:f}", "currency": "USD", "times": times, "promises": []},
        "questions": usual["questions"],
    }


def _wants_call(request: str) -> bool:
    return re.match(r"\W*(?:when|what|where|who|which|how|do|does|is|are|am|did)\b", request, re.I) is None


def _own_fact(request: str, facts: Iterable[Json]) -> str | None:
    """The fact that answers a question about the person's own affairs, when its key covers the question's words."""
    asked = content(request) - {"time", "day", "date"}
    covering = [
        (len(key_words(fact["key"])), fact["key"])
        for fact in facts
        if asked and shared(asked, [*key_words(fact["key"]), *words(fact["category"])]) == asked
    ]
    return min(covering)[1] if covering else None


def _callee(brief: Json, errand: Errand) -> tuple[Json, set[str]]:
    """Whom to ring and where the number is from, with the words that name this callee in the keys of facts."""
    wanted = content(errand.callee) | content(brief["request"]) | trades(brief["request"])
    nobody: Json = {"number": None, "number_source": "none", "name": ""}
    found: list[tuple[float, Json, set[str]]] = [(0, nobody, set())]
    for fact in brief["facts"]:
        entity = set(key_words(fact["key"])) - PERSON_WORDS
        if fact["category"] != "phone_number" or not entity:
            continue
        siblings = [other for other in brief["facts"] if other is not fact and shared(entity, key_words(other["key"]))]
        name = next((s.get("value", "") for s in siblings if "name" in key_words(s["key"])), "")
        score = 2.0 * len(shared(entity, wanted)) + len(shared(content(name), wanted))
        number = fact.get("value") or f"{{{fact['key']}}}"
        found.append((score, {"number": number, "number_source": "fact", "name": name}, entity))
    for place in brief["places"]:
        entity, notes = content(place["name"]), content(place.get("notes") or "")
        score = 2.0 * len(shared(entity, wanted)) + len(shared(notes, wanted))
        found.append((score, {"number": place["number"], "number_source": "place", "name": place["name"]}, entity))
    _, callee, entity = max(found, key=lambda each: each[0])
    told = [each["answer"] for each in brief["answers"] if "number" in each["question"].lower()]
    if given := next(filter(None, map(PHONE.search, [brief["request"], *told])), None):
        callee = callee | {"number": _e164(given[0]), "number_source": "request"}
    trade = sorted(entity | trades(brief["request"]))
    return callee | {"name": callee["name"] or errand.callee or (f"the {trade[0]}" if trade else "")}, entity


def _e164(number: str) -> str:
    digits = re.sub(r"\D", "", number)
    return f"+{digits}" if number.startswith("+") or len(digits) == 11 else f"+1{digits}"


def _times(request: str, errand: Errand, answers: list[tuple[str, str]]) -> list[str]:
    """When it may take place: as asked for, or as the person answered since."""
    if errand.kind not in ("book", "change", "order", "request"):
        return []
    since = [
        phrase for question, answer in answers if _about_time(question, answer) for phrase in _agreed(question, answer)
    ]
    # "from seven to eight": what is asked for is what it is moved to.
    wanted = whens(request.rsplit(" to ", 1)[-1]) if errand.kind == "change" else []
    return since or wanted or whens(request)


def _about_time(question: str, answer: str) -> bool:
    return bool(whens(question) or (whens(answer) and shared({"time", "when", "day"}, words(question))))


def _agreed(question: str, answer: str) -> list[str]:
    return whens(answer) or (whens(question) if said_yes(answer) else [])


def _with_time(errand: Errand, times: list[str], request: str) -> str:
    if errand.kind not in ("book", "change") or not times or whens(request):
        return errand.purpose
    return f"{errand.purpose} {'to ' if errand.kind == 'change' else ''}{times[0]}"


def _needed(errand: Errand, facts: Iterable[Json], subject: set[str], about: set[str]) -> list[str]:
    """Keys of facts that the callee may have to be told; `subject` are the request's words, `about` the callee's."""
    usual = ROLES.get(errand.kind, set())
    asked_by_trade = {key for trade, key in ASKED_BY_TRADE.items() if trade in about}
    needed = []
    for fact in facts:
        parts = set(key_words(fact["key"]))
        callback = parts <= PERSON_WORDS and errand.kind in ("order", "book", "change")
        if fact["category"] in NEVER_TOLD and not callback:
            continue
        mine = shared(parts, subject | about) | {word for word in parts if widened({word}) & about}
        told = mine and parts - mine <= DETAILS | usual
        role = parts & usual - {"address"} and parts <= DETAILS | usual
        if callback or told or role or fact["key"] in asked_by_trade:
            needed.append(fact["key"])
    deliverable = errand.kind == "order" and not errand.recipient and not _holds("address", needed)
    own = [fact["key"] for fact in facts if fact["key"] in ("home_address", "address", "my_address")]
    return needed + (own[:1] if deliverable else [])


def _missing(errand: Errand, request: str, known: list[str], about: set[str], times: list[str]) -> list[str]:
    """Keys of what such an errand cannot do without; `known` are the needed keys and the questions answered so far."""
    gift = shared({"flowers", "bouquet", "roses", "gift"}, words(request)) and not errand.recipient
    unnamed = re.match(r"(?:my|our|the) (?:child|kid|son|daughter)\b|(?:she|he)\b", errand.news)
    return [
        key
        for key, wanted in (
            ("delivery_address", errand.kind == "order" and "pharmacy" not in about and not _holds("address", known)),
            ("recipient_name", errand.kind == "order" and gift and not _holds("recipient", known)),
            ("child_name", errand.kind == "report" and unnamed and not _holds("child", known)),
            ("preferred_time", errand.kind in ("book", "change") and not times),
        )
        if wanted
    ]


def _holds(word: str, keys: Iterable[str]) -> bool:
    return any(shared({word}, key_words(key)) for key in keys)
