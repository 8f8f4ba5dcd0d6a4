"""A call told again from its documents."""

from pathlib import Path

import pytest
from google.cloud import firestore

from floyd.command import replay
from floyd.command.running import Running
from floyd.documents import Call, Request, Status, Turn
from floyd.errors import NotFoundError
from relay.tape import Tape
from tests.floyd.command.test_running import STACK
from tests.floyd.command.views import NOW
from tests.relay.test_tape import recorded


@pytest.fixture
def documents(
    running: Running, server: firestore.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> firestore.DocumentReference:
    """A request with two attempts; only the second left a tape."""
    monkeypatch.setenv("FLOYD_STACK_DIR", str(tmp_path))
    running.model_copy(update={"pid": STACK.pid}).save(tmp_path)
    root = server.document("users", "tom", "requests", "r1")
    root.set(Request(text="t", status=Status.DONE, attempt=2, created_at=NOW, deadline=NOW).to_store())
    for attempt in (1, 2):
        call = Call.model_validate({"to": "+13125550142", "from": "+12125550100", "end_reason": "done"})
        root.collection("calls").document(str(attempt)).set(call.to_store())
        turn = Turn(call=attempt, speaker="callee", heard=f"hello {attempt}", start_ms=700, end_ms=900, cut=True)
        root.collection("turns").document(f"{attempt:06d}").set(turn.to_store())
    tape = recorded(7)
    fields = {"attempt": 2, "epoch": 1, "since": tape.steps[0][0], "earlier_s": 0.0, "tape": tape.encode()}
    root.collection("tapes").document("2-1").set({"v": 1, **fields})
    return root


def test_the_timeline_tells_what_was_heard_said_and_decided(documents: firestore.DocumentReference) -> None:
    """If this fails the operator cannot see why a call went as it did."""
    recording = replay.load("tom/r1", "")

    lines = list(recording.lines())
    assert [at for at, *_ in lines] == sorted(at for at, *_ in lines)
    assert any(who == "callee" and "lincoln elementary" in words for _, who, _, words in lines)
    assert any(who == "floyd" and words.startswith("Hello, this is an AI assistant") for _, who, _, words in lines)
    assert any(words.startswith("StartReply") for *_, words in lines)
    assert not any("InterimHeard" in words for *_, words in lines)
    assert any("InterimHeard" in words for *_, words in recording.lines(everything=True))
    assert recording.judged_by_core() == (True, f"{len(replay.steps(recording.tapes[0]))} steps, every action the same")
    assert "hello" in str(replay.text_of((1.5, "callee", "", "hello")))


def test_a_core_that_would_decide_otherwise_is_reported(documents: firestore.DocumentReference) -> None:
    """If this fails a change of the core looks harmless for every recorded call."""
    whole = recorded(7)
    tape = Tape(whole.brief, whole.policy)
    for now, event, actions in [*whole.steps[:5], *whole.steps[9:]]:
        tape.add(now, event, actions)
    documents.collection("tapes").document("2-1").update({"tape": tape.encode()})

    same, said = replay.load("tom/r1/2", "").judged_by_core()

    assert not same
    assert "was" in said


def test_a_call_without_a_tape_is_told_by_its_turns(documents: firestore.DocumentReference) -> None:
    """If this fails calls of a relay that died cannot be looked at."""
    recording = replay.load("tom/r1/1", "")

    assert list(recording.lines()) == [(0.7, "callee", "dim", "hello 1 -- cut")]
    assert recording.judged_by_core()[0] is False


def test_what_is_not_there_is_said(documents: firestore.DocumentReference) -> None:
    """If this fails a mistyped id shows a stack trace."""
    for target, words in (("tom/r2", "no request tom/r2"), ("tom/r1/3", "has no call 3; its last attempt is 2")):
        with pytest.raises(NotFoundError, match=words):
            replay.load(target, "")
