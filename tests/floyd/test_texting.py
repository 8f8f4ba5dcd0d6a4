"""Texts to and from Floyd."""

from datetime import UTC, datetime

import pytest

from floyd import texting
from floyd.documents import Question
from floyd.texting import Command, Words


def asked(text: str = "Is 60 dollars all right?", *choices: str) -> Question:
    return Question(text=text, choices=list(choices), kind="mandate", deadline=datetime(2026, 11, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        ("STOP", "stop"),
        (" stop. ", "stop"),
        ("Opt  Out", "stop"),
        ("revoke", "stop"),
        ("START", "start"),
        ("help!", "help"),
        ("stop by at five", Words("stop by at five")),
        ("yes", Words("yes")),
        ("2 yes, up to 80", Words("2 yes, up to 80", 2, "yes, up to 80")),
        ("#1: no", Words("#1: no", 1, "no")),
        ("80", Words("80")),
        ("80.50", Words("80.50", None)),
        ("", Words("")),
    ],
)
def test_what_a_text_means(body: str, meaning: Command | Words) -> None:
    """Fails if a wish to stop is missed, or an answer is taken for one."""
    assert texting.read(body) == meaning


def test_choices_by_number_or_in_words() -> None:
    """Fails if "2" is passed on as two instead of the second choice."""
    question = asked("Red or white?", "red", "white")
    assert texting.chosen_answer(question, "2") == "white"
    assert texting.chosen_answer(question, "3") == "3"
    assert texting.chosen_answer(question, " red ") == "red"
    assert texting.chosen_answer(asked(), "2") == "2"


def test_texts_fit_one_message_and_a_cheap_alphabet() -> None:
    """Fails if the carrier would refuse a text, or charge double for it."""
    texts = [
        texting.question(asked("x" * 3000)),
        texting.numbered([asked("y" * 500)] * 30),
        texting.stranger("Tom"),
        texting.stranger(""),
        texting.stranger(None),
        *(value for name, value in vars(texting).items() if name.isupper() and isinstance(value, str)),
    ]
    assert all(len(text) <= texting.LONGEST_TEXT and text.isascii() for text in texts)


def test_a_stranger_learns_who_rang_and_how_to_stop_it() -> None:
    """Fails if somebody who was called cannot find out for whom, or how never to be called again."""
    assert "for Tom Baker" in texting.stranger("Tom Baker")
    assert "STOP" in texting.stranger("Tom Baker")
    assert "no record" in texting.stranger(None)
