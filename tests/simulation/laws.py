"""The laws of a conversation, what has been reached and checked, and a conversation that keeps to its own table."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from relay.core import actions as act
from relay.core import events as ev
from relay.core.brief import Brief
from relay.core.conversation import SETTLING, TRANSITIONS, Conversation, Settling, Transition
from relay.core.deadlines import Deadline
from relay.core.policy import Policy

LAWS = {
    "closed": "a closed conversation does nothing and waits for nothing; a live one waits for something",
    "waiting": "no state waits longer than its own deadline, least of all on a vendor",
    "table": "every move leads where its row says and emits what its row allows",
    "timer": "acting on a deadline moves the next one past it",
    "total": "no event in any state raises",
    "one reply": "at most one reply is open, and ids of replies and segments never repeat",
    "last": "the call is ended at most once, as the last action of all",
    "clear": "the carrier is told to clear only after our own speech was cancelled",
    "heard": "what was cut or never sent is not in the transcript as heard, and a cut turn says so",
    "words": "the callee's words are neither lost nor doubled",
    "pause": "a pause ends in seconds, in speech or in giving way, and after so many for nothing there are none",
    "ahead": "nothing is said of what was thought ahead before the callee's turn is over",
    "protected": "a mere voice never cuts the disclosure or a goodbye",
    "disclosure": "the disclosure is the first thing said to a person; nothing of the model comes before it",
    "secret": "nothing unreleased is spoken, nor prepared",
    "mandate": "no amount beyond what the person allows is agreed to",
    "questions": "one question to the person at a time, each once, at most as many as allowed",
    "opt-out": "after 'stop calling' is recorded no model is asked any more, and it is recorded once",
    "spend": "neither replies nor sentences are tried again more often than allowed without anything new",
    "answered": "whoever has said something hears something, in seconds",
    "hold": "no model is asked while nobody is there, and a hold ends within its limit",
    "silence": "a callee who says nothing is not waited for without end",
    "goodbyes": "Floyd takes leave once, and once more if the callee takes the first one back",
    "bounded": "the call ends within its limit, and closing within its own",
    "left running": "nothing of the model runs on after the end",
}


def row_name(row: Transition) -> str:
    """A row of the table in words: where, and on what."""
    triggers = (each.name if isinstance(each, Deadline) else each.__name__ for each in row.triggers)
    return f"{'|'.join(floor.name for floor in row.floors)} on {'|'.join(triggers)}"


_MOVES = {id(row): (row_name(row), row.floors, row.becomes, frozenset(row.emits)) for row in TRANSITIONS}


class BrokenLawError(AssertionError):
    """A law of `LAWS` does not hold."""

    def __init__(self, law: str, message: object) -> None:
        super().__init__(f"{law}: {message}")
        self.law = law


class Tally:
    """What has been reached and checked, over many calls."""

    def __init__(self) -> None:
        self.moves: defaultdict[tuple[str, Any, Any], int] = defaultdict(int)
        """Name of the row or rule, the trigger, and where it led."""
        self.checks: defaultdict[str, int] = defaultdict(int)
        self.kinds: defaultdict[type[Any], int] = defaultdict(int)
        """Of events and actions."""
        self.others: defaultdict[str, int] = defaultdict(int)
        self.strange: set[str] = set()
        """What nobody here knows of."""

    def add(self, other: Tally) -> None:
        self.strange |= other.strange
        for name in ("moves", "checks", "kinds", "others"):
            mine = getattr(self, name)
            for key, count in getattr(other, name).items():
                mine[key] += count

    def missing(self) -> list[str]:
        """What was never reached, in words; empty when everything was."""
        reached: set[Any] = {name for name, _, _ in self.moves} | {trigger for _, trigger, _ in self.moves}
        reached |= self.kinds.keys() | self.checks.keys()
        wanted: dict[Any, str] = {name: f"row: {name}" for name, *_ in _MOVES.values()}
        wanted |= {rule.name: f"rule: {rule.name}" for rule in SETTLING} | {law: f"law: {law}" for law in LAWS}
        wanted |= {deadline: f"deadline: {deadline.name}" for deadline in Deadline}
        wanted |= {kind: f"event or action: {kind.__name__}" for kind in (*ev.Event.__args__, *act.Action.__args__)}
        return [*self.strange, *(words for key, words in wanted.items() if key not in reached)]


class Watched(Conversation):
    """Checks each move against its row, and counts it."""

    def __init__(self, brief: Brief, policy: Policy, tally: Tally) -> None:
        super().__init__(brief, policy)
        self.tally = tally
        self.fired: list[Deadline] = []
        """The deadlines that acted in the last call of `handle_timer`."""

    def _move(self, row: Transition | Settling, *input_: Any) -> None:
        moves, state = self.tally.moves, self._state
        if isinstance(row, Settling):
            row.then(state, *input_)
            if row.when(state):
                raise BrokenLawError("table", f"{row.name}: it still holds")
            moves[row.name, None, None] += 1
            return
        name, floors, becomes, emits = _MOVES[id(row)]
        before, floor = len(state.actions), self.floor
        trigger: Any = type(input_[0]) if len(input_) > 1 else row.triggers[0]
        if len(input_) == 1:
            self.fired.append(trigger)
        row.then(state, *input_)
        after = self.floor
        self.tally.checks["table"] += 1
        if floor not in floors or not (after in becomes or (row.stays and after is floor)):
            raise BrokenLawError("table", f"{name}: {floor.name} -> {after.name}")
        for action in state.actions[before:]:
            if type(action) not in emits:
                raise BrokenLawError("table", f"{name} in {floor.name} emitted {action}")
        moves[name, trigger, after] += 1
