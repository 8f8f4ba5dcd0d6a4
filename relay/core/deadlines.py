"""Which deadlines are armed, computed from the state: what is not stored cannot be forgotten or left behind."""

from collections.abc import Iterator
from enum import Enum

from relay.core import answering, line_rules
from relay.core.hearing import latest
from relay.core.line_kinds import LineKind
from relay.core.patience import Completeness, completeness, patience_s
from relay.core.state import Floor, Opening, Phase, State

MINUTE_S = 60.0


class Deadline(Enum):
    """Each member's value says what happens when it passes."""

    OPENING = "the callee is silent, or their first words are over: say the opening"
    ENDPOINTING = "the callee's turn is over: commit it"
    SPECULATE = "the callee's turn is probably over: think ahead"
    PAUSE = "a voice over our speech: fall silent"
    RESUME = "the voice brought no words: go on"
    BARGE_IN = "a voice has silenced us for long: give the floor away"
    HELD = "a voice without words has kept a ready answer back: say it"
    VOICE = "a voice without new words: it is noise"
    FILLER = "a silence while thinking: say a filler"
    REPLY = "no text from the model: give the reply up"
    SPEECH = "no sound from the voice: give the unsent segments up"
    PLAY_OUT = "a mark is overdue: assume it lost and its segment heard"
    NO_INPUT = "the callee is silent: prompt, and in the end say goodbye"
    LINE = "a machine on the line has been quiet, or a hold too long: act on it"
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
        yield Deadline.CLOSING, state.closing.until
        listening = state.floor in (Floor.LISTENING, Floor.ENDPOINTING)
        if listening and (state.voice_since is None or not state.closing.quiet_s):
            yield Deadline.QUIET, max(state.our_end_at, state.evidence_at) + state.closing.quiet_s
        if not state.closing.reopenable:
            return
    talk_s = float("inf") if state.line.kind is LineKind.HOLD else state.brief.limit_s + state.line.held_s
    yield Deadline.CALL_LIMIT, state.started_at + min(talk_s, state.brief.line_s - state.policy.closing_s)
    if state.inquiry:
        yield Deadline.ANSWER, state.asked_at + state.policy.answer_s
    if state.ear_lost_at is not None:
        yield Deadline.EAR, state.ear_lost_at + state.policy.ear_lost_s


def _floor_deadlines(state: State) -> Iterator[tuple[Deadline, float]]:
    policy, reply = state.policy, state.reply
    if reply:
        yield Deadline.REPLY, reply.waiting_since + policy.reply_s
    if reply and reply.early:
        yield Deadline.HELD, reply.held_since + policy.held_s
    match state.floor:
        case Floor.SPEAKING if (paused_at := state.ledger.paused_at) is not None:
            if state.voice_since is None:
                yield Deadline.RESUME, max(paused_at, state.evidence_at) + policy.resume_s
            else:
                yield Deadline.BARGE_IN, paused_at + policy.barge_in_wordless_s
        case Floor.SPEAKING if state.voice_since is not None and _voice_may_silence_us(state, state.voice_since):
            assert state.ledger.sound_at is not None
            yield Deadline.PAUSE, max(state.voice_since, state.ledger.sound_at) + policy.barge_in_voice_s
        case Floor.THINKING if _filler_wanted(state):
            since = max(state.thinking_since or 0.0, state.our_end_at)
            yield Deadline.FILLER, since + policy.filler_s
        case Floor.ENDPOINTING if state.opening is Opening.WAITING and state.line.converses:
            yield Deadline.OPENING, state.evidence_at + _opening_pause_s(state)
        case Floor.ENDPOINTING:
            patience_s = _patience_s(state)
            yield Deadline.ENDPOINTING, state.evidence_at + patience_s
            if patience_s < policy.patience_hold_s and answering.may_think_ahead(state):
                ahead_s = max(policy.speculate_s, patience_s - policy.speculate_before_s)
                yield Deadline.SPECULATE, state.evidence_at + ahead_s
        case Floor.LISTENING if state.voice_since is not None:
            yield Deadline.VOICE, max(state.voice_since, state.words_at) + policy.voice_stuck_s
        case Floor.LISTENING if state.phase is Phase.ACTIVE:
            yield _quiet_deadline(state)


def _quiet_deadline(state: State) -> tuple[Deadline, float]:
    policy = state.policy
    if not state.line.converses or state.line.undecided:
        return Deadline.LINE, line_rules.next_move(state)[0]
    if state.opening is Opening.WAITING:
        spoke = state.evidence_at > state.started_at
        wait_s = _opening_pause_s(state) if spoke else policy.opening_wait_s
        return Deadline.OPENING, state.evidence_at + wait_s
    if state.inquiry:
        return Deadline.COMPANY, max(state.our_end_at, state.evidence_at) + policy.company_s
    if state.cut_by_voice:
        return Deadline.NO_INPUT, max(state.our_end_at, state.evidence_at) + policy.cut_no_input_s
    waits = policy.hold_no_input_s if state.holding else policy.no_input_s
    at = state.quiet_since + waits[min(state.prompts, len(waits) - 1)]
    return Deadline.NO_INPUT, max(at, state.our_end_at + policy.cut_no_input_s)


def _opening_pause_s(state: State) -> float:
    return state.policy.suspect_pause_s if state.line.suspect else state.policy.opening_pause_s


def _filler_wanted(state: State) -> bool:
    if not state.line.converses:
        return False
    quiet = state.voice_since is None and state.phase is Phase.ACTIVE and not (state.reply and state.reply.early)
    return quiet and state.fillers < state.policy.fillers and not state.inquiry


def _voice_may_silence_us(state: State, voice_since: float) -> bool:
    """Not in a protected line, unless the callee's greeting had only paused; and not after many noises."""
    sound_at, limit = state.ledger.sound_at, state.policy.fruitless_pauses
    if sound_at is None or not state.line.converses:
        return False
    if state.fruitless and voice_since <= state.fruitless[-1]:
        return False  # this very noise has silenced us already
    greeting_goes_on = state.opening is Opening.SAID and voice_since < sound_at + state.policy.echo_guard_s
    recent = [at for at in state.fruitless if voice_since - at < MINUTE_S]
    return (greeting_goes_on or not state.ledger.protected) and len(recent) < limit


def _patience_s(state: State) -> float:
    judged = completeness(state.hearing.pending_text, state.log.last_spoken)
    if judged is Completeness.HOLD:  # a moment asked for before their last pause is over
        judged = completeness(latest(state.hearing.pending), state.log.last_spoken)
    behind = state.hearing.pending_end_ms + state.policy.words_behind_ms < state.voice_stop_ms
    if behind and state.hearing.interim and judged is not Completeness.HOLD:
        judged = Completeness.UNFINISHED
    extra_s = state.policy.hasty_s * min(state.hasty, 3) if judged is not Completeness.HOLD else 0.0
    return patience_s(judged, state.policy) + extra_s
