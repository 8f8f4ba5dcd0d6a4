"""How often a callee who stops to think is cut in on, and how long one who has finished waits: in virtual time."""

from __future__ import annotations

from relay.core.events import InterimHeard, SegmentStarted, VoiceStarted, VoiceStopped
from relay.core.patience import completeness, patience_s
from relay.core.policy import Policy
from tests.bench.figures import Figures, percentile
from tests.bench.pauses import paused, whole
from tests.relay.core.play import Play, says

PAUSES_S = tuple(tenths / 10 for tenths in range(3, 11))
WORD_S = 0.3
LAG_S = 0.1
"""From a word's end to the interim that holds it."""
NOTICED_S = 0.08
"""From a voice's beginning or end to the detector's word for it."""


def measure() -> Figures:
    """The corpus at pauses of 0.3 to 1.0 s."""
    cut = [_cut_in(before, pause_s) for before, _ in paused() for pause_s in PAUSES_S]
    waits = [1000 * patience_s(completeness(text), Policy()) for text in whole()]
    return {
        "turns with a pause of 0.3 to 1.0 s inside": (float(len(cut)), None),
        "of them wrongly cut in on, %": (100 * sum(cut) / len(cut), 2.0),
        "patience with complete lines, p95 ms": (percentile(waits, 0.95), None),
    }


def _cut_in(before: str, pause_s: float) -> bool:
    """Whether our voice is heard before the callee's is heard again."""
    play = Play(mind=says("I see, thank you."))
    play.answer("hello")
    play.settle()
    start, words = play.ms, before.split()
    play.receive(VoiceStarted(start))
    for said in range(1, len(words) + 1):
        end = start + round(1000 * WORD_S * said)
        play.later(WORD_S * said + LAG_S, InterimHeard(" ".join(words[:said]), 0.9, start, end))
    play.later(WORD_S * len(words) + NOTICED_S, VoiceStopped(end))
    play.wait(WORD_S * len(words) + pause_s)
    began = [event for _, event in play.trace if isinstance(event, SegmentStarted)]
    play.wait(NOTICED_S)
    return len(began) > 2
