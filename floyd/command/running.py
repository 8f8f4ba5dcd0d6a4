"""The stack that runs on this machine, as other commands find it: one small file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore import Client
from pydantic import BaseModel, ValidationError

import floyd
from floyd.errors import ConfigError

ROOT = Path(floyd.__file__).resolve().parent.parent
PROJECT = "demo-floyd"
"""A project id beginning with demo- can never be a real one (Firebase's rule)."""
FILE = "stack.json"


class Running(BaseModel):
    """Addresses of a running stack. Origins have no trailing slash; `phone` is absent when the network is real."""

    pid: int
    project: str
    firestore: str
    api: str
    plan: str
    dial: str
    carrier: str
    sweep: str
    relays: list[str]
    phone: str = ""
    controls: dict[str, str] = {}
    numbers: list[str] = []
    processes: dict[str, int]
    logs: str

    def documents(self) -> Client:
        """Its documents, for whoever asks."""
        # The library takes the emulator's address from nowhere else, and reads it once, here.
        os.environ["FIRESTORE_EMULATOR_HOST"] = self.firestore
        return Client(project=self.project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]

    def save(self, directory: Path) -> None:
        partial = directory / f"{FILE}.part"
        partial.write_text(self.model_dump_json(indent=2) + "\n")
        partial.replace(directory / FILE)


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables by which no library asks a proxy for the loopback."""
    given = environment.get("NO_PROXY") or environment.get("no_proxy")
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(filter(None, (given, "127.0.0.1,localhost"))))


def alive(pid: int) -> bool:
    """Whether this process exists; somebody else's is none of ours."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def stack_directory() -> Path:
    """Where the stack keeps its file and its logs: FLOYD_STACK_DIR, else .floyd in the repository."""
    return Path(os.environ.get("FLOYD_STACK_DIR") or ROOT / ".floyd")


def forget(directory: Path) -> None:
    (directory / FILE).unlink(missing_ok=True)


def find() -> Running:
    """The running stack. Raises ConfigError saying how to start one when there is none."""
    place = stack_directory() / FILE
    try:
        running = Running.model_validate_json(place.read_text()) if place.exists() else None
    except ValidationError as error:
        raise ConfigError(f"{place} is not a stack's file: delete it and start the stack again") from error
    if running is None or not alive(running.pid):
        raise ConfigError("No stack is running. Start one in another terminal: floyd dev")
    return running
