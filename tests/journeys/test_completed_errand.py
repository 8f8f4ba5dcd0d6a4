"""Words become a call, and the call a result that can be checked."""

import json
import time
from pathlib import Path

import pytest

from floyd.command import replay
from floyd.documents import Status
from tests.journeys.town import DEADLINE_S, Town, finished

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)


def test_a_school_is_told_that_a_child_is_sick(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails Floyd does not do its main job, or an operator cannot follow it without reading people's words."""
    school = town.callee("school")
    tom = town.requester()
    tom.knows(school_name="Lincoln Elementary", school_number=school.number)
    tom.knows(child_name="Mara Baker", child_teacher="Mrs. Green")

    errand = tom.request("Tell Mara's school that she is sick today and will be back tomorrow")
    view = errand.wait_until(finished, DEADLINE_S)

    assert view.request is not None
    assert view.request.status is Status.DONE
    assert view.request.outcome is not None
    assert any(claim.proved for claim in view.request.outcome.claims)
    # The phone is the judge: it rang once, and what Floyd meant to say is what was heard there.
    assert len(school.rings()) == 1
    heard = school.heard()
    for words in ("assistant calling for tom baker", "mara is sick today", "mara baker", "mrs green"):
        assert words in heard
    spoken = [turn.heard for turn in view.turns.values() if turn.speaker == "callee"]
    assert [line for line in school.said() if line in spoken] == school.said()

    # The call can be held again from what it left, and every process told its part under one trace.
    logs = Path(town.stack.running.logs)
    monkeypatch.setenv("FLOYD_STACK_DIR", str(logs.parent))
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", town.stack.running.firestore)
    until = time.monotonic() + DEADLINE_S
    kinds: set[str] = set()
    while not kinds >= {"request", "call", "turn", "stream"}:  # the relay's last line comes after the result
        assert time.monotonic() < until, kinds
        written = [(logs / f"{name}.log").read_text() for name in ("api", "plan", "dial", "relay-1", "relay-2")]
        lines = [json.loads(line) for text in written for line in text.splitlines() if f'"{errand.rid}"' in line]
        kinds = {line.get("kind") for line in lines}
    assert {line["logger"].partition(".")[0] for line in lines} == {"floyd", "functions", "relay"}
    assert {line["logging.googleapis.com/trace"].rsplit("/", 1)[-1] for line in lines} == {view.request.trace}
    for private in ("mara", "green", "lincoln", school.number, tom.number):
        assert not [text for text in written if private in text.lower()]
    same, said = replay.load(f"{tom.client.uid}/{errand.rid}", "").judged_by_core()
    assert same, said
