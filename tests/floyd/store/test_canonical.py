"""One line per call and per request, whoever ends it: the dashboards' only source."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest

from floyd import logs
from floyd.documents import Call, CallStatus, Cost, Gap, Request, Status
from floyd.lifecycle import Event, decide
from floyd.lifecycle.after_the_call import Swept
from floyd.lifecycle.during_the_call import CallFinished, CancelRequested, CarrierProgress, DialRefused, Postponed
from floyd.lifecycle.errand import Errand
from floyd.store import Store, request_path
from floyd.store.canonical import ended

NOW = datetime(2026, 11, 23, 15, 15, tzinfo=UTC)


def errand(status: Status, call: CallStatus | None) -> Errand:
    request = Request(
        text="t",
        status=status,
        created_at=NOW - timedelta(minutes=5),
        deadline=NOW,
        cost=Cost(amount="0.18"),
        trace="t9",
    )
    values = {
        "to": "+13125550142",
        "from": "+12125550100",
        "status": call,
        "sid": None if call is CallStatus.INTENDED else "CA1",
        "answered_at": NOW - timedelta(seconds=90),
        "cost": Cost(amount="0.09"),
        "gaps": [Gap(turn=turn, frame_ms=ms) for turn, ms in ((2, 700.0), (4, 400.0), (6, 450.0))],
        "not_after": NOW,
    }
    return Errand("tom", "r1", request, Call.model_validate(values) if call else None)


def kinds(before: Errand, event: Event, now: datetime = NOW) -> list[tuple[object, ...]]:
    lines = ended(before, decide(before, event, now), now)
    return [(line["kind"], line.get("end_reason") or line.get("status")) for line in lines]


def test_a_call_is_told_with_its_price_and_its_gaps_when_the_relay_ends_it() -> None:
    """If this fails the dashboard shows no call, or no turn gaps."""
    before = errand(Status.TALKING, CallStatus.IN_PROGRESS)

    (line,) = ended(before, decide(before, CallFinished(1, "done"), NOW), NOW)

    assert line == {
        "kind": "call",
        "attempt": 1,
        "end_reason": "done",
        "seconds": 90.0,
        "cost": 0.09,
        "gap_p50_ms": 450.0,
        "gap_max_ms": 700.0,
        "hops": 0,
        "line": "unknown",
    }


@pytest.mark.parametrize(
    ("status", "call", "event", "told"),
    [
        (Status.RINGING, CallStatus.RINGING, CarrierProgress(1, "CA1", CallStatus.BUSY, 0), [("call", "busy")]),
        (Status.WAITING, None, CancelRequested(), [("request", "cancelled")]),
        (
            Status.DIALING,
            CallStatus.INTENDED,
            DialRefused(1, "do_not_call", "no"),
            [("call", "do_not_call"), ("request", "failed")],
        ),
        (Status.DIALING, CallStatus.INTENDED, Postponed(1, NOW, "later"), [("call", "postponed")]),
        (Status.DIALING, CallStatus.INTENDED, Swept(), [("call", "never_claimed")]),
        (Status.TALKING, CallStatus.IN_PROGRESS, CancelRequested(), []),
    ],
)
def test_every_end_is_told_and_nothing_else(
    status: Status, call: CallStatus | None, event: Event, told: list[tuple[str, str]]
) -> None:
    """If this fails calls that never reach a relay are missing from the figures, or are counted twice."""
    assert kinds(errand(status, call), event, NOW + timedelta(seconds=1)) == told


async def test_lines_of_a_request_carry_its_trace_in_every_process(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """If this fails one errand's lines cannot be put together over the processes."""
    caplog.set_level(logging.INFO)
    before = errand(Status.WAITING, None)
    await store.put(request_path("tom", "r1"), before.request)

    await store.move("tom", "r1", CancelRequested())

    (record,) = [each for each in caplog.records if each.name == "floyd.store.canonical"]
    line = json.loads(logs.JsonLines("p").format(record))
    assert (line["message"], line["kind"], line["status"]) == ("request ended", "request", "cancelled")
    assert (line["uid"], line["rid"], line["cost"]) == ("tom", "r1", 0.18)
    assert line["logging.googleapis.com/trace"] == "projects/p/traces/t9"
