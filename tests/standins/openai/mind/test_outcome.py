"""Outcomes that claim no more than the callee said."""

from typing import Any

import pytest

from tests.standins.openai.conftest import StandIn
from tests.standins.openai.conversation import OUTCOME, structured

OPENING = ("floyd", "I am calling to order some tulips for Ada.")


async def judged(standin: StandIn, goal: str, end_reason: str, *spoken: tuple[str, str]) -> dict[str, Any]:
    turns = [{"n": n, "speaker": speaker, "text": text} for n, (speaker, text) in enumerate(spoken, 1)]
    mandate = {"max_amount": "40", "currency": "USD", "times": [], "promises": []}
    report = {"request": goal, "goal": goal, "done_when": [], "mandate": mandate, "end_reason": end_reason}
    return await structured(standin.openai, "outcome", OUTCOME, report | {"turns": turns})


@pytest.mark.parametrize(
    ("end_reason", "heard", "category"),
    [
        ("done", ["your order is placed"], "done"),
        ("callee hung up", ["what would you like"], "unconfirmed"),
        ("needs_approval", ["that is ninety dollars"], "needs_approval"),
        ("callee hung up", ["we'll call you back tomorrow"], "call_back_promised"),
        ("done", ["sorry we are closed today"], "closed"),
        ("callee hung up", ["unfortunately we don't have any tulips"], "declined_by_callee"),
        ("callee hung up", ["wrong number"], "wrong_number"),
        ("callee hung up", ["never call me again"], "do_not_call"),
        ("voicemail", [], "voicemail_left"),
        ("no_progress", ["hello", "hello"], "no_progress"),
        ("time_limit", [], "time_limit"),
    ],
)
async def test_categories(standin: StandIn, end_reason: str, heard: list[str], category: str) -> None:
    """Breaks: a call that settled nothing is shown as done, or a settled one as failed."""
    turns = [OPENING, *(("callee", text) for text in heard)]
    assert (await judged(standin, "Order some tulips for Ada.", end_reason, *turns))["category"] == category


async def test_no_turns_no_claims(standin: StandIn) -> None:
    """Breaks: an unanswered call has results."""
    outcome = await judged(standin, "Order some tulips for Ada.", "no_answer")
    assert outcome["category"] == "no_answer"
    assert outcome["claims"] == outcome["tasks"] == outcome["facts"] == []


async def test_claims_tasks_and_facts_name_their_turns(standin: StandIn) -> None:
    """Breaks: a claim cannot be checked against what was said."""
    outcome = await judged(
        standin,
        "Order some tulips for Ada.",
        "done",
        OPENING,
        ("callee", "that comes to thirty dollars"),
        ("floyd", "Yes, 30 dollars is fine."),
        ("callee", "your order number is four five one two it will be delivered on thursday"),
        ("callee", "and we will call you tomorrow"),
    )
    assert {turn for claim in outcome["claims"] for turn in claim["turns"]} == {2, 4}
    assert [(task["kind"], task["due"], task["turn"]) for task in outcome["tasks"]] == [
        ("appointment", "on thursday", 4),
        ("promise", "tomorrow", 5),
    ]
    assert outcome["facts"] == [{"key": "order_number", "value": "4512", "turn": 4}]
