"""The outcome of a call, from its turns alone: a category, what was learnt and in which turn, what is left to do."""

from __future__ import annotations

import re
from typing import Any

from standins.openai.mind import hearing
from standins.openai.mind.hearing import says
from standins.openai.mind.phrases import PHRASES
from standins.openai.mind.quantities import amounts, numerals, reference, whens
from standins.openai.mind.reading import content, sentence
from standins.openai.mind.wording import first_verb_kind

Json = dict[str, Any]

PROMISE = r"\b(?:i|we|he|she|they|someone|somebody)(?:'ll| will| are going to| is going to)\b"
CALL_BACK = r"(?:call|ring|phone) you (?:back|again|later|tomorrow|when|as soon|on|this|in)\b|get back to you"
PLEASE = (
    r"\b(?:please|you need to|you have to|don't forget to|make sure (?:to|you)|remember to|you should)"
    r" ((?:bring|send|call|pay|pick|come|arrive|email|fill)\b.*)"
)
INFORMATION = (
    ("opening_hours", r"\b(?:open|opens|close|closes|hours)\b"),
    ("price", r"\bdollars|\$|\bcosts?\b"),
    ("phone_number", r"\bnumber is\b"),
)


def outcome(report: Json) -> Json:
    turns: list[Json] = report["turns"]
    callee = [turn for turn in turns if turn["speaker"] == "callee"]
    # What came before we said why we called confirms nothing.
    start = next((turn["n"] for turn in turns if turn["speaker"] == "floyd"), 0)
    replies = [turn for turn in callee if turn["n"] > start]
    kind = first_verb_kind(report["goal"])
    category, proof = _category(report, kind, turns, replies)
    claims = [_claim(turn) for turn in proof]
    priced = [turn for turn in replies if amounts(turn["text"])]
    if priced and priced[-1] not in proof:
        claims.append(_claim(priced[-1]))
    return {
        "category": category,
        "summary": _summary(category, report["goal"], proof, turns),
        "claims": claims,
        "tasks": _tasks(kind, category, replies),
        "facts": _facts(kind, proof, replies),
    }


def _category(report: Json, kind: str, turns: list[Json], replies: list[Json]) -> tuple[str, list[Json]]:
    """The category and the callee's turns that prove it."""
    ended = report["end_reason"].lower()
    for pattern, category in ((hearing.STOP_CALLING, "do_not_call"), (hearing.WRONG_NUMBER, "wrong_number")):
        if found := [turn for turn in replies if says(pattern, turn["text"])]:
            return category, found[-1:]
    if "voicemail" in ended:
        left = any(turn["speaker"] == "floyd" for turn in turns) and "no" not in re.split(r"\W|_", ended)
        return ("voicemail_left" if left else "voicemail_no_message"), []
    promised = [turn for turn in replies if says(CALL_BACK, turn["text"])]
    confirmed = [
        turn for turn in replies if says(hearing.STRONG, turn["text"]) and not says(hearing.REFUSAL, turn["text"])
    ]
    if kind == "report" and not confirmed:
        confirmed = [turn for turn in replies if says(hearing.WEAK, turn["text"])][-1:]
    if not confirmed:
        asked = {
            turn["n"] + 1
            for turn in turns
            if turn["speaker"] == "floyd" and says("could you please confirm", turn["text"])
        }
        confirmed = [
            turn
            for turn in replies
            if turn["n"] in asked and says(r"^\W*(?:yes|sure|absolutely|correct)\b", turn["text"])
        ]
    if kind == "ask":
        confirmed = [turn for turn in replies if hearing.informs(turn["text"], content(report["goal"]))]
    stopped = next((category for category, why in PHRASES["reasons"].items() if re.search(why, ended)), None)
    if stopped in ("needs_answer", "needs_approval"):
        return stopped, [turn for turn in replies if hearing.questions(turn["text"]) or amounts(turn["text"])][-1:]
    if promised and not (confirmed and kind != "ask"):
        return "call_back_promised", promised[-1:]
    if confirmed and stopped not in ("declined_by_callee", "refused_by_policy"):
        return "done", confirmed[-2:]
    if closed := [turn for turn in replies if says(r"\bclosed\b", turn["text"])]:
        return "closed", closed[-1:]
    refused = [turn for turn in replies if says(hearing.REFUSAL, turn["text"]) or amounts(turn["text"])]
    if stopped:
        return stopped, refused[-1:] if stopped == "declined_by_callee" else []
    if declined := [turn for turn in refused if says(hearing.REFUSAL, turn["text"])]:
        return "declined_by_callee", declined[-1:]
    if not turns:
        return "no_answer", []
    last = next((turn["text"] for turn in reversed(turns) if turn["speaker"] == "floyd"), "")
    if says(r"check", last):
        return "needs_answer", [turn for turn in replies if hearing.questions(turn["text"])][-1:]
    return "unconfirmed", []


def _claim(turn: Json) -> Json:
    return {"text": f'They said: "{turn["text"].strip()}"', "turns": [turn["n"]]}


def _summary(category: str, goal: str, proof: list[Json], turns: list[Json]) -> str:
    said = f' They said: "{proof[-1]["text"].strip()}"' if proof else ""
    told = PHRASES["told"].get(category, sentence(category.replace("_", " ")).rstrip("."))
    if category == "unconfirmed":
        told = "They did not confirm it" if turns else "The call did not take place"
    return f"{told}: {goal}{said}"


def _tasks(kind: str, category: str, replies: list[Json]) -> list[Json]:
    tasks = []
    for turn in replies:
        said, due = turn["text"], next(iter(whens(turn["text"])), None)
        promise = re.search(rf"{PROMISE}[^.?!]*", said, re.I)
        if asked := re.search(PLEASE, said, re.I):
            tasks.append({"title": sentence(asked[1]), "due": due, "kind": "follow_up", "turn": turn["n"]})
        elif promise and (due or says(CALL_BACK, said)) and not says(r"deliver", said):
            tasks.append(
                {"title": f'They said: "{promise[0].strip()}"', "due": due, "kind": "promise", "turn": turn["n"]}
            )
        elif due and (
            says(r"deliver", said) or (kind in ("book", "change") and category == "done" and says(hearing.STRONG, said))
        ):
            tasks.append({"title": f'"{said.strip()}"', "due": due, "kind": "appointment", "turn": turn["n"]})
    return tasks


def _facts(kind: str, proof: list[Json], replies: list[Json]) -> list[Json]:
    """What is worth remembering: reference numbers, and the information that was asked for."""
    facts = []
    for turn in replies:
        about = next((key for key, pattern in INFORMATION if says(pattern, numerals(turn["text"]))), None)
        if given := reference(turn["text"]):
            facts.append({"key": given[0], "value": given[1], "turn": turn["n"]})
        elif kind == "ask" and turn in proof and about:
            facts.append({"key": about, "value": turn["text"].strip(), "turn": turn["n"]})
    return facts
