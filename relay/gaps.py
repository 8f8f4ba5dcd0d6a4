"""How long each stage of an answer took, seen from the end of the callee's speech: what people feel as a turn gap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from floyd.documents import Gap
from relay.core.transcript import Turn


def gaps(turns: Iterable[Turn], first_token: Mapping[int, float], sound_at: Mapping[float, float]) -> list[Gap]:
    """One entry per answered turn.

    `first_token` gives the moment of a reply's first token by its id; `sound_at` the moment a segment's first sound
    came from the synthesiser, by the moment its first frame left. All moments are on the session's clock, in seconds.
    """
    found = []
    for turn in turns:
        stages = turn.stages
        if stages is None or stages.end_of_speech is None:
            continue
        start = stages.end_of_speech
        moments = {
            "asked_ms": stages.asked,
            "endpoint_ms": stages.endpoint,
            "final_ms": stages.first_final,
            "token_ms": first_token.get(stages.reply_id),
            "clause_ms": stages.first_text,
            "audio_ms": sound_at.get(stages.first_sound) if stages.first_sound is not None else None,
            "frame_ms": stages.first_sound,
        }
        since = {name: None if at is None else round(1000 * (at - start), 1) for name, at in moments.items()}
        found.append(Gap(turn=turn.seq, **since))
    return found


def turn_lines(turns: Iterable[Turn], measured: Iterable[Gap]) -> list[dict[str, Any]]:
    """The log line of each turn: how long the line was silent before it, and how an answer of ours came about."""
    stages = {gap.turn: gap for gap in measured}
    lines: list[dict[str, Any]] = []
    silent_since: int | None = None
    for turn in turns:
        line: dict[str, Any] = {"kind": "turn", "turn": turn.seq, "speaker": turn.speaker.value, "cut": turn.cut}
        if silent_since is not None:
            line["dead_air_ms"] = max(0, turn.start_ms - silent_since)
        if gap := stages.get(turn.seq):
            line |= gap.model_dump(exclude={"turn", "frame_ms"}) | {"turn_gap_ms": gap.frame_ms}
        lines.append(line)
        silent_since = max(silent_since or 0, turn.end_ms)
    return lines
