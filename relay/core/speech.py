"""What becomes of our own speech on its way to the callee's ear."""

from dataclasses import replace

from floyd import lines
from relay.core import closing
from relay.core.actions import CancelSpeech
from relay.core.events import MarkReached, SegmentFailed, SegmentSent, SegmentStarted
from relay.core.outcome import Outcome
from relay.core.playout import Segment
from relay.core.state import State


def started(state: State, event: SegmentStarted, now: float) -> None:
    turn = state.log.last_spoken_turn
    first = turn is not None and not any(segment.began for segment in turn.segments)
    if not state.ledger.started(event.segment_id, now):
        return
    assert turn is not None
    if first:
        turn.start_ms = state.position_ms(now)
    if turn.stages and turn.stages.first_sound is None:
        turn.stages = replace(turn.stages, first_sound=now)


def sent(state: State, event: SegmentSent, now: float) -> None:
    if state.ledger.sent(event.segment_id, event.duration_s, now):
        state.voice_failures = 0


def reached(state: State, event: MarkReached, now: float) -> None:
    state.ledger.reached(event.name)


def mark_overdue(state: State, now: float) -> None:
    state.ledger.assume_heard()


def failed(state: State, event: SegmentFailed, now: float) -> None:
    unsent = state.ledger.unsent
    if state.ledger.failed(event.segment_id):
        _repeat_or_end(state, unsent, now)


def overdue(state: State, now: float) -> None:
    _repeat_or_end(state, state.ledger.unsent, now)


def _repeat_or_end(state: State, unsent: tuple[Segment, ...], now: float) -> None:
    """The voice broke down: say the unsent segments once more, each in full; then give the call up."""
    state.ledger.clear_unsent()
    state.actions.append(CancelSpeech())
    state.voice_failures += 1
    if state.voice_failures < state.policy.speech_attempts:
        turn = state.log.last_spoken_turn
        assert turn is not None
        turn.segments = [segment for segment in turn.segments if segment not in unsent]
        for segment in unsent:
            again = Segment(state.line_id(), segment.text, segment.protected, segment.digits)
            state.queue(again, now)
            if segment in state.opening_segments:
                state.opening_segments[state.opening_segments.index(segment)] = again
    else:
        closing.close(state, Outcome.VENDOR_FAILED, lines.APOLOGY, now)
