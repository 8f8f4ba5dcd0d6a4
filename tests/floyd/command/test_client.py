"""A person's side: everything about a request arrives by subscription, and the API's refusals as errors."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from google.cloud import firestore

from floyd.command.client import ApiError, Client
from floyd.command.running import Running
from floyd.documents import Fact, Person, Status
from floyd.errors import FloydError
from tests.floyd.command.views import flowers

DEADLINE_S = 20.0


def write(server: firestore.Client, uid: str, rid: str) -> None:
    """Everything that a finished request leaves behind."""
    view = flowers()
    assert view.request is not None
    person = server.document("users", uid)
    request = person.collection("requests").document(rid)
    for seq, turn in view.turns.items():
        request.collection("turns").document(f"{seq:04d}").set(turn.to_store())
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
        errand.wait_until(lambda view: view.finished, DEADLINE_S)
        changes, _ = errand.wait_for_change(-1, DEADLINE_S)

        assert changes > 0


def test_facts_are_kept_replaced_and_forgotten(client: Client) -> None:
    """If this fails Floyd tells what it was told to forget."""
    client.introduce(Person(name="Tom Baker"))
    client.save_fact(Fact(key="child_name", value="Mara", share="always"))
    client.save_fact(Fact(key="child_name", value="Mara Baker", share="ask"))
    assert [(fact.value, fact.share) for fact in client.facts().values()] == [("Mara Baker", "ask")]

    client.remove_fact("child_name")
    assert client.facts() == {}


class Api(BaseHTTPRequestHandler):
    """Refuses everything, in the API's form or in none."""

    seen: list[tuple[str, str | None, Any]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        type(self).seen.append((self.path, self.headers["authorization"], body))
        status, answer = (
            (409, b'{"error": {"code": "conflict", "message": "the question is closed"}}')
            if "answer" in self.path
            else (502, b"<html>bad gateway</html>")
        )
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def api(running: Running) -> Iterator[Client]:
    """A client whose API is `Api`."""
    Api.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = Client(running.model_copy(update={"api": f"http://127.0.0.1:{server.server_port}"}), "tom", number="+1")
    yield client
    client.close()
    server.shutdown()
    server.server_close()


def test_a_refusal_keeps_the_apis_own_words(api: Client, running: Running) -> None:
    """If this fails people see a status code instead of what to do."""
    with pytest.raises(ApiError, match="the question is closed") as refusal:
        api.answer("r", "q", "yes")

    assert (refusal.value.status, refusal.value.code) == (409, "conflict")
    path, authorization, body = Api.seen[0]
    assert (path, body) == ("/requests/r/questions/q/answer", {"answer": "yes"})
    claims = authorization.removeprefix("Bearer ").split(".")[1] if authorization else ""
    token = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert (token["sub"], token["aud"], token["phone_number"]) == ("tom", running.project, "+1")


def test_an_answer_that_is_not_json_is_an_error_with_its_beginning(api: Client) -> None:
    """If this fails a broken proxy ends in a stack trace."""
    with pytest.raises(ApiError, match="bad gateway"):
        api.request("tell the school")


def test_an_api_that_is_not_there_is_named(client: Client) -> None:
    """If this fails people do not know which part is missing."""
    with pytest.raises(FloydError, match=r"The API at http://127\.0\.0\.1:9 does not answer"):
        client.request("tell the school")


def test_the_newest_open_question_is_the_one_to_answer() -> None:
    """If this fails the terminal asks what was settled long ago."""
    closed = flowers().questions["q"]
    open_ = closed.model_copy(update={"status": "open", "answer": None})
    newest = open_.model_copy(update={"attempt": 2})

    view = flowers(questions={"a": newest, "b": open_, "c": closed.model_copy(update={"attempt": 3})})

    assert view.open_question == ("a", newest)
