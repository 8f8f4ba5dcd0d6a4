"""The silence people feel: from the callee's last loud frame to Floyd's first, as the phone has it."""

from __future__ import annotations

from pathlib import Path

from floyd.documents import Gap
from tests.bench import talk, town
from tests.bench.figures import Figures, percentile

TURNS = 8
CALL_S = 150.0


def measure(folder: Path, *, calls: int) -> Figures:
    """Calls one after the other, vendors at their default delays."""
    gaps: list[float] = []
    stages: list[Gap] = []
    barge_ins: list[float] = []
    with town.running(folder, calls=calls) as (stack, network, numbers):
        for number in numbers:
            town.say(stack, talk.replies(TURNS + 2))
            client = town.person(stack, network, number, talk.callee(TURNS, interrupts=True))
            with client.request("Ask the library what they have") as errand:
                view = errand.wait_until(lambda view: any(call.ended_at for call in view.calls.values()), CALL_S)
            call = next(iter(view.calls.values()))
            assert call.sid is not None, "a call that ended was placed"
            record = network.call(call.sid, words=False)
            # The first gap is the opening, which is rendered before the call: a figure of its own.
            gaps += [gap["gap_ms"] for gap in record["turn_gaps"][1:]]
            barge_ins += [barge["stopped_after_ms"] for barge in record["barge_ins"]]
            stages += [gap for gap in call.gaps if gap.token_ms is not None]
            client.close()
    p50 = percentile(gaps, 0.5)
    return {
        "turns": (float(len(gaps)), None),
        "turn gap at the phone, p50 ms": (p50, None),
        "turn gap at the phone, p95 ms": (percentile(gaps, 0.95), None),
        "of it the vendors' own delays, ms": (town.VENDORS_MS, None),
        "added by Floyd, p50 ms": (p50 - town.VENDORS_MS, None),
        "added by Floyd, p95 ms": (percentile(gaps, 0.95) - town.VENDORS_MS, None),
        **{
            f"stage {name}, p50 ms": (percentile([value for gap in stages if (value := getattr(gap, name))], 0.5), None)
            for name in ("endpoint_ms", "final_ms", "token_ms", "clause_ms", "audio_ms", "frame_ms")
        },
        "barge-in to silence, p95 ms": (percentile(barge_ins, 0.95), 200.0),
    }
