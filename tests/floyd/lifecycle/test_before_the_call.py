"""What the person's answers decide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from floyd.documents import BEFORE_DIALING, Call, JobReason, Lease, Question, Request, Status
from floyd.lifecycle import Errand, decide
from floyd.lifecycle.before_the_call import Edited, PlanFailed, QuestionAnswered
from floyd.plans import MandateTerms, Outcome

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
QID = "approval-1"


def waiting(call: Call | None = None) -> Errand:
    """A request that waits for a yes: to its plan, or after a call to what the callee asked."""
    question = Question(text="?", kind="approval", deadline=NOW + timedelta(days=7), offer="80", attempt=1)
    request = Request(
        text="order roses",
        status=Status.WAITING,
        created_at=NOW,
        deadline=NOW + timedelta(days=7),
        mandate=MandateTerms(max_amount="80"),
        open_questions=[QID],
    )
    return Errand("u", "r", request, call, question)


@pytest.mark.parametrize("answer", ["no", "No, thanks.", "cancel"])
def test_a_no_to_the_plan_ends_the_request(answer: str) -> None:
    """If this fails Floyd rings although the person said no."""
    after = decide(waiting(), QuestionAnswered(QID, answer, "app"), NOW).errand.request
    assert after.status is Status.CANCELLED
    assert after.outcome == Outcome(category="cancelled", summary="You decided against this call.")


def test_a_narrower_yes_to_the_plan_plans_again() -> None:
    """If this fails "no, 60 at most" cancels what the person wants done."""
    decision = decide(waiting(), QuestionAnswered(QID, "No, 60 dollars at most", "app"), NOW)
    assert decision.errand.request.status is Status.PLANNING
    assert JobReason.ANSWER in [getattr(document, "reason", None) for document in decision.creates.values()]


@pytest.mark.parametrize("answer", ["no", "No, 80 dollars at most"])
def test_a_no_after_a_call_is_brought_to_the_callee(answer: str) -> None:
    """If this fails the callee who was promised a call back never gets one."""
    call = Call.model_validate({"to": "+13125550142", "from": "+12025550100", "epoch": 1})
    after = decide(waiting(call), QuestionAnswered(QID, answer, "sms"), NOW).errand.request
    assert after.status is Status.PLANNING
    assert after.attempt == 2
    assert after.mandate is not None
    assert after.mandate.max_amount == "80"


@pytest.mark.parametrize("status", sorted(BEFORE_DIALING))
def test_an_edit_before_any_call_stays_within_the_attempt(status: Status) -> None:
    """If this fails attempts count what never rang, or a plan for the old words is carried out."""
    errand = waiting()
    lease = Lease(owner="a", epoch=1, until=NOW + timedelta(minutes=1))
    request = errand.request.model_copy(update={"status": status, "lease": lease})
    edited = decide(Errand("u", "r", request), Edited(text="order tulips"), NOW)
    after = edited.errand.request
    assert (after.status, after.attempt, after.open_questions) == (Status.PLANNING, 1, [])
    assert [fields["status"] for fields in edited.updates.values()] == ["expired"]
    assert "jobs/new-1" not in edited.creates, "the first words' job is there already"
    late = decide(edited.errand, PlanFailed(1, "new-1", "m", retryable=False), NOW)
    assert late.ignored == "the lease has passed on"


def test_an_edit_after_a_call_begins_another_attempt() -> None:
    """If this fails a second call overwrites the first one's document."""
    call = Call.model_validate({"to": "+13125550142", "from": "+12025550100", "epoch": 1})
    after = decide(waiting(call), Edited(text="order tulips"), NOW).errand
    assert (after.request.status, after.request.attempt, after.call) == (Status.PLANNING, 2, None)
