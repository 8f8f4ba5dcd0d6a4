"""What the model is told."""

from __future__ import annotations

import json
from itertools import pairwise

from floyd.mandate import Mandate
from floyd.money import Money
from relay.core.actions import Message, Role
from relay.core.brief import Brief
from relay.core.log import INTERRUPTED
from relay.mind import ToolCall, ToolResult
from relay.prompt import KEPT_CHARACTERS, KEPT_IN_FULL, RULES, SHORTENED_AT_ONCE, SUMMARY_CHARACTERS, prompt_for, talk

BRIEF = Brief(
    goal="order flowers",
    on_behalf_of="Tom Baker",
    opening=("Hello.", "I would like to order flowers."),
    mandate=Mandate(Money.of("80", "USD")),
    callee="Rose's Flowers",
    release={"address": "5 Main Street"},
    steps=("ask for the price",),
    done_when=("the order is placed",),
    questions=("Which flowers?",),
)


def test_rules_come_first_and_the_errand_is_one_line_of_json() -> None:
    """Fails if the vendor's cache could not serve the rules, or the model could not find its errand."""
    prompt = prompt_for(BRIEF, call_key="u/r/1", person_key="u", now="2026-11-23T09:15:00-06:00")
    rules, errand = prompt.instructions.split("\nERRAND:\n")
    assert rules == RULES
    assert "\n" not in errand
    assert json.loads(errand) == {
        "goal": "order flowers",
        "done_when": ["the order is placed"],
        "steps": ["ask for the price"],
        "on_behalf_of": "Tom Baker",
        "callee": "Rose's Flowers",
        "opening": "Hello. I would like to order flowers.",
        "facts": {"address": "5 Main Street"},
        "mandate": {"max_amount": "80", "currency": "USD", "times": [], "promises": []},
        "questions": ["Which flowers?"],
        "now": "2026-11-23T09:15:00-06:00",
    }


def test_the_vendor_learns_no_ids() -> None:
    """Fails if a person's id left the house."""
    prompt = prompt_for(BRIEF, call_key="uid-7/rid-8/1", person_key="uid-7", now="")
    for text in (prompt.cache_key, prompt.person, prompt.instructions):
        assert "uid-7" not in text
        assert "rid-8" not in text
    assert prompt.history == ()


def chat(turns: int) -> tuple[Message, ...]:
    """So many turns of each side."""
    lines = []
    for turn in range(turns):
        price = f"It costs {turn} dollars. " if turn % 10 == 0 else ""
        lines.append(Message(Role.CALLEE, f"{price}I would have to look for that in the back, wait please."))
        lines.append(Message(Role.ASSISTANT, "Thank you, that is kind of you. I am staying on the line."))
    return tuple(lines)


def size(history: object) -> int:
    return len(repr(history))


def test_a_short_talk_is_told_word_for_word() -> None:
    """Fails if the model forgot what was said a minute ago."""
    assert talk(chat(KEPT_IN_FULL // 2), []) == chat(KEPT_IN_FULL // 2)


def test_the_hundredth_reply_costs_what_the_tenth_did() -> None:
    """Fails if the price and the wait of a reply grew with the length of the call."""
    tenth = max(size(talk(chat(turns), [])) for turns in range(8, 11))
    hundredth = max(size(talk(chat(turns), [])) for turns in range(100, 120))
    assert hundredth < 1.5 * tenth + SUMMARY_CHARACTERS
    long = (Message(Role.CALLEE, "what a long story " * 200),) * 30
    assert sum(len(each.text) for each in talk(long, []) if isinstance(each, Message)) < 2 * KEPT_CHARACTERS


def test_what_is_shortened_keeps_its_figures_and_notes() -> None:
    """Fails if a price agreed on early in a long call, or the person's answer, were forgotten."""
    answer = Message(Role.NOTE, 'note: your person answered "yes" to "Is 20 all right?"')
    turns = (answer, *chat(60)[:4], Message(Role.NOTE, INTERRUPTED), *chat(60)[4:])
    history = talk(turns, [])
    assert history[0] == answer
    assert Message(Role.NOTE, INTERRUPTED) not in history
    summary = history[1]
    assert isinstance(summary, Message)
    assert all(f"It costs {price} dollars." in summary.text for price in (0, 10, 20, 30, 40))
    assert len(summary.text) < 2 * SUMMARY_CHARACTERS
    assert history[-1] == turns[-1]


def test_the_beginning_stays_the_same_for_a_while() -> None:
    """Fails if the vendor's cache could serve no turn of a long call."""
    beginnings = [talk(chat(60)[:count], [])[:2] for count in range(60, 120)]
    changes = sum(one != other for one, other in pairwise(beginnings))
    assert changes <= 60 / SHORTENED_AT_ONCE + 1


def test_tool_calls_stand_where_they_were_made() -> None:
    """Fails if the model did not know what it has done already, or did it again."""
    results = [ToolResult(ToolCall(name, name, {}), "done") for name in "abc"]
    first, second = chat(1)
    placed = [(0, results[0]), (1, results[1]), (2, results[2])]
    assert talk((first, second), placed) == (results[0], first, results[1], second, results[2])
    assert talk((first, second), [(1, results[0]), (1, results[1])]) == (first, results[0], results[1], second)
