"""The one log line of a request and of each call, told by whichever process brings it to its end.

Dashboards and alerts are made of these lines; docs/operating.md lists their fields.
"""

from __future__ import annotations

import logging
from datetime import datetime

from floyd.documents import TERMINAL, Call
from floyd.lifecycle import Decision, Errand

log = logging.getLogger(__name__)

Fields = dict[str, object]


def tell(before: Errand, decision: Decision, now: datetime) -> None:
    """Log what a committed decision ended."""
    for fields in ended(before, decision, now):
        log.info("%s ended", fields["kind"], extra={"uid": before.uid, "rid": before.rid, **fields})


def ended(before: Errand, decision: Decision, now: datetime) -> list[Fields]:
    """The lines of the call and of the request that this decision ends. `now`: when it was taken."""
    request, found = decision.errand.request, []
    attempt, call = before.request.attempt, before.call
    if call is not None and call.end_reason is None:
        # A call that another attempt replaces is closed beside the request, not as its present call.
        closed = decision.updates.get(f"calls/{attempt}")
        after = call.model_copy(update=dict(closed)) if closed else decision.errand.call
        if after is not None and after.end_reason is not None:
            found.append({"kind": "call", "attempt": attempt, **_of_call(after)})
    if request.status in TERMINAL and before.request.status not in TERMINAL:
        fields: Fields = {
            "kind": "request",
            "attempt": request.attempt,
            "status": request.status.value,
            "category": request.outcome.category if request.outcome else None,
            "seconds": round((now - request.created_at).total_seconds(), 1),
            "cost": float(request.cost.amount),
        }
        found.append(fields)
    return found


def _of_call(call: Call) -> Fields:
    gaps = sorted(gap.frame_ms for gap in call.gaps if gap.frame_ms is not None)
    talked = call.ended_at - call.answered_at if call.ended_at and call.answered_at else None
    return {
        "end_reason": call.end_reason,
        "seconds": round(talked.total_seconds(), 1) if talked else 0.0,
        "cost": float(call.cost.amount),
        "gap_p50_ms": gaps[len(gaps) // 2] if gaps else None,
        "gap_max_ms": gaps[-1] if gaps else None,
        "hops": call.hops,
        "line": call.line,
    }
