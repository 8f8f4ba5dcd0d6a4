"""The plan: from a request, what is known and what is allowed, to whom to ring and what to do there."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from standins.openai.mind.quantities import agreed_times, limit, limit_after, whens
from standins.openai.mind.reading import PHRASES, WORDS, content, related, says, sentence, shared, words
from standins.openai.mind.wording import PHONE, Wish, read_request

Json = dict[str, Any]

ROLES: dict[str, set[str]] = {kind: set(some.split()) for kind, some in PHRASES["roles"].items()}
"""Words that make a fact one for this kind of errand even when the request does not name its subject."""


def plan(brief: Json) -> Json:
    request, person, facts, answers = brief["request"], brief["person"]["name"], brief["facts"], brief["answers"]
    pairs = [(answer["question"], answer["answer"]) for answer in answers]
    wish = read_request(request, person)
    known = _own_fact(request, facts) if says(request, "question_to_floyd") else None
    callee, about = _callee(brief, wish)
    times = _times(request, wish, pairs)
    needed = _needed(wish, facts, content(request) | content(wish.recipient), about)
    missing = _missing(wish, request, [*needed, *(question for question, _ in pairs)], about, times)
    purpose = wish.purpose
    if wish.kind in ("book", "change") and times and not whens(request):
        purpose += f" {'to ' if wish.kind == 'change' else ''}{times[0]}"
    usual = PHRASES["errands"][wish.kind]
    steps = PHRASES["errands"]["request"]["steps"] if wish.kind == "report" and not wish.news else usual["steps"]
    told = [each for each in answers if each["kind"] == "fact" and not _about_time(each["question"], each["answer"])]
    again = "back about our earlier call, " if brief["earlier"] else ""
    return {
        "needs_call": known is None,
        "answer_key": known,
        "goal": wish.goal if not times or whens(wish.goal) else f"{wish.goal[:-1]} {times[0]}.",
        "done_when": usual["done_when"],
        "callee": callee,
        "facts_needed": needed,
        "facts_missing": missing if known is None else [],
        "steps": [sentence(step.format(purpose=purpose, news=wish.news)) for step in steps]
        + [f'If asked "{each["question"]}", say: {each["answer"]}.' for each in told],
        "opening": sentence(f"I am calling {again}to {purpose}"),
        "voicemail": PHRASES["says"]["voicemail"].format(person=person),
        "mandate": {
            "max_amount": f"{limit_after(limit(request) or Decimal(0), pairs):f}",
            "currency": "USD",
            "times": times,
            "promises": [],
        },
        "questions": usual["questions"],
    }


def _own_fact(request: str, facts: Iterable[Json]) -> str | None:
    """The fact that answers a question about the person's own affairs, when its key covers the question's words."""
    asked = content(request) - {"time", "day", "date"}
    holding = [(words(fact["key"]), fact) for fact in facts]
    covering = [
        (len(key), fact["key"]) for key, fact in holding if shared(asked, key + words(fact["category"])) == asked
    ]
    return min(covering)[1] if asked and covering else None


def _callee(brief: Json, wish: Wish) -> tuple[Json, set[str]]:
    """Whom to ring and where the number is from, with the words for this callee and its trade in keys of facts."""
    trades = related(words(brief["request"]))
    wanted = content(wish.callee) | content(brief["request"]) | trades
    found: list[tuple[float, Json, set[str]]] = [(0, {"number": None, "number_source": "none", "name": ""}, set())]

    def add(entity: set[str], more: str, **callee: str) -> None:
        found.append((2.0 * len(shared(entity, wanted)) + len(shared(content(more), wanted)), callee, entity))

    for fact in brief["facts"]:
        entity = set(words(fact["key"])) - WORDS["person"]
        if fact["category"] == "phone_number" and entity:
            siblings = [other for other in brief["facts"] if other is not fact and shared(entity, words(other["key"]))]
            name = next((other.get("value", "") for other in siblings if "name" in words(other["key"])), "")
            add(entity, name, name=name, number=fact.get("value") or f"{{{fact['key']}}}", number_source="fact")
    for place in brief["places"]:
        name = place["name"]
        add(content(name), place.get("notes") or "", name=name, number=place["number"], number_source="place")
    _, callee, entity = max(found, key=lambda each: each[0])
    told = [each["answer"] for each in brief["answers"] if "number" in each["question"].lower()]
    if given := next(filter(None, map(PHONE.search, [brief["request"], *told])), None):
        digits = re.sub(r"\D", "", given[0])
        country = "+" if given[0].startswith("+") or len(digits) == 11 else "+1"
        callee = callee | {"number": country + digits, "number_source": "request"}
    about = entity | trades
    return callee | {"name": callee["name"] or wish.callee or (f"the {min(about)}" if about else "")}, about


def _times(request: str, wish: Wish, answers: list[tuple[str, str]]) -> list[str]:
    """When it may take place: as asked for, or as the person answered since."""
    if wish.kind not in ("book", "change", "order", "request"):
        return []
    since = [phrase for pair in answers if _about_time(*pair) for phrase in agreed_times(*pair)]
    # "from seven to eight": what is asked for is what it is moved to.
    wanted = whens(request.rsplit(" to ", 1)[-1]) if wish.kind == "change" else []
    return since or wanted or whens(request)


def _about_time(question: str, answer: str) -> bool:
    return bool(whens(question) or (whens(answer) and shared({"time", "when", "day"}, words(question))))


def _needed(wish: Wish, facts: Iterable[Json], subject: set[str], about: set[str]) -> list[str]:
    """Keys of facts that the callee may have to be told; `subject` are the request's words, `about` the callee's."""
    roles, always = ROLES.get(wish.kind, set()), {PHRASES["asked_by_trade"].get(trade) for trade in about}
    plain_words = WORDS["details"] | roles
    needed = []
    for fact in facts:
        key = set(words(fact["key"]))
        callback = key <= WORDS["person"] and wish.kind in ("order", "book", "change")
        mine = shared(key, subject | about) | {word for word in key if related({word}) & about}
        fitting = (mine and key - mine <= plain_words) or (key & roles - {"address"} and key <= plain_words)
        if callback or (fact["category"] not in WORDS["never_told"] and (fitting or fact["key"] in always)):
            needed.append(fact["key"])
    if wish.kind == "order" and not wish.recipient and not _holds("address", needed):
        own = ("home_address", "address", "my_address")
        needed += [fact["key"] for fact in facts if fact["key"] in own][:1]
    return needed


def _missing(wish: Wish, request: str, known: list[str], about: set[str], times: list[str]) -> list[str]:
    """Keys of what such an errand cannot do without; `known` are the needed keys and the questions answered so far."""
    order, gift = wish.kind == "order", shared(WORDS["gifts"], words(request)) and not wish.recipient
    wanted = {
        "delivery_address": order and "pharmacy" not in about and not _holds("address", known),
        "recipient_name": order and gift and not _holds("recipient", known),
        "child_name": wish.kind == "report" and says(wish.news, "unnamed") and not _holds("child", known),
        "preferred_time": wish.kind in ("book", "change") and not times,
    }
    return [key for key, is_wanted in wanted.items() if is_wanted]


def _holds(word: str, keys: Iterable[str]) -> bool:
    return any(shared({word}, words(key)) for key in keys)
