"""One request as its owner sees it: everything arrives by subscription, and is told as data."""

import json

import pytest
from google.cloud import firestore

from floyd.command.client import Client
from floyd.command.errand import percentile
from floyd.documents import Status
from tests.floyd.command.views import flowers, turn

DEADLINE_S = 20.0


def write(server: firestore.Client, uid: str, rid: str) -> None:
    """Everything that a finished request leaves behind."""
    view = flowers()
    assert view.request is not None
    person = server.document("users", uid)
    request = person.collection("requests").document(rid)
    for seq, spoken in view.turns.items():
        request.collection("turns").document(f"{seq:04d}").set(spoken.to_store())
    for number, call in view.calls.items():
        request.collection("calls").document(str(number)).set(call.to_store())
    for qid, question in view.questions.items():
        request.collection("questions").document(qid).set(question.to_store())
    for name, found in (("tasks", view.tasks), ("disclosures", view.disclosures)):
        for each in found:
            person.collection(name).add({**each.to_store(), "request": rid})
            person.collection(name).add({**each.to_store(), "request": "another"})
    request.set(view.request.to_store())


def test_everything_about_a_request_arrives_by_itself(client: Client, server: firestore.Client) -> None:
    """If this fails the terminal, or a journey, waits for something that has long happened."""
    expected = flowers(rid="r1")
    with client.follow("r1") as errand:
        assert errand.view.request is None
        write(server, client.uid, "r1")

        view = errand.wait_until(
            lambda view: view.finished and len(view.turns) == 7 and bool(view.tasks and view.disclosures), DEADLINE_S
        )

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert list(view.turns) == [1, 2, 3, 4, 5, 6, 7]
    assert [task.title for task in view.tasks] == ["Be at home"]
    assert [entry.fact for entry in view.disclosures] == ["christa_address"]
    assert view.calls == expected.calls
    assert view.open_question is None


def test_what_does_not_happen_is_told_with_where_it_stood(client: Client, server: firestore.Client) -> None:
    """If this fails a journey that hangs does not say where."""
    write(server, client.uid, "r2")
    with client.follow("r2") as errand:
        errand.wait_until(lambda view: view.finished and len(view.turns) == 7, DEADLINE_S)

        with pytest.raises(TimeoutError, match=r"r2 is done .*call 1 completed, 7 turns, last heard 'Yes please\.'"):
            errand.wait_until(lambda view: len(view.calls) == 2, 0.01)


def test_a_change_wakes_whoever_waits_once(client: Client, server: firestore.Client) -> None:
    """If this fails the screen lags behind, or redraws for ever."""
    with client.follow("r3") as errand:
        write(server, client.uid, "r3")
        whole = errand.wait_until(lambda view: view.finished and bool(view.disclosures and view.tasks), DEADLINE_S)
        with pytest.raises(TimeoutError):
            errand.wait_until(lambda view: view is not whole, 0.01)

        server.document("users", client.uid, "requests", "r3").update({"status_reason": "changed"})
        assert errand.wait_until(lambda view: view is not whole, DEADLINE_S).request != whole.request


def test_the_newest_open_question_is_the_one_to_answer() -> None:
    """If this fails the terminal asks what was settled long ago."""
    closed = flowers().questions["q"]
    open_ = closed.model_copy(update={"status": "open", "answer": None})
    newest = open_.model_copy(update={"attempt": 2})

    view = flowers(questions={"a": newest, "b": open_, "c": closed.model_copy(update={"attempt": 3})})

    assert view.open_question == ("a", newest)


def test_everything_that_counts_is_in_the_report() -> None:
    """If this fails whoever measures Floyd cannot see what happened."""
    data = json.loads(json.dumps(flowers().report()))

    assert (data["status"], data["outcome"]["category"], data["mandate"]["max_amount"]) == ("done", "done", "80")
    assert [claim["proved"] for claim in data["outcome"]["claims"]] == [True, False]
    assert data["told"][0]["fact"] == "christa_address"
    assert data["turns"][0] | {"n": 1, "speaker": "callee", "heard": "hello rose flower shop"} == data["turns"][0]
    assert data["stages"][0]["frame_ms"] == 412.6


def test_a_gap_is_the_silence_before_an_answer_and_nothing_else() -> None:
    """If this fails a second sentence of Floyd's, or an overlap, spoils the figures."""
    view = flowers(
        turns={
            1: turn("callee", "hello", 0, 1000),
            2: turn("floyd", "Hello.", 1400, 2000),
            3: turn("floyd", "Once more.", 2500, 3000),
            4: turn("callee", "yes", 3100, 4000),
            5: turn("floyd", "Fine.", 3900, 4500),
            6: turn("callee", "goodbye", 5000, 6000),
            7: turn("floyd", "Hello again.", 9000, 9500, call=2),
        }
    )

    assert view.gaps == [400, 0]


@pytest.mark.parametrize(("rank", "value"), [(50, 3), (95, 5), (0, 1)])
def test_percentiles_are_values_that_occurred(rank: float, value: float) -> None:
    """If this fails the figures shown were never measured."""
    assert percentile([5, 1, 3, 2, 4], rank) == value
    assert percentile([], rank) is None
