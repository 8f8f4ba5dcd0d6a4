"""What the callee's voice and words do: pending words, commits, take-backs, barge-ins."""

from dataclasses import replace

from relay.core import answering, closing, turns
from relay.core.events import DigitPressed, FinalHeard, InterimHeard, VoiceStarted, VoiceStopped
from relay.core.hearing import Piece
from relay.core.phrases import is_goodbye, is_patient, takes_the_floor
from relay.core.state import Floor, Opening, Phase, State


def voice_started(state: State, event: VoiceStarted, now: float) -> None:
    if state.voice_since is None:
        state.voice_since = state.moment(event.at_ms, now)


def voice_stopped(state: State, event: VoiceStopped, now: float) -> None:
    state.voice_since = None
    state.voice_stop_ms = max(state.voice_stop_ms, min(event.at_ms, state.position_ms(now)))
    state.evidence_at = max(state.evidence_at, state.moment(event.at_ms, now))


def voice_is_noise(state: State, now: float) -> None:
    """A voice that brings no new words is none; the detector will say when it really begins again."""
    state.voice_since = None
    state.evidence_at = max(state.evidence_at, min(now, state.words_at))


def words_heard(state: State, event: InterimHeard | FinalHeard | DigitPressed, now: float) -> None:
    """Words of the callee. A key is a word that needs no recognising."""
    if isinstance(event, DigitPressed):
        at_ms = state.position_ms(now)
        piece = Piece(f"(pressed {event.digit})", at_ms, at_ms, final=True)
    else:
        piece = Piece(event.text, event.start_ms, event.end_ms, isinstance(event, FinalHeard))
    placed = state.hearing.place(piece)
    if piece.final:
        _note_first_final(state, placed.pending, now)
    if not placed.news:
        return
    state.words_at = now
    state.prompts = 0
    state.quiet_since = now
    state.cut_by_voice = False
    if piece.final and not placed.pending:
        state.save()
    for turn in placed.amended:
        turns.put_on_table(state, turn)
    if placed.pending:
        state.evidence_at = max(state.evidence_at, state.moment(piece.end_ms, now))
        _weigh_pending(state, now)
    elif state.log.last_heard_turn in placed.amended:
        _think_again(state, now)


def _note_first_final(state: State, pending: bool, now: float) -> None:
    if pending:
        state.first_final_at = state.first_final_at or now
    elif state.stages:
        state.stages = replace(state.stages, first_final=state.stages.first_final or now)
    elif (turn := state.log.last_spoken_turn) and turn.stages:
        turn.stages = replace(turn.stages, first_final=turn.stages.first_final or now)


def _weigh_pending(state: State, now: float) -> None:
    """Words while it is our turn: do they take it?"""
    if state.floor is Floor.THINKING:
        take_back(state)
    elif state.floor is Floor.SPEAKING and _means_to_interrupt(state):
        state.wordless_cuts = 0
        if state.ledger.sound_at is None:
            _take_back_unspoken(state, now)
        else:
            barge_in(state, now)


def _means_to_interrupt(state: State) -> bool:
    sound_at = state.ledger.sound_at
    since_ms = 0 if sound_at is None else state.position_ms(sound_at + state.policy.echo_guard_s)
    over = " ".join(piece.text for piece in state.hearing.pending if piece.end_ms > since_ms)
    if state.closing and (not state.closing.reopenable or is_goodbye(over) or is_patient(over)):
        return False
    return takes_the_floor(over, state.policy.barge_in_words)


def take_back(state: State) -> None:
    """The callee goes on before we have said a word: their turn reopens."""
    state.cancel_reply()
    state.thinking_since = state.stages = None
    turn = state.log.last_heard_turn
    if turn and turn is state.hearing.turns[-1]:
        state.log.remove_heard(turn)
        state.hearing.reopen(turn)


def _take_back_unspoken(state: State, now: float) -> None:
    """What we were about to say has not begun to sound: nobody was interrupted."""
    state.cut_speech(now)
    state.log.remove_unspoken()
    if state.closing:
        state.closing.spoke = False
    if state.opening is Opening.SAID and not any(segment.began for segment in state.opening_segments):
        state.opening = Opening.WAITING
    take_back(state)


def barge_in(state: State, now: float) -> None:
    """The callee takes the floor while we speak."""
    if any(segment in state.opening_segments for segment in state.ledger.outstanding):
        state.opening_cuts += 1
    state.cancel_reply()
    state.cut_speech(now)
    state.thinking_since = None
    state.save()


def voice_holds(state: State, now: float) -> None:
    """A voice over our speech, its words not yet known."""
    if not state.hearing.pending:
        state.wordless_cuts += 1
        state.cut_by_voice = True
    barge_in(state, now)


def _think_again(state: State, now: float) -> None:
    """The turn we are answering means something else than we thought, and nothing has been said yet."""
    turn = state.log.last_heard_turn
    assert turn is not None
    if state.floor is Floor.THINKING and state.phase is Phase.ACTIVE:
        state.cancel_reply()
        answering.answer(state, turn, now)
    else:
        closing.honour_opt_out(state, turn.text, now)


def commit(state: State, now: float) -> None:
    """The callee's turn is over."""
    turn = turns.close_turn(state, now)
    state.save()
    answering.answer(state, turn, now)
