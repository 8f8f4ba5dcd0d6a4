"""A person's side of the emulator, without the rest of the stack."""

import uuid
from collections.abc import Iterator

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

from floyd.command.client import Client
from floyd.command.running import Running


@pytest.fixture
def running(firestore_emulator: str, monkeypatch: pytest.MonkeyPatch) -> Running:
    """A stack of which only Firestore runs."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    nowhere = "http://127.0.0.1:9"
    return Running(
        pid=0,
        project=f"demo-{uuid.uuid4().hex[:12]}",
        firestore=firestore_emulator,
        api=nowhere,
        plan=nowhere,
        dial=nowhere,
        carrier=nowhere,
        sweep=nowhere,
        relays=[],
        processes={},
        logs="",
    )


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    client = Client(running, "tom", number="+12025550187", name="Tom Baker")
    yield client
    client.close()


@pytest.fixture
def server(running: Running) -> Iterator[firestore.Client]:
    """The side that writes documents."""
    server = firestore.Client(project=running.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    yield server
    server.close()  # type: ignore[no-untyped-call]
