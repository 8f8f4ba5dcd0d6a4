"""Dead air ends by itself, whatever else is stuck."""

import pytest

from relay.core.events import VoiceStarted, VoiceStopped
from relay.watchdog import LEAST_S, OWN_LINE_S, QUIET_S, STEP_S, Alarm, Unanswered, Watchdog


def alarms(watchdog: Watchdog, until: int, meant_s: float = 15.0, since: int = 0) -> list[tuple[int, Alarm]]:
    """What is found by looking once a second."""
    looks = ((now, watchdog.look(now, lambda: meant_s)) for now in range(since, until))
    return [(now, alarm) for now, alarm in looks if alarm]


def test_a_silence_that_is_not_meant_is_broken_then_ended() -> None:
    """If this fails a callee listens to nothing until the call's limit."""
    assert alarms(Watchdog(0.0), 60)[:3] == [
        (15, Alarm.SPEAK),
        (15 + STEP_S, Alarm.APOLOGISE),
        (15 + 2 * STEP_S, Alarm.HANG_UP),
    ]


def test_silence_on_hold_is_meant() -> None:
    """If this fails the watchdog talks to hold music that has a pause."""
    assert alarms(Watchdog(0.0), 3600, meant_s=float("inf")) == []


def test_sound_of_either_side_calms_it_and_its_own_does_not() -> None:
    """If this fails the watchdog takes its own line for a sign of life, or barks at people who talk."""
    watchdog = Watchdog(0.0)
    assert alarms(watchdog, 16) == [(15, Alarm.SPEAK)]
    watchdog.sounded(15 + OWN_LINE_S - 1)
    assert alarms(watchdog, 30, since=16) == [(23, Alarm.APOLOGISE)]
    watchdog.sounded(30.0)
    assert alarms(watchdog, 60, since=30) == [(45, Alarm.SPEAK), (53, Alarm.APOLOGISE)]


def test_a_short_silence_costs_nothing() -> None:
    """If this fails every second of every call asks the conversation for all it knows."""
    asked: list[float] = []
    watchdog = Watchdog(0.0)
    for now in range(int(LEAST_S)):
        watchdog.look(now, lambda: asked.append(0.0) or 0.0)
    assert asked == []


def waits(*voices: tuple[int, int]) -> list[float]:
    """When an answer is due, looked for at every frame of ten seconds with these voices (begin and end in ms)."""
    unanswered, found = Unanswered(), []
    for now_ms in range(0, 10_000, 20):
        for began, ended in voices:
            if now_ms == began:
                unanswered.heard(VoiceStarted(began), now_ms / 1000)
            elif now_ms == ended:
                unanswered.heard(VoiceStopped(ended), now_ms / 1000)
        if unanswered.due(now_ms / 1000):
            found.append(now_ms / 1000)
    return found


def test_whoever_spoke_waits_for_an_answer_and_a_noise_does_not() -> None:
    """If this fails a callee is left in silence by a deaf recogniser, or every cough is answered."""
    assert waits((1000, 3000)) == pytest.approx([3.0 + QUIET_S], abs=0.03)
    assert waits((1000, 1600)) == []
    assert waits((1000, 1600), (2000, 2600)) == pytest.approx([2.6 + QUIET_S], abs=0.03), (
        "a pause between two words is no end"
    )
    assert waits((1000, 1600), (5000, 5600)) == []
    assert waits((1000, 2500), (3000, 9900)) == []
