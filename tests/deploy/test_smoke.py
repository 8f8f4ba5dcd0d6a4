"""The call that proves a release, handed in at the real `api`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from deploy import smoke
from tests.deploy.conftest import DEADLINE_S, PROJECT
from tests.functions.tokens import claims, unsigned


class SignIn(BaseHTTPRequestHandler):
    """Identity Toolkit's sign-in with a password."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        good = self.path == "/accounts:signInWithPassword?key=web-key" and body == {
            "email": "smoke@example.com",
            "password": "secret",
            "returnSecureToken": True,
        }
        self.send_response(200 if good else 400)
        self.end_headers()
        self.wfile.write(json.dumps({"idToken": "signed"} if good else {"error": {"code": 400}}).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def identity() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), SignIn)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_account_signs_in_as_a_client_does(identity: str) -> None:
    """If this fails no release can be proved, or a wrong password passes."""
    assert smoke.sign_in("web-key", "smoke@example.com", "secret", identity=identity) == "signed"
    with pytest.raises(smoke.httpx2.HTTPStatusError):
        smoke.sign_in("web-key", "smoke@example.com", "wrong", identity=identity)


@pytest.mark.parametrize("status", ["done", "failed"])
async def test_the_release_is_judged_by_how_its_call_ended(
    served: str, firestore_emulator: str, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """If this fails a release whose calls do not work is kept."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    uid = f"smoke-{status}"
    client = firestore.Client(project=PROJECT, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    token = unsigned(claims(PROJECT, uid))
    calling = asyncio.create_task(
        asyncio.to_thread(smoke.call, served, token, "+12125550100", release="abc12345", key="build-1", poll_s=0.05)
    )
    made: list[Any] = []
    async with asyncio.timeout(DEADLINE_S):
        while not made:
            made = await asyncio.to_thread(lambda: list(client.collection("users", uid, "requests").stream()))
            assert not calling.done(), calling.exception()
    assert made[0].get("text") == "Call +12125550100 and tell them that release abc12345 of Floyd is running."
    made[0].reference.update({"status": status, "deadline": datetime.now(UTC)})

    assert (await calling)["status"] == status
    client.close()  # type: ignore[no-untyped-call]
