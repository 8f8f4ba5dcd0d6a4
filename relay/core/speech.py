"""What becomes of our own speech on its way to the callee's ear."""

from dataclasses import replace

from floyd import lines
from relay.core import closing
from relay.core import events as ev
from relay.core.actions import CancelSpeech
from relay.core.outcome import Outcome
from relay.core.state import State


def reported(state: State, event: ev.FromMouth | ev.MarkReached, now: float) -> None:
    """News of a segment, perhaps of one that is no longer wanted."""
    match event:
        case ev.SegmentStarted():
            _started(state, event.segment_id, now)
        case ev.SegmentSent():
            if state.ledger.sent(event.segment_id, event.duration_s, now):
                state.voice_failures = 0
        case ev.SegmentFailed():
            if any(segment.segment_id == event.segment_id for segment in state.ledger.unsent):
                broke_down(state, now)
        case ev.MarkReached():
            state.ledger.reached(event.name)


def _started(state: State, segment_id: str, now: float) -> None:
    turn = state.log.last_spoken_turn
    first = turn is not None and not any(segment.began for segment in turn.segments)
    if not state.ledger.started(segment_id, now):
        return
    assert turn is not None
    if first:
        turn.start_ms = state.position_ms(now)
    if turn.stages and turn.stages.first_sound is None:
        turn.stages = replace(turn.stages, first_sound=now)


def mark_overdue(state: State, now: float) -> None:
    state.ledger.assume_heard()


def broke_down(state: State, now: float) -> None:
    """No voice: say the unsent segments once more, each in full; then give the call up."""
    unsent = state.ledger.clear_unsent()
    state.actions.append(CancelSpeech())
    state.voice_failures += 1
    if state.voice_failures >= state.policy.speech_attempts:
        closing.close(state, Outcome.VENDOR_FAILED, lines.APOLOGY, now)
        return
    turn = state.log.last_spoken_turn
    assert turn is not None
    turn.segments = [segment for segment in turn.segments if segment not in unsent]
    for segment in unsent:
        again = state.say(segment.text, now, protected=segment.protected, digits=segment.digits)
        if segment in state.opening_segments:
            state.opening_segments[state.opening_segments.index(segment)] = again
