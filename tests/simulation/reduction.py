"""Replays a recorded call, and finds the shortest part of it that still breaks the same law."""

from __future__ import annotations

from collections.abc import Sequence

from relay.core import actions as act
from relay.core import events as ev
from relay.core.brief import Brief
from relay.core.policy import Policy
from tests.simulation.judge import Judge
from tests.simulation.laws import BrokenLawError, Tally

Trace = Sequence[tuple[float, ev.Event | None]]
"""(now, event); None is the timer."""
Step = tuple[float, ev.Event | None, list[act.Action]]
MOST_TIMERS = 200
"""More deadlines than any call has left after its last event."""


def replay(trace: Trace, brief: Brief, policy: Policy) -> tuple[list[Step], BrokenLawError | None]:
    """Every input with its actions, and the law that broke, if any.

    A trace without timers gets them exactly when they are due.
    """
    judge, steps = Judge(brief, policy, Tally()), list[Step]()
    timed = any(event is None for _, event in trace)
    now = trace[0][0] if trace else 0.0
    try:
        for now, event in trace:
            while not timed and judge.deadline is not None and judge.deadline <= now:
                steps.append((judge.deadline, None, judge.fire(judge.deadline)))
            if event is not None:
                steps.append((now, event, judge.receive(event, now)))
            elif judge.deadline is not None and judge.deadline <= now:
                steps.append((now, None, judge.fire(now)))
        for _ in range(0 if timed else MOST_TIMERS):
            if judge.deadline is not None:
                now = max(now, judge.deadline)
                steps.append((now, None, judge.fire(now)))
        judge.finish(now)
    except BrokenLawError as broken:
        last_now, last_event = judge.trace[-1]
        return [*steps, (last_now, last_event, [])], broken
    return steps, None


def shortest(trace: Trace, brief: Brief, policy: Policy, law: str) -> list[tuple[float, ev.Event | None]]:
    """The trace without whatever can be left out of it, larger pieces first; the same law still breaks."""

    def breaks(part: Trace) -> bool:
        broken = replay(part, brief, policy)[1]
        return broken is not None and broken.law == law

    kept: list[tuple[float, ev.Event | None]] = [(now, event) for now, event in trace if event is not None]
    if not breaks(kept):
        kept = list(trace)
    size = len(kept) // 2
    while size:
        start = 0
        while start < len(kept):
            part = kept[:start] + kept[start + size :]
            if breaks(part):
                kept = part
            else:
                start += size
        size //= 2
    return kept


def show(steps: Sequence[Step]) -> str:
    """One line for each input, one below it for each action; times count from the first input."""
    lines = []
    for now, event, actions in steps:
        lines.append(f"{now - steps[0][0]:9.3f} < {event or 'timer'}")
        lines += [f"          > {_brief(action)}" for action in actions]
    return "\n".join(lines)


def _brief(action: act.Action) -> str:
    match action:
        case act.SaveTranscript():
            return "SaveTranscript"
        case act.StartReply():
            return f"StartReply({action.reply_id}, speculative={action.speculative}) after {action.turns[-1:]}"
        case _:
            return str(action)
