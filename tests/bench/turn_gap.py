"""The silence people feel: from the callee's last loud frame to Floyd's first, as the phone has it."""

from __future__ import annotations

from pathlib import Path

from floyd.command.stack import Stack
from floyd.command.telephone import TelephoneNetwork
from floyd.documents import Gap
from tests.bench import cut_ins, talk, town
from tests.bench.figures import Figures, percentile

TURNS = 8
CALL_S = 150.0
FINALS_MS = (200, 800)
"""The two standard cases: a recogniser at its quickest, and one closer to the real one."""
SPARE = 6
"""Scripted replies a turn: those thought ahead in vain use some up."""
STAGES = ("asked_ms", "token_ms", "clause_ms", "endpoint_ms", "audio_ms", "frame_ms", "final_ms")


def measure(folder: Path, *, calls: int) -> dict[str, Figures]:
    """Some calls at once in each standard case, thinking ahead and not; then the pause corpus."""
    found: dict[str, Figures] = {}
    for ahead in (True, False):
        stack = town.running(folder / str(ahead), calls=2 * calls, FLOYD_SPECULATION=str(ahead).lower())
        with stack as (running, network, numbers):
            for place, final_ms in enumerate(FINALS_MS):
                town.final_after(running, final_ms)
                name = f"finals after {final_ms} ms, {'' if ahead else 'not '}thinking ahead"
                found[name] = _case(running, network, numbers[place::2], final_ms)
    return found | {"pauses": cut_ins.measure()}


def _case(stack: Stack, network: TelephoneNetwork, numbers: list[str], final_ms: float) -> Figures:
    town.say(stack, talk.replies(len(numbers) * TURNS * SPARE))
    clients = [town.person(stack, network, number, talk.callee(TURNS, interrupts=True)) for number in numbers]
    errands = [client.request("Ask the library what they have") for client in clients]
    gaps: list[float] = []
    openings: list[float] = []
    barge_ins: list[float] = []
    stages: list[Gap] = []
    for errand, client in zip(errands, clients, strict=True):
        with errand:
            view = errand.wait_until(lambda view: any(call.ended_at for call in view.calls.values()), CALL_S)
        call = next(iter(view.calls.values()))
        assert call.sid is not None, "a call that ended was placed"
        record = network.call(call.sid, words=False)
        # The first gap is the opening, which is rendered before the call: a figure of its own.
        openings += [gap["gap_ms"] for gap in record["turn_gaps"][:1]]
        gaps += [gap["gap_ms"] for gap in record["turn_gaps"][1:]]
        barge_ins += [barge["stopped_after_ms"] for barge in record["barge_ins"]]
        stages += [gap for gap in call.gaps if gap.token_ms is not None]
        client.close()
    floor = final_ms + town.MODEL_AND_VOICE_MS
    return {
        "turns": (float(len(gaps)), None),
        "turn gap at the phone, p50 ms": (percentile(gaps, 0.5), None),
        "turn gap at the phone, p95 ms": (percentile(gaps, 0.95), 500.0),
        "vendors' delays added up, ms": (floor, None),
        "added by Floyd, p95 ms": (percentile(gaps, 0.95) - floor, None),
        **{f"{name} after speech, p50": (percentile(_known(stages, name), 0.5), None) for name in STAGES},
        "frame_ms after speech, p95": (percentile(_known(stages, "frame_ms"), 0.95), None),
        "barge-in to silence, p50 ms": (percentile(barge_ins, 0.5), None),
        "barge-in to silence, p95 ms": (percentile(barge_ins, 0.95), 200.0),
        "opening after the first words, worst ms": (max(openings, default=0.0), 100.0),
    }


def _known(stages: list[Gap], name: str) -> list[float]:
    return [value for gap in stages if (value := getattr(gap, name)) is not None]
