"""The stack that runs on this machine, as other commands find it: one small file."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ValidationError

import floyd
from floyd.errors import ConfigError

ROOT = Path(floyd.__file__).resolve().parent.parent
PROJECT = "demo-floyd"
"""A project id beginning with demo- can never be a real one (Firebase's rule)."""


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


def alive(pid: int) -> bool:
    """Whether this process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def stack_directory() -> Path:
    """Where the stack keeps its file and its logs: FLOYD_STACK_DIR, else .floyd in the repository."""
    return Path(os.environ.get("FLOYD_STACK_DIR") or ROOT / ".floyd")


def save(running: Running, directory: Path) -> None:
    partial = directory / "stack.json.part"
    partial.write_text(running.model_dump_json(indent=2) + "\n")
    partial.replace(directory / "stack.json")


def forget(directory: Path) -> None:
    (directory / "stack.json").unlink(missing_ok=True)


def find(directory: Path | None = None) -> Running:
    """The running stack. Raises ConfigError saying how to start one when there is none."""
    place = (directory or stack_directory()) / "stack.json"
    try:
        running = Running.model_validate_json(place.read_text())
    except FileNotFoundError:
        running = None
    except ValidationError as error:
        raise ConfigError(f"{place} is not a stack's file: delete it and start the stack again") from error
    if running is None or not alive(running.pid):
        raise ConfigError("No stack is running. Start one in another terminal: floyd dev")
    return running
