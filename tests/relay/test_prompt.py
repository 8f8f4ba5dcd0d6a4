"""What the model is told."""

from __future__ import annotations

import json

from floyd.mandate import Mandate
from floyd.money import Money
from relay.core.brief import Brief
from relay.prompt import RULES, prompt_for

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
