"""What one request came to, as data: for `--json`, and for whoever measures."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from floyd.command.client import ErrandView


def report(view: ErrandView) -> dict[str, Any]:
    """One request in JSON's types. `gaps_ms` are the silences before Floyd's answers, as the documents tell them."""
    request = view.request
    outcome = request.outcome if request else None
    gaps = turn_gaps(view)
    return {
        "id": view.rid,
        "text": request.text if request else "",
        "status": request.status.value if request else "",
        "status_reason": request.status_reason if request else "",
        "attempts": len(view.calls),
        "outcome": outcome.model_dump() if outcome else None,
        "mandate": request.mandate.model_dump() if request and request.mandate else None,
        "told": [entry.model_dump(mode="json", exclude={"v"}) for entry in view.disclosures],
        "tasks": [task.model_dump(exclude={"v"}) for task in view.tasks],
        "questions": [question.model_dump(mode="json", exclude={"v"}) for question in view.questions.values()],
        "turns": [{"n": seq, **turn.model_dump(mode="json", exclude={"v", "at"})} for seq, turn in view.turns.items()],
        "gaps_ms": gaps,
        "gap_p50_ms": percentile(gaps, 50),
        "gap_p95_ms": percentile(gaps, 95),
        "stages": [gap.model_dump() for call in view.calls.values() for gap in call.gaps],
        "cost": str(cost(view)),
    }


def turn_gaps(view: ErrandView) -> list[int]:
    """Milliseconds between the callee's last word and Floyd's first, for each answer; one that overlaps counts as 0."""
    return [max(0, gap) for seq in view.turns if (gap := view.gap_ms(seq)) is not None]


def percentile(values: Sequence[float], rank: float) -> float | None:
    """The nearest-rank percentile; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * rank / 100))]


def cost(view: ErrandView) -> Decimal:
    """Dollars so far: the request's own total once it is counted, until then what its calls have cost."""
    total = Decimal(view.request.cost.amount) if view.request else Decimal(0)
    return max(total, sum((Decimal(call.cost.amount) for call in view.calls.values()), Decimal(0)))
