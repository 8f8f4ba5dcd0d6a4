"""What follows from evidence, or from none, when a deadline has passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from floyd.documents import Call, CallStatus, Request, Status
from floyd.lifecycle import Errand, decide
from floyd.lifecycle.after_the_call import Swept
from floyd.lifecycle.during_the_call import CallFinished, CarrierProgress, PostUnknown
from floyd.lifecycle.limits import ABSENT_AFTER, EVIDENCE_LIMIT, REDIAL_AFTER

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def ordered(*, redials: int = 0, cancelled: bool = False) -> Errand:
    """The carrier's answer to the order was lost at NOW."""
    call = Call.model_validate({"to": "+13125550142", "from": "+12025550100", "epoch": 1, "status": "posting"})
    request = Request(
        text="order roses",
        status=Status.DIALING,
        created_at=NOW,
        deadline=NOW + timedelta(minutes=2),
        redials=redials,
        cancel_requested_at=NOW if cancelled else None,
    )
    return decide(Errand("u", "r", request, call), PostUnknown(1), NOW).errand


def test_an_empty_list_counts_only_when_it_had_time_to_fill() -> None:
    """If this fails a call that is listed a second late is ordered again while it rings."""
    early = decide(ordered(), Swept("absent"), NOW + ABSENT_AFTER / 2)
    assert early.ignored is not None
    again = decide(ordered(), Swept("absent"), NOW + ABSENT_AFTER)
    assert (again.errand.request.status, again.errand.request.attempt) == (Status.READY, 2)
    assert [fields["end_reason"] for fields in again.updates.values()] == ["never_placed"]


def test_evidence_about_an_earlier_order_says_nothing_about_this_one() -> None:
    """If this fails an old look at the carrier's list has a phone that rings ordered again."""
    stale = decide(ordered(), Swept("absent", 2), NOW + timedelta(hours=1))
    assert stale.ignored == "another attempt"
    assert decide(ordered(), Swept("absent", 1), NOW + ABSENT_AFTER).ignored is None


def test_the_lost_orders_call_is_refused_when_it_turns_up_late() -> None:
    """If this fails two phones ring for one request."""
    again = decide(ordered(), Swept("absent"), NOW + ABSENT_AFTER).errand
    late = decide(again, CarrierProgress(1, "CA1", CallStatus.INITIATED), NOW + timedelta(minutes=1))
    assert (late.ignored, late.answer) == ("another attempt", "cancel_other")


def test_orders_that_are_always_lost_end() -> None:
    """If this fails a carrier that swallows every order has Floyd order for ever."""
    ended = decide(ordered(redials=len(REDIAL_AFTER)), Swept("absent"), NOW + ABSENT_AFTER).errand.request
    assert ended.status is Status.FAILED
    assert ended.outcome is not None
    assert ended.outcome.category == "vendor_failed"


def test_an_order_is_not_placed_again_when_nobody_expects_it_any_more() -> None:
    """If this fails a phone rings hours later, because everything was down or the store was restored."""
    lost = ordered()
    assert lost.call is not None
    old = replace(lost, call=lost.call.model_copy(update={"not_after": NOW + timedelta(minutes=10)}))
    assert decide(old, Swept("absent", 1), NOW + timedelta(minutes=9)).errand.request.status is Status.READY
    assert decide(old, Swept("absent", 1), NOW + timedelta(minutes=11)).errand.request.status is Status.FAILED


def test_a_cancelled_order_that_was_never_placed_is_cancelled() -> None:
    """If this fails a person who cancelled in time is rung for all the same."""
    ended = decide(ordered(cancelled=True), Swept("absent"), NOW + ABSENT_AFTER).errand.request
    assert ended.status is Status.CANCELLED


@pytest.mark.parametrize(
    ("waited", "status"), [(EVIDENCE_LIMIT / 2, Status.DIALING), (EVIDENCE_LIMIT * 2, Status.UNCONFIRMED)]
)
def test_without_evidence_nothing_is_ordered_again(waited: timedelta, status: Status) -> None:
    """If this fails Floyd rings a second time because the carrier's API was away."""
    after = decide(ordered(), Swept("unknown"), NOW + waited).errand.request
    assert (after.status, after.attempt) == (status, 1)


def test_whether_to_go_on_waiting_is_no_question_after_the_call() -> None:
    """If this fails Floyd does not ring back with the person's answer until they have answered about the hold too."""
    talking = {"status": Status.TALKING, "open_questions": ["1-1-hold-3-0", "1-1-5-1"]}
    errand = ordered()
    errand = replace(errand, request=errand.request.model_copy(update=talking))
    wrapped = decide(errand, CallFinished(1, "needs_answer"), NOW)
    assert wrapped.errand.request.open_questions == ["1-1-5-1"]
    assert wrapped.updates["questions/1-1-hold-3-0"] == {"status": "expired"}


def test_the_carriers_last_word_may_come_after_the_outcome() -> None:
    """If this fails a late report wraps a call up again while the person is being asked, under a job's taken name."""
    call = Call.model_validate(
        {
            "to": "+13125550142",
            "from": "+12025550100",
            "sid": "CA1",
            "status": "in-progress",
            "end_reason": "needs_answer",
        }
    )
    request = Request(text="order roses", status=Status.WAITING, created_at=NOW, deadline=NOW + timedelta(days=7))
    late = decide(Errand("u", "r", request, call), CarrierProgress(1, "CA1", CallStatus.COMPLETED), NOW)
    assert late.errand.call is not None
    assert (late.errand.request.status, late.errand.call.status) == (Status.WAITING, CallStatus.COMPLETED)
    assert late.creates == {}


@pytest.mark.parametrize(
    ("status", "reason", "unconfirmed"),
    [
        (CallStatus.BUSY, "busy", "busy"),
        (CallStatus.NO_ANSWER, "no_answer", "no_answer"),
        (CallStatus.FAILED, "line_failed", "line_failed"),
        (CallStatus.CANCELED, "cancelled", "cancelled"),
        (CallStatus.COMPLETED, "line_failed", "line_failed"),
    ],
)
def test_each_final_status_has_its_own_meaning(status: CallStatus, reason: str, unconfirmed: str) -> None:
    """If this fails a busy line and a broken one are told alike, or late evidence is lost on an unconfirmed call."""
    ended = decide(ordered(), CarrierProgress(1, "CA1", status), NOW).errand
    assert ended.call is not None
    assert (ended.request.status, ended.call.end_reason) == (Status.WRAPPING, reason)
    lost = decide(ordered(), Swept("unknown"), NOW + 2 * EVIDENCE_LIMIT).errand
    late = decide(lost, CarrierProgress(1, "CA1", status), NOW + timedelta(days=1)).errand.request
    assert late.outcome is not None
    assert late.outcome.category == unconfirmed
