"""The kill switch."""

from pathlib import Path

import pytest
from google.cloud import firestore

from floyd.command import running as stacks
from floyd.command import switch
from floyd.command.running import Running
from tests.floyd.command.test_running import STACK


def test_dialling_is_stopped_and_started_again(
    running: Running, server: firestore.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails the operator cannot stop Floyd."""
    monkeypatch.setenv("FLOYD_STACK_DIR", str(tmp_path))
    stacks.save(running.model_copy(update={"pid": STACK.pid}), tmp_path)
    document = server.document("system", "switch")

    switch.set_dialling(False, "too many wrong numbers", "")
    assert document.get().to_dict() == {"v": 1, "dialling": False, "reason": "too many wrong numbers"}

    switch.set_dialling(True, "", "")
    assert document.get().to_dict() == {"v": 1, "dialling": True, "reason": ""}
