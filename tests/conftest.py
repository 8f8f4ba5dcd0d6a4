"""What many tests stand on: the official Firestore emulator, started once, and a project of one's own in it."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from hypothesis import settings

from floyd.command import emulator
from floyd.command.child import free_port
from floyd.store import Store

# An example may take as long as a busy machine needs; one that fails can be played again from what is printed.
settings.register_profile("floyd", deadline=None, print_blob=True)
settings.load_profile("floyd")


@pytest.fixture(scope="session")
def firestore_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of a running emulator. An absent jar or Java fails the tests that need it, loudly."""
    port = free_port()
    log = tmp_path_factory.mktemp("firestore") / "emulator.log"
    # Nothing listens for its events: tests bring their own.
    child = emulator.start(port=port, events_to="127.0.0.1:9", log=log, environment=os.environ)
    try:
        child.wait_until(lambda: emulator.ready(port), emulator.READY_S)
        yield f"127.0.0.1:{port}"
    finally:
        child.kill()


@pytest.fixture
async def firestore_client(
    firestore_emulator: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[firestore.AsyncClient]:
    """A client of an empty project, so that tests cannot meet."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    project = f"demo-{uuid.uuid4().hex[:12]}"
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", project)
    client = firestore.AsyncClient(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    yield client
    # The async client offers no way of its own to let go of its channel.
    await client._firestore_api.transport.close()


@pytest.fixture
def store(firestore_client: firestore.AsyncClient) -> Store:
    return Store(firestore_client)
