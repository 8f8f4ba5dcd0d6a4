"""The kill switch, and who may use a deployment: through Firebase's own client and its calls to Identity Toolkit."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from google.cloud import firestore

from floyd.command import deployment
from floyd.command.running import Running
from floyd.errors import InvalidInputError
from tests.floyd.command.test_running import STACK

PROJECT = "demo-users"


class Accounts(BaseHTTPRequestHandler):
    """Identity Toolkit's account calls as the Admin SDK makes them; anything else is answered 404."""

    known: dict[str, dict[str, Any]]
    base = f"/identitytoolkit.googleapis.com/v1/projects/{PROJECT}"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        match self.path.removeprefix(self.base):
            case "/accounts:lookup":
                wanted = {*body.get("email", []), *body.get("localId", [])}
                found = [each for each in self.known.values() if {each["email"], each["localId"]} & wanted]
                self._answer({"users": found} if found else {})
            case "/accounts":
                uid = f"uid-{len(self.known)}"
                self.known[uid] = {"localId": uid, "email": body["email"]}
                self._answer({"localId": uid, "email": body["email"]})
            case "/accounts:update":
                kept = ("customAttributes", "validSince")
                self.known[body["localId"]] |= {key: body[key] for key in body if key in kept}
                self._answer({"localId": body["localId"]})
            case _:
                self._answer({"error": {"message": "NOT_FOUND"}}, 404)

    def do_GET(self) -> None:
        assert urlsplit(self.path).path == f"{self.base}/accounts:batchGet"
        self._answer({"users": list(self.known.values())})

    def _answer(self, body: dict[str, Any], status: int = 200) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, dict[str, Any]]]:
    """Every account by uid; Tom has one, with a claim of somebody else's."""
    known = {"uid-tom": {"localId": "uid-tom", "email": "tom@example.com", "customAttributes": '{"staff": true}'}}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Accounts,), {"known": known}))
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", f"127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    yield known
    server.shutdown()
    server.server_close()


def claims(accounts: dict[str, dict[str, Any]], uid: str) -> Any:
    return json.loads(accounts[uid]["customAttributes"])


def test_people_are_admitted_and_shut_out(
    accounts: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails nobody can be let into a deployment, or nobody can be put out of it."""
    deployment.add("tom@example.com")
    assert claims(accounts, "uid-tom") == {"staff": True, "floyd": True}
    capsys.readouterr()
    deployment.admitted(as_json=True)
    assert json.loads(capsys.readouterr().out) == [{"email": "tom@example.com", "uid": "uid-tom"}]

    deployment.remove("tom@example.com")
    assert "uid-tom" in capsys.readouterr().out
    assert claims(accounts, "uid-tom") == {"staff": True}
    assert accounts["uid-tom"]["validSince"]
    deployment.admitted(as_json=True)
    assert json.loads(capsys.readouterr().out) == []


def test_whoever_has_not_signed_in_yet_can_be_admitted(
    accounts: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails people must sign in, be refused, and come back."""
    deployment.add("new@example.com")

    assert claims(accounts, capsys.readouterr().out.split()[0]) == {"floyd": True}


@pytest.mark.parametrize(("email", "words"), [("nobody@example.com", "Nobody has the address"), ("nonsense", "email")])
def test_what_is_wrong_is_said(accounts: dict[str, dict[str, Any]], email: str, words: str) -> None:
    """If this fails a typing mistake shows a stack trace."""
    with pytest.raises(InvalidInputError, match=words):
        deployment.remove(email)


def test_dialling_is_stopped_and_started_again(
    running: Running, server: firestore.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails the operator cannot stop Floyd."""
    monkeypatch.setenv("FLOYD_STACK_DIR", str(tmp_path))
    running.model_copy(update={"pid": STACK.pid}).save(tmp_path)
    document = server.document("system", "switch")

    deployment.stop("too many wrong numbers")
    assert document.get().to_dict() == {"v": 1, "dialling": False, "reason": "too many wrong numbers"}

    deployment.start()
    assert document.get().to_dict() == {"v": 1, "dialling": True, "reason": ""}
