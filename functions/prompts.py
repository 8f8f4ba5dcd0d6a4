"""What the planning and the outcome model are told (`words.toml`), and what they are shown."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from floyd.documents import Person, Request, Turn
from floyd.facts import for_model
from functions.plan_review import Known

# Of an earlier call the model is shown the end, where the next one goes on.
EARLIER_TURNS = 8
# Some places are rung often; the newest are the likeliest.
PLACES_SHOWN = 40

WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text())
PLAN_RULES: str = WORDS["rules"]["plan"]
OUTCOME_RULES: str = WORDS["rules"]["outcome"]


def plan_content(request: Request, known: Known, now: datetime) -> dict[str, Any]:
    """What the planner is shown. No value of a fact that needs a yes, or may never be told, is in it."""
    newest = sorted(known.places, key=lambda place: str(place.last_call_at), reverse=True)[:PLACES_SHOWN]
    return {
        "request": request.text,
        "now": now.astimezone(zone_of(known.person)).isoformat(timespec="seconds"),
        "language": request.language,
        "person": {"name": known.person.name},
        "facts": for_model(known.facts),
        "places": [{"name": place.name, "number": place.number, "notes": place.notes} for place in newest],
        "answers": [
            {"question": question.text, "answer": question.answer, "kind": question.kind} for question in known.answered
        ],
        "earlier": [
            {"attempt": attempt, "summary": _end_of(attempt, known.turns), "end_reason": call.end_reason}
            for attempt, call in known.calls
            if call.answered_at is not None and call.end_reason
        ],
    }


def outcome_content(request: Request, end_reason: str, turns: Sequence[tuple[int, Turn]]) -> dict[str, Any]:
    """What the outcome model is shown: what was heard, by whom."""
    plan = request.plan
    return {
        "request": request.text,
        "goal": plan.goal if plan else "",
        "done_when": plan.done_when if plan else [],
        "mandate": request.mandate.model_dump() if request.mandate else {},
        "end_reason": end_reason,
        "turns": [{"n": seq, "speaker": turn.speaker, "text": turn.heard} for seq, turn in turns if turn.heard],
    }


def zone_of(person: Person) -> ZoneInfo:
    """The person's time zone; UTC if this machine does not know it."""
    try:
        return ZoneInfo(person.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _end_of(attempt: int, turns: Sequence[tuple[int, Turn]]) -> str:
    said = [turn for _, turn in turns if turn.call == attempt and turn.heard][-EARLIER_TURNS:]
    return " / ".join(f"{turn.speaker}: {turn.heard}" for turn in said)
