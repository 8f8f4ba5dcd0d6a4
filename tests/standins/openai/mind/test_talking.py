"""Single replies where a mistake would be costly."""

import json
from typing import Any

from standins.openai.events import Reply
from standins.openai.mind import think
from standins.openai.mind.answering import SAYS
from standins.openai.protocol import read_request
from tests.standins.openai.conftest import encoded
from tests.standins.openai.conversation import TOOLS

OPENING = "Hello, this is an AI assistant calling for Nora Quist. I am calling to order some tulips for Ada."
ERRAND = {
    "goal": "Order some tulips for Ada.",
    "steps": ["Ask to order some tulips for Ada.", "Ask what it costs in all.", "Ask them to confirm the order."],
    "on_behalf_of": "Nora Quist",
    "callee": "Tulip Barn",
    "opening": OPENING,
    "facts": {"ada_address": "5 Mill Street"},
    "mandate": {"max_amount": "40", "times": []},
}


def after(items: list[dict[str, Any]]) -> Reply:
    """The reply when this has happened in the call."""
    instructions = f"ERRAND:\n{json.dumps(ERRAND)}"
    return think(read_request(encoded({"model": "any", "instructions": instructions, "input": items, "tools": TOOLS})))


def reply(*callee_and_us: str, notes: tuple[dict[str, Any], ...] = ()) -> Reply:
    """The reply after an alternation of callee turns and ours, which begins with the callee."""
    items = [{"role": "assistant", "content": OPENING}]
    items += [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(callee_and_us)]
    return after([*items, *notes])


def asked(question: str, answer: str | None = None) -> tuple[dict[str, Any], ...]:
    call = {"type": "function_call", "call_id": "1", "name": "ask_user"}
    items: list[dict[str, Any]] = [{**call, "arguments": json.dumps({"question": question, "choices": []})}]
    items.append({"type": "function_call_output", "call_id": "1", "output": "ok"})
    if answer is not None:
        items.append({"role": "developer", "content": f'note: your person answered "{answer}" to "{question}"'})
    return tuple(items)


def test_a_price_over_the_limit_is_asked_not_agreed() -> None:
    """Breaks: the competent mind spends what was not allowed."""
    said = reply("that will be fifty five dollars is that okay")
    assert said.text == SAYS["checking"]
    assert json.loads(said.calls[0].arguments)["question"] == "They ask 55 dollars. Is that all right?"


def test_go_ahead_is_not_given_while_a_price_is_open() -> None:
    """Breaks: "shall I place the order" in the next breath slips past the check."""
    turns = ("that will be fifty five dollars", SAYS["checking"])
    question = "They ask 55 dollars. Is that all right?"
    items = [
        {"role": "assistant", "content": OPENING},
        {"role": "user", "content": turns[0]},
        {"role": "assistant", "content": turns[1]},
        *asked(question),
        {"role": "user", "content": "so shall i place the order"},
    ]
    assert after(items).text == "I am still checking, one moment please."


def test_the_persons_answer_decides() -> None:
    """Breaks: a yes is ignored, or a no is taken for a yes."""
    question = "They ask 55 dollars. Is that all right?"
    turns = ("that will be fifty five dollars", SAYS["checking"])
    assert reply(*turns, notes=asked(question, "yes")).text == "Yes, 55 dollars is fine, please go ahead."
    assert "less expensive" in reply(*turns, notes=asked(question, "no")).text
    assert "less expensive" in reply(*turns, notes=asked(question, "yes, up to 50")).text


def test_an_answer_from_an_earlier_call_is_known_but_not_announced() -> None:
    """Breaks: a call back begins by answering a question that nobody in it has asked."""
    note = {
        "role": "developer",
        "content": 'note: your person answered "no" to "They ask 55 dollars. Is that all right?"',
    }
    items = [note, {"role": "user", "content": "hello tulip barn"}]
    assert "tulips" in after(items).text


def test_facts_are_given_and_unknown_ones_asked() -> None:
    """Breaks: an address is invented, or withheld though it was released."""
    assert reply("what is the delivery address").text == "It is 5 Mill Street."
    unknown = reply("what is the apartment number")
    assert unknown.calls[0].name == "ask_user"


def test_read_backs_with_a_strange_number_are_not_confirmed() -> None:
    """Breaks: "seven Mill Street, is that right?" is confirmed."""
    assert reply("so that goes to five mill street is that right").text == "Yes, that is right."
    assert reply("so that goes to seven mill street is that right").calls[0].name == "ask_user"


def test_fixed_situations() -> None:
    """Breaks: a wrong number is argued with, a do-not-call is ignored, the AI denies being one."""
    assert "AI assistant" in reply("wait are you a robot").text
    assert reply("you have the wrong number").calls[0].name == "end_call"
    assert reply("stop calling us").calls[0].name == "end_call"
    assert reply("hold on please").text == "Of course, take your time."
    keys = reply("for orders press one for complaints press two").calls[0]
    assert (keys.name, keys.arguments) == ("press_keys", '{"digits": "1"}')


def test_the_same_sentence_is_not_said_for_ever() -> None:
    """Breaks: two machines talk to each other until the money is gone."""
    turns: list[str] = []
    for _ in range(12):
        said = reply(*turns, "hello")
        turns += ["hello", said.text]
        if said.calls:
            break
    assert said.calls[0].name == "end_call"
