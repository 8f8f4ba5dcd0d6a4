"""The life of a request as one pure function: what an event does to it, and nothing else.

Laws, kept for any order and any number of copies of events:

- every accepted event raises `rev` by one, so a guard on the request's document serialises everything about it;
- within one attempt the status only rises; whatever begins again is the next attempt, with its own call document;
- a final status is left only by the person's retry, and `unconfirmed` also on the carrier's evidence;
- every other status has a deadline that the sweeper acts on;
- after a confirmed cancel no claim to dial succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from floyd.lifecycle import after_the_call, before_the_call, during_the_call, events
from floyd.lifecycle.before_the_call import approval_name
from floyd.lifecycle.errand import Create, Decision, Errand, Update
from floyd.lifecycle.events import Event

__all__ = ["Create", "Decision", "Errand", "Event", "Update", "approval_name", "decide", "events"]

_RULES: dict[type[Any], Callable[[Errand, Any, datetime], Decision]] = {
    events.JobClaimed: before_the_call.job_claimed,
    events.Planned: before_the_call.planned,
    events.AnsweredFromFacts: before_the_call.answered_from_facts,
    events.PlanFailed: before_the_call.plan_failed,
    events.JobFinished: before_the_call.job_finished,
    events.Edited: before_the_call.edited,
    events.Approved: before_the_call.approved,
    events.QuestionAsked: before_the_call.question_asked,
    events.QuestionAnswered: before_the_call.question_answered,
    events.Retried: before_the_call.retried,
    events.CancelRequested: during_the_call.cancel_requested,
    events.DialDue: during_the_call.dial_due,
    events.DialClaimed: during_the_call.dial_claimed,
    events.DialRefused: during_the_call.dial_refused,
    events.Postponed: during_the_call.postponed,
    events.Posted: during_the_call.posted,
    events.PostUnknown: during_the_call.post_unknown,
    events.CarrierProgress: during_the_call.carrier_progress,
    events.ResumeGranted: during_the_call.resume_granted,
    events.StreamStarted: during_the_call.stream_started,
    events.CallFinished: during_the_call.call_finished,
    events.OutcomeFound: after_the_call.outcome_found,
    events.Swept: after_the_call.swept,
}


def decide(errand: Errand, event: Event, now: datetime) -> Decision:
    """What `event` does at `now`. Total: any event in any state gives a decision, an impossible one is ignored."""
    return _RULES[type(event)](errand, event, now)
