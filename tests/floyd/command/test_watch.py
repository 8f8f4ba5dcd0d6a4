"""Following a request at a terminal: each thing is told once, in order, and questions are answered in place."""

import threading
from dataclasses import replace

import pytest
from google.cloud import firestore
from rich.console import Console

from floyd.command.client import Client
from floyd.command.errand import ErrandView
from floyd.command.watch import Story, ask_at_terminal, follow
from floyd.documents import Question, Status
from floyd.errors import FloydError
from tests.floyd.command.test_errand import write
from tests.floyd.command.views import flowers

DEADLINE_S = 20.0


def console() -> Console:
    return Console(width=100, force_terminal=False, no_color=True)


def told(story: Story, view: ErrandView) -> str:
    screen = console()
    with screen.capture() as capture:
        for line in story.news(view, 2.0):
            screen.print(line)
    return capture.get()


def test_everything_is_told_once_and_in_order() -> None:
    """If this fails people read the same line twice, or the end before the beginning."""
    story = Story(began=1.0)
    first = told(story, flowers())

    places = [first.index(part) for part in ("plan", "call 1 to", "hello rose", "Floyd asks you", "you: no", "result")]
    assert places == sorted(places)
    assert told(story, flowers()) == ""


def test_what_comes_later_is_told_later() -> None:
    """If this fails the live view stands still."""
    story = Story(began=1.0)
    whole = flowers()
    assert whole.request is not None
    talking = whole.request.model_copy(update={"status": Status.TALKING, "outcome": None})
    told(story, replace(whole, request=talking, turns={1: whole.turns[1], 2: whole.turns[2]}))

    later = told(story, whole)

    assert "hello rose" not in later
    assert later.index("I am calling") < later.index("result: done")


def test_nothing_is_known_before_the_request_is() -> None:
    """If this fails the first moment of a subscription shows turns of a request that is not there yet."""
    assert told(Story(0.0), flowers(request=None)) == ""


def test_a_question_is_answered_where_it_is_asked(client: Client, server: firestore.Client) -> None:
    """If this fails Floyd waits for an answer that the person has given, or asks twice."""
    write(server, client.uid, "r")
    question = Question(text="560 dollars?", kind="mandate", status="open", deadline=flowers().questions["q"].deadline)
    request = server.document("users", client.uid, "requests", "r")
    request.collection("questions").document("q2").set(question.to_store())
    request.update({"status": "waiting", "outcome": firestore.DELETE_FIELD})
    asked: list[str] = []

    def answering(question: Question) -> None:
        asked.append(question.text)
        # What the API, the carrier and the relay would do with an answer.
        ended = {"status": "done", "outcome": {"category": "done", "summary": "Ordered.", "claims": [], "facts": []}}
        threading.Thread(target=request.update, args=(ended,)).start()

    with client.follow("r") as errand:
        view = follow(errand, console(), answering=answering, client=client, timeout_s=DEADLINE_S)

    assert asked == ["560 dollars?"]
    assert view.finished


def test_following_ends_when_there_is_no_point_in_waiting(client: Client) -> None:
    """If this fails a dead stack keeps the terminal for ever."""

    def dead(_: ErrandView) -> None:
        raise FloydError("relay-1 ended")

    with client.follow("r") as errand, pytest.raises(FloydError, match="relay-1 ended"):
        follow(errand, console(), answering=lambda _: None, client=client, timeout_s=DEADLINE_S, check=dead)


def test_following_has_an_end(client: Client) -> None:
    """If this fails a request that never ends hangs a script."""
    with client.follow("r") as errand, pytest.raises(TimeoutError):
        follow(errand, console(), answering=lambda _: None, client=client, timeout_s=0.05)


def test_without_a_terminal_a_question_stays_open() -> None:
    """If this fails `floyd watch` in a pipe answers for the person, or hangs."""
    question = flowers().questions["q"]

    assert ask_at_terminal(console())(question) is None
