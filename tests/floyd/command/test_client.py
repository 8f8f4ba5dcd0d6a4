"""A person's side: facts are kept, and the API's refusals become errors."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from floyd.command.client import ApiError, Client
from floyd.command.running import Running
from floyd.documents import Fact, Person
from floyd.errors import FloydError

DEADLINE_S = 20.0


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


@pytest.mark.parametrize("rid", ["nosuch", "a/b", ""])
def test_a_request_that_is_not_there_is_not_followed(client: Client, rid: str) -> None:
    """If this fails `floyd watch` with a mistyped id waits for an hour, or ends in a stack trace."""
    assert not client.has(rid)


def test_an_api_that_is_not_there_is_named(client: Client) -> None:
    """If this fails people do not know which part is missing."""
    with pytest.raises(FloydError, match=r"The API at http://127\.0\.0\.1:9 does not answer"):
        client.request("tell the school")
