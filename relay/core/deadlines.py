"""Which deadlines are armed, computed from the state: what is not stored cannot be forgotten or left behind."""

from collections.abc import Iterator
from enum import Enum

from relay.core.patience import Completeness, completeness, patience_s
from relay.core.state import Floor, Opening, Phase, State


class Deadline(Enum):
    """Each member's value says what happens when it passes."""

    OPENING = "the callee is silent, or their first words are over: say the opening"
    ENDPOINTING = "the callee's turn is over: commit it"
    BARGE_IN = "a voice has held over our speech: stop"
    HELD = "a voice without words has kept a ready answer back: say it"
    VOICE = "a voice without new words: it is noise"
    FILLER = "a silence while thinking: say a filler"
    REPLY = "no text from the model: give the reply up"
    SPEECH = "no sound from the voice: give the unsent segments up"
    PLAY_OUT = "a mark is overdue: assume it lost and its segment heard"
    NO_INPUT = "the callee is silent: prompt, and in the end say goodbye"
    COMPANY = "a silence while the person is asked: say a company line"
    ANSWER = "the person has not answered: promise to call back"
    EAR = "we have been deaf too long: apologise and end"
    CALL_LIMIT = "the longest call is over: close politely"
    QUIET = "quiet after the farewell: hang up"
    CLOSING = "closing takes too long: hang up regardless"


def armed(state: State) -> Iterator[tuple[Deadline, float]]:
    """Every armed deadline and its moment."""
    if state.phase in (Phase.CONNECTING, Phase.CLOSED):
        return
    yield from _floor_deadlines(state)
    if (at := state.ledger.speech_deadline()) is not None:
        yield Deadline.SPEECH, at
    if (at := state.ledger.play_out_deadline()) is not None:
        yield Deadline.PLAY_OUT, at
    if state.closing:
        yield Deadline.CLOSING, state.closing.since + state.closing.limit_s
        listening = state.floor in (Floor.LISTENING, Floor.ENDPOINTING)
        if listening and (state.voice_since is None or not state.closing.quiet_s):
            yield Deadline.QUIET, max(state.our_end_at, state.evidence_at) + state.closing.quiet_s
        return
    yield Deadline.CALL_LIMIT, state.started_at + state.brief.limit_s
    if state.inquiry:
        yield Deadline.ANSWER, state.inquiry.asked_at + state.policy.answer_s
    if state.ear_lost_at is not None:
        yield Deadline.EAR, state.ear_lost_at + state.policy.ear_lost_s


def _floor_deadlines(state: State) -> Iterator[tuple[Deadline, float]]:
    policy, reply = state.policy, state.reply
    if reply and not reply.finished:
        yield Deadline.REPLY, reply.waiting_since + policy.reply_s
    if reply and reply.held:
        yield Deadline.HELD, reply.held_since + policy.barge_in_voice_s
    match state.floor:
        case Floor.SPEAKING if state.voice_since is not None and _voice_may_interrupt(state):
            assert state.ledger.sound_at is not None
            yield Deadline.BARGE_IN, max(state.voice_since, state.ledger.sound_at) + policy.barge_in_voice_s
        case Floor.THINKING if _filler_wanted(state):
            since = max(state.thinking_since or 0.0, state.our_end_at)
            yield Deadline.FILLER, since + policy.filler_s
        case Floor.ENDPOINTING if state.opening is Opening.WAITING:
            yield Deadline.OPENING, state.evidence_at + policy.opening_pause_s
        case Floor.ENDPOINTING:
            yield Deadline.ENDPOINTING, state.evidence_at + _patience_s(state)
        case Floor.LISTENING if state.voice_since is not None:
            yield Deadline.VOICE, max(state.voice_since, state.words_at) + policy.voice_stuck_s
        case Floor.LISTENING if state.phase is Phase.ACTIVE:
            yield _quiet_deadline(state)


def _quiet_deadline(state: State) -> tuple[Deadline, float]:
    policy = state.policy
    if state.opening is Opening.WAITING:
        spoke = state.evidence_at > state.started_at
        wait_s = policy.opening_pause_s if spoke else policy.opening_wait_s
        return Deadline.OPENING, state.evidence_at + wait_s
    if state.inquiry:
        return Deadline.COMPANY, max(state.our_end_at, state.evidence_at) + policy.company_s
    if state.cut_by_voice:
        return Deadline.NO_INPUT, max(state.our_end_at, state.evidence_at) + policy.cut_no_input_s
    waits = policy.hold_no_input_s if state.holding else policy.no_input_s
    at = state.quiet_since + waits[min(state.prompts, len(waits) - 1)]
    return Deadline.NO_INPUT, max(at, state.our_end_at + policy.cut_no_input_s)


def _filler_wanted(state: State) -> bool:
    quiet = state.voice_since is None and state.phase is Phase.ACTIVE and not (state.reply and state.reply.held)
    return quiet and state.fillers < state.policy.fillers and not state.inquiry


def _voice_may_interrupt(state: State) -> bool:
    return (
        state.ledger.sound_at is not None
        and not state.ledger.protected
        and state.wordless_cuts < state.policy.barge_in_wordless
    )


def _patience_s(state: State) -> float:
    text, settled = state.hearing.pending_text, state.hearing.interim is None
    judged = completeness(text, settled=settled, asked=state.log.last_spoken)
    behind = not settled and state.hearing.pending_end_ms + state.policy.words_behind_ms < state.voice_stop_ms
    if behind and judged in (Completeness.COMPLETE, Completeness.UNCLEAR):
        judged = Completeness.UNFINISHED
    return patience_s(judged, state.policy)
