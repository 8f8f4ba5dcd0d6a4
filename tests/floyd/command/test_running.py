"""The file by which commands find the stack."""

import os
from pathlib import Path

import pytest

from floyd.command import running
from floyd.command.running import Running
from floyd.errors import ConfigError

STACK = Running(
    pid=os.getpid(),
    project="demo-floyd",
    firestore="127.0.0.1:1",
    api="http://127.0.0.1:2",
    plan="http://127.0.0.1:6",
    dial="http://127.0.0.1:7",
    carrier="http://127.0.0.1:3",
    sweep="http://127.0.0.1:4",
    relays=["ws://127.0.0.1:5"],
    processes={"api": os.getpid()},
    logs="logs",
)
# Larger than any process id Linux gives out (kernel.pid_max is at most 4,194,304).
NOBODY = 5_000_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands look for the stack."""
    monkeypatch.setenv("FLOYD_STACK_DIR", str(tmp_path))
    return tmp_path


def test_a_running_stack_is_found(folder: Path) -> None:
    """If this fails no command works beside `floyd dev`."""
    STACK.save(folder)

    assert running.find() == STACK


def test_without_a_stack_people_are_told_how_to_start_one(folder: Path) -> None:
    """If this fails people see a missing file's name instead of what to do."""
    with pytest.raises(ConfigError, match="floyd dev"):
        running.find()


def test_a_stack_that_was_killed_is_not_found(folder: Path) -> None:
    """If this fails commands wait for ports that nobody serves."""
    STACK.model_copy(update={"pid": NOBODY}).save(folder)

    with pytest.raises(ConfigError, match="No stack is running"):
        running.find()


def test_a_stopped_stack_is_forgotten(folder: Path) -> None:
    """If this fails the next command talks to somebody else's port."""
    STACK.save(folder)
    running.forget(folder)
    running.forget(folder)

    with pytest.raises(ConfigError):
        running.find()


def test_a_broken_file_is_named(folder: Path) -> None:
    """If this fails a half-written file ends in a stack trace."""
    (folder / "stack.json").write_text("{")

    with pytest.raises(ConfigError, match=r"stack\.json is not a stack's file"):
        running.find()
