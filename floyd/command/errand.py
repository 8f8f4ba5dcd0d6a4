"""One request as its owner sees it: kept current by subscription, and told as data for whoever measures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Self

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from pydantic import BaseModel

from floyd.documents import LIVE, TERMINAL, Call, Disclosure, Document, Live, Question, Request, Task, Turn


@dataclass(frozen=True, slots=True)
class ErrandView:
    """One request with everything that hangs on it at one moment."""

    rid: str
    request: Request | None = None
    questions: Mapping[str, Question] = field(default_factory=dict)
    calls: Mapping[int, Call] = field(default_factory=dict)
    turns: Mapping[int, Turn] = field(default_factory=dict)
    live: Live | None = None
    tasks: tuple[Task, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()

    def __str__(self) -> str:
        """Where the request stands, in one line for an error message."""
        if self.request is None:
            return f"request {self.rid} does not exist"
        calls = ", ".join(f"call {number} {call.status.value}" for number, call in self.calls.items()) or "no call"
        last = self.turns[self.newest_turn].heard if self.turns else ""
        status = f"{self.request.status.value} ({self.request.status_reason or 'no reason given'})"
        return f"request {self.rid} is {status}, {calls}, {len(self.turns)} turns, last heard {last!r}"

    @property
    def finished(self) -> bool:
        return self.request is not None and self.request.status in TERMINAL

    @property
    def open_question(self) -> tuple[str, Question] | None:
        """The newest question that waits for the person."""
        waiting = [(qid, question) for qid, question in self.questions.items() if question.status == "open"]
        return max(waiting, key=lambda pair: (pair[1].attempt, pair[1].deadline), default=None)

    @property
    def newest_turn(self) -> int:
        """The number of the last turn so far; 0 before the first."""
        return max(self.turns, default=0)

    @property
    def gaps(self) -> list[int]:
        """Milliseconds from the callee's last word to Floyd's first, for each answer; one that overlaps counts as 0."""
        return [max(0, gap) for seq in self.turns if (gap := self.gap_ms(seq)) is not None]

    @property
    def cost(self) -> Decimal:
        """Dollars so far: the request's own total once it is counted, until then what its calls have cost."""
        total = Decimal(self.request.cost.amount) if self.request else Decimal(0)
        return max(total, sum((Decimal(call.cost.amount) for call in self.calls.values()), Decimal(0)))

    def settled(self, seq: int) -> bool:
        """Whether a turn will change no more: another has followed it, or nobody is on the line any longer."""
        talking = self.request is not None and self.request.status in LIVE
        return seq < self.newest_turn or not talking

    def gap_ms(self, seq: int) -> int | None:
        """For a turn of Floyd's that answers the callee: the silence before it, in milliseconds."""
        turn, before = self.turns.get(seq), self.turns.get(seq - 1)
        if not turn or not before or turn.speaker != "floyd" or before.speaker != "callee" or turn.call != before.call:
            return None
        return turn.start_ms - before.end_ms

    def report(self) -> dict[str, Any]:
        """Everything in JSON's types. `gaps_ms` are the silences before Floyd's answers, as the documents tell them."""
        assert self.request, "whoever reports has seen it"
        known = {"text", "status", "status_reason", "outcome", "mandate"}
        gaps = self.gaps
        return {
            "id": self.rid,
            **self.request.model_dump(mode="json", include=known),
            "attempts": len(self.calls),
            "told": [_plain(entry) for entry in self.disclosures],
            "tasks": [_plain(task) for task in self.tasks],
            "questions": [_plain(question) for question in self.questions.values()],
            "turns": [{"n": seq, **_plain(turn, "at")} for seq, turn in self.turns.items()],
            "gaps_ms": gaps,
            "gap_p50_ms": percentile(gaps, 50),
            "gap_p95_ms": percentile(gaps, 95),
            "stages": [_plain(gap) for call in self.calls.values() for gap in call.gaps],
            "cost": str(self.cost),
        }


def _plain(value: BaseModel, *hidden: str) -> dict[str, Any]:
    return value.model_dump(mode="json", exclude={"v", *hidden})


def percentile(values: Sequence[float], rank: float) -> float | None:
    """The nearest-rank percentile; None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * rank / 100))] if ordered else None


class Errand:
    """A request kept current by subscription; `view` is always a whole, consistent value. Close it when done."""

    def __init__(self, client: firestore.Client, uid: str, rid: str) -> None:
        self.rid = rid
        self.view = ErrandView(rid)
        self._changed = threading.Condition()
        person = client.document("users", uid)
        request = person.collection("requests").document(rid)
        here = FieldFilter("request", "==", rid)
        # Each field of the view: where it comes from, what a document there is, and how all of them are held.
        watched: tuple[tuple[str, Any, type[Document], Callable[[Mapping[str, Any]], Any]], ...] = (
            ("request", request, Request, _only),
            ("questions", request.collection("questions"), Question, dict),
            ("calls", request.collection("calls"), Call, _numbered),
            ("turns", request.collection("turns"), Turn, _numbered),
            ("live", request.collection("live").document("now"), Live, _only),
            ("tasks", person.collection("tasks").where(filter=here), Task, _listed),
            ("disclosures", person.collection("disclosures").where(filter=here), Disclosure, _listed),
        )
        self._watches = [place.on_snapshot(self._on(name, kind, held)) for name, place, kind, held in watched]

    def __enter__(self) -> Self:
        return self

    def close(self, *_: object) -> None:
        for watch in self._watches:
            watch.unsubscribe()

    __exit__ = close

    def wait_until(self, wanted: Callable[[ErrandView], bool], timeout_s: float) -> ErrandView:
        """The first view that satisfies `wanted`; raises TimeoutError, with where it stood, after `timeout_s`."""
        with self._changed:
            if not self._changed.wait_for(lambda: wanted(self.view), timeout_s):
                raise TimeoutError(f"after {timeout_s:.0f} s: {self.view}")
            return self.view

    def _on(self, name: str, kind: type[Document], held: Callable[[Mapping[str, Any]], Any]) -> Callable[..., None]:
        def receive(found: list[Any], _changes: Any, _read_time: Any) -> None:
            value = held({each.id: kind.from_store(each.to_dict()) for each in found if each.exists})
            with self._changed:
                self.view = replace(self.view, **{name: value})
                self._changed.notify_all()

        return receive


def _only(found: Mapping[str, Any]) -> Any:
    return next(iter(found.values()), None)


def _numbered(found: Mapping[str, Any]) -> dict[int, Any]:
    return dict(sorted((int(name), value) for name, value in found.items()))


def _listed(found: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(found.values())
