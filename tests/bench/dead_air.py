"""What a callee hears while a vendor fails: silence, as the phone has it, and how soon a lost call ends decently."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from floyd.command.errand import ErrandView
from tests.bench import talk, town
from tests.bench.figures import Figures, percentile
from tests.journeys.trouble import Trouble

FOR_GOOD = 1000
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": ("model", {"kind": "status", "of": "plan", "count": 0}),
    "model slow": ("model", {"kind": "stall", "of": "talk", "after_tokens": 0, "count": 1}),
    "model stalls in mid-sentence": ("model", {"kind": "stall", "of": "talk", "after_tokens": 2, "count": 1}),
    "model stalls after a sentence": ("model", {"kind": "stall", "of": "talk", "after_tokens": 12, "count": 1}),
    "model answers 503": ("model", {"kind": "status", "of": "talk", "status": 503, "count": 2}),
    "model writes garbage": ("model", {"kind": "garbage", "of": "talk", "count": 1}),
    "model gone": ("model", {"kind": "status", "of": "talk", "status": 503, "count": FOR_GOOD}),
    "model hangs for good": ("model", {"kind": "stall", "of": "talk", "count": FOR_GOOD}),
    "voice slow": ("voice", {"kind": "slow", "delay_ms": 1500, "times": 2}),
    "voice hangs": ("voice", {"kind": "hang", "times": 1}),
    "voice fails": ("voice", {"kind": "status", "times": 1}),
    "voice cut off": ("voice", {"kind": "truncated", "times": 1}),
    "voice gone": ("voice", {"kind": "status", "times": FOR_GOOD}),
    "ear breaks": ("ears", {"kind": "status", "live": True, "times": 1}),
    "ear silent": ("ears", {"kind": "hang", "live": True, "times": 0}),
    "ear silent for good": ("ears", {"kind": "hang", "live": True, "times": FOR_GOOD}),
    "ear gone": ("ears", {"kind": "status", "live": True, "times": FOR_GOOD}),
}
"""Name to vendor and fault; one with a count of its own strikes again at each turn of the callee."""
LINES = 4
CALL_S = 100.0
FRAME_S = 0.02
LOUD = 200.0
"""Root mean square of a frame with a voice in it, -44 dB of full scale."""
LEAST_S = 0.25
FILLER_S, EXIT_S = 2.0, 12.0


def measure(folder: Path, *, only: str = "") -> Figures:
    """One call for each fault whose name contains `only`."""
    names = [name for name in FAULTS if only in name]
    found: Figures = {}
    with town.running(folder, calls=len(names)) as (stack, network, numbers):
        for name, number in zip(names, numbers, strict=True):
            trouble = Trouble(stack, network)
            vendor, fault = FAULTS[name]
            strike = {"model": trouble.with_model, "voice": trouble.with_voice, "ears": trouble.with_ears}[vendor]
            lasting = FOR_GOOD in (fault.get("times"), fault.get("count"))
            client = town.person(stack, network, number, talk.callee(LINES))
            with client.request("Ask the library what they have") as errand:
                for turns in (1, 3, 5):
                    errand.wait_until(lambda view, turns=turns: len(view.turns) > turns or _over(view), CALL_S)
                    if turns == 1 or not lasting:
                        strike(**fault)
                view = errand.wait_until(_over, CALL_S)
            sids = [call.sid for call in view.calls.values() if call.sid]
            silences, last_s = _heard(network.sound(sids[0]))
            found |= {
                f"{name}: silence, p50 s": (percentile(silences, 0.5), None),
                f"{name}: silence, p95 s": (percentile(silences, 0.95), EXIT_S if lasting else FILLER_S),
                f"{name}: longest silence, s": (max(silences, default=0.0), EXIT_S),
            }
            if lasting:
                found[f"{name}: from the callee's last word to the end of ours, s"] = (last_s, EXIT_S)
            client.close()
            trouble.mend()
            trouble.close()
    return found


def _over(view: ErrandView) -> bool:
    return any(call.ended_at for call in view.calls.values())


def _heard(sound: bytes) -> tuple[list[float], float]:
    """Every silence on the line between our first and our last word, and how long after the callee's last we ended."""
    with wave.open(io.BytesIO(sound)) as file:
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2).astype(float)
        size = int(file.getframerate() * FRAME_S)
    frames = both[: len(both) // size * size].reshape(-1, size, 2)
    callee, ours = (np.sqrt((frames**2).mean(axis=1)) > LOUD).T
    spoke = np.flatnonzero(ours)
    if not len(spoke):
        return [len(ours) * FRAME_S], len(ours) * FRAME_S
    silences = [length for length in _runs(~(callee | ours)[spoke[0] : spoke[-1]]) if length >= LEAST_S]
    callee_last = max(np.flatnonzero(callee[: spoke[-1]]), default=spoke[0])
    return silences, float(spoke[-1] - callee_last) * FRAME_S


def _runs(quiet: Any) -> Iterator[float]:
    """Lengths in seconds of the stretches that are true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(int), [0]])))
    return ((end - start) * FRAME_S for start, end in edges.reshape(-1, 2))
