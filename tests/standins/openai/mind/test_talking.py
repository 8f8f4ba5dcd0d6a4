"""Single replies where a mistake would be costly."""

import json
from decimal import Decimal
from typing import Any

from standins.openai.events import Reply
from standins.openai.mind.brief import Errand, read_story
from standins.openai.mind.talking import CHECKING, talk

ERRAND = Errand(
    goal="Order some tulips for Ada.",
    steps=("Ask to order some tulips for Ada.", "Ask what it costs in all.", "Ask them to confirm the order."),
    person="Nora Quist",
    callee="Tulip Barn",
    opening="Hello, this is an AI assistant calling for Nora Quist. I am calling to order some tulips for Ada.",
    facts={"ada_address": "5 Mill Street"},
    max_amount=Decimal(40),
)


def reply(*callee_and_us: str, errand: Errand = ERRAND, notes: tuple[dict[str, Any], ...] = ()) -> Reply:
    """The reply after an alternation of callee turns and ours, which begins with the callee."""
    items = [{"role": "assistant", "content": errand.opening}]
    items += [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(callee_and_us)]
    return talk(errand, read_story([*items, *notes], errand))


def asked(question: str, answer: str | None = None) -> tuple[dict[str, Any], ...]:
    call = {"type": "function_call", "call_id": "1", "name": "ask_user"}
    items: list[dict[str, Any]] = [{**call, "arguments": json.dumps({"question": question, "choices": []})}]
    if answer is not None:
        items.append({"role": "developer", "content": f'note: your person answered "{answer}" to "{question}"'})
    return tuple(items)


def test_a_price_over_the_limit_is_asked_not_agreed() -> None:
    """Breaks: the competent mind spends what was not allowed."""
    said = reply("that will be fifty five dollars is that okay")
    assert said.text == CHECKING
    assert json.loads(said.calls[0].arguments)["question"] == "They ask 55 dollars. Is that all right?"


def test_go_ahead_is_not_given_while_a_price_is_open() -> None:
    """Breaks: "shall I place the order" in the next breath slips past the check."""
    turns = ("that will be fifty five dollars", CHECKING)
    question = "They ask 55 dollars. Is that all right?"
    items = [
        {"role": "assistant", "content": ERRAND.opening},
        {"role": "user", "content": turns[0]},
        {"role": "assistant", "content": turns[1]},
        *asked(question),
        {"role": "user", "content": "so shall i place the order"},
    ]
    assert talk(ERRAND, read_story(items, ERRAND)).text == "I am still checking, one moment please."


def test_the_persons_answer_decides() -> None:
    """Breaks: a yes is ignored, or a no is taken for a yes."""
    question = "They ask 55 dollars. Is that all right?"
    turns = ("that will be fifty five dollars", CHECKING)
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
    assert "tulips" in talk(ERRAND, read_story(items, ERRAND)).text


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
