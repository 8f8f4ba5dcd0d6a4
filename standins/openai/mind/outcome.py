"""The outcome of a call, from its turns alone: a category, what was learnt and in which turn, what is left to do."""

import re
from collections.abc import Iterable
from typing import Any

from standins.openai.mind.quantities import amounts, reference, whens
from standins.openai.mind.reading import (
    ANY,
    PHRASES,
    content,
    first_verb_kind,
    informs,
    numerals,
    questions,
    says,
    sentence,
)

Json = dict[str, Any]


def outcome(report: Json) -> Json:
    turns: list[Json] = report["turns"]
    # What came before we said why we called confirms nothing.
    start = next((turn["n"] for turn in turns if turn["speaker"] == "floyd"), 0)
    replies = [turn for turn in turns if turn["speaker"] == "callee" and turn["n"] > start]
    kind = first_verb_kind(report["goal"])
    category, proof = _category(report, kind, turns, replies)
    priced = _last(turn for turn in replies if amounts(turn["text"]))
    claimed = proof + [turn for turn in priced if turn not in proof]
    told = PHRASES["told"].get(category, category.replace("_", " ").capitalize())
    if category == "unconfirmed" and not turns:
        told = "The call did not take place"
    return {
        "category": category,
        "summary": " ".join([f"{told}: {report['goal']}", *map(_quoted, proof[-1:])]),
        "claims": [{"text": _quoted(turn), "turns": [turn["n"]]} for turn in claimed],
        "tasks": [task for turn in replies if (task := _task(turn, kind, category))],
        "facts": [fact for turn in replies if (fact := _fact(turn, kind == "ask" and turn in proof))],
    }


def _category(report: Json, kind: str, turns: list[Json], replies: list[Json]) -> tuple[str, list[Json]]:
    """The category and the callee's turns that prove it."""
    ended = report["end_reason"].lower()
    for phrase, category in (("stop_calling", "do_not_call"), ("wrong_number", "wrong_number")):
        if found := _saying(replies, phrase):
            return category, _last(found)
    ours = [turn for turn in turns if turn["speaker"] == "floyd"]
    if "voicemail" in ended:
        left = ours and "no" not in re.split(r"\W|_", ended)
        return ("voicemail_left" if left else "voicemail_no_message"), []
    refused, asking = _saying(replies, "refusal"), [turn for turn in replies if questions(turn["text"])]
    confirmed = [turn for turn in _saying(replies, "strong") if turn not in refused]
    if kind == "report" and not confirmed:
        confirmed = _last(_saying(replies, "weak"))
    if not confirmed:
        asked = {turn["n"] + 1 for turn in _saying(ours, "please_confirm")}
        confirmed = [turn for turn in _saying(replies, "confirms") if turn["n"] in asked]
    if kind == "ask":
        confirmed = [turn for turn in replies if informs(turn["text"], content(report["goal"]))]
    stopped = next((category for category, why in PHRASES["reasons"].items() if re.search(why, ended)), None)
    if stopped in ("needs_answer", "needs_approval"):
        return stopped, _last(turn for turn in replies if turn in asking or amounts(turn["text"]))
    promised = _saying(replies, "call_back")
    if promised and (kind == "ask" or not confirmed):
        return "call_back_promised", _last(promised)
    if confirmed and stopped not in ("declined_by_callee", "refused_by_policy"):
        return "done", confirmed[-2:]
    if closed := _saying(replies, "closed"):
        return "closed", _last(closed)
    if stopped == "declined_by_callee":
        return stopped, _last(turn for turn in replies if turn in refused or amounts(turn["text"]))
    if stopped:
        return stopped, []
    if refused:
        return "declined_by_callee", _last(refused)
    if not turns:
        return "no_answer", []
    return ("needs_answer", _last(asking)) if _saying(_last(ours), "checking") else ("unconfirmed", [])


def _saying(turns: Iterable[Json], phrase: str) -> list[Json]:
    return [turn for turn in turns if says(turn["text"], phrase)]


def _quoted(turn: Json) -> str:
    return f'They said: "{turn["text"].strip()}"'


def _last(turns: Iterable[Json]) -> list[Json]:
    return list(turns)[-1:]


def _task(turn: Json, kind: str, category: str) -> Json | None:
    """What a turn leaves to be done, or waited for."""
    said, due = turn["text"], next(iter(whens(turn["text"])), None)
    promise, delivery = re.search(rf"\b{ANY['promise']}\b[^.?!]*", said, re.I), says(said, "delivery")
    if asked := re.search(rf"\b{ANY['request']} ({ANY['duty']}\b.*)", said, re.I):
        title, task = sentence(asked[1]), "follow_up"
    elif promise and (due or says(said, "call_back")) and not delivery:
        title, task = f'They said: "{promise[0].strip()}"', "promise"
    elif due and (delivery or (kind in ("book", "change") and category == "done" and says(said, "strong"))):
        title, task = f'"{said.strip()}"', "appointment"
    else:
        return None
    return {"title": title, "due": due, "kind": task, "turn": turn["n"]}


def _fact(turn: Json, was_asked_for: bool) -> Json | None:
    """What is worth remembering of a turn: a reference number, or the information that was asked for."""
    about = next((key for key in ("opening_hours", "price", "phone_number") if says(numerals(turn["text"]), key)), None)
    given = reference(turn["text"]) or ((about, turn["text"].strip()) if was_asked_for and about else None)
    return {"key": given[0], "value": given[1], "turn": turn["n"]} if given else None
