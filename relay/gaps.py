"""How long each stage of an answer took, seen from the end of the callee's speech: what people feel as a turn gap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
