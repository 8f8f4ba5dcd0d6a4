"""What the callee's voice and words do: pending words, commits, take-backs, barge-ins; and what their silence does."""

from floyd import lines
from relay.core import answering, closing, line_rules
from relay.core.actions import PausePlayout, ResumePlayout
from relay.core.events import DigitPressed, EarLost, EarRestored, FinalHeard, InterimHeard, VoiceStarted, VoiceStopped
from relay.core.hearing import Piece
from relay.core.outcome import Outcome
from relay.core.patience import Completeness, completeness
from relay.core.phrases import is_goodbye, is_patient, takes_the_floor, words
from relay.core.state import Floor, Opening, Phase, State


def voice_started(state: State, event: VoiceStarted, now: float) -> None:
    if state.voice_since is None:
        goes_on = state.voice_stop_ms > 0 and event.at_ms - state.voice_stop_ms <= state.policy.closure_ms
        state.voice_began = state.voice_began if goes_on else state.moment(event.at_ms, now)
        state.voice_since = state.voice_began


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
    if piece.final and placed.pending:
        state.first_final_at = state.first_final_at or now
    elif piece.final:
        state.reached("first_final", now)
    if not placed.news:
        return
    state.words_at = state.quiet_since = now
    state.prompts = 0
    state.cut_by_voice = False
    if piece.final and not placed.pending:
        state.save()
    for turn in placed.amended:
        state.put_on_table(turn)
    if placed.pending:
        if state.voice_since is None and state.voice_stop_ms <= piece.start_ms:
            # Only where the detector heard nothing: a recogniser's ends are later than the voice's by what it lags.
            state.evidence_at = max(state.evidence_at, state.moment(piece.end_ms, now))
        _weigh_pending(state, now)
    elif state.log.last_heard_turn in placed.amended:
        _think_again(state, now)


def _weigh_pending(state: State, now: float) -> None:
    """New words: do they take our turn, or sound as if theirs were over?"""
    if state.floor is Floor.THINKING:
        take_back(state)
    elif state.floor is Floor.LISTENING and state.voice_since is not None and answering.may_think_ahead(state):
        text = state.hearing.pending_text
        judged = completeness(text, state.log.last_spoken)
        complete = judged in (Completeness.ANSWER, Completeness.COMPLETE)
        spare = state.policy.speculations_per_turn - state.ahead_in_turn > 1  # one is kept for the end
        if complete and spare and len(words(text)) >= state.policy.speculate_words:
            think_ahead(state, now)
    elif state.floor is Floor.SPEAKING and _means_to_interrupt(state):
        if state.ledger.sound_at is None:
            _take_back_unspoken(state, now)
        else:
            barge_in(state, now)


def _means_to_interrupt(state: State) -> bool:
    sound_at = state.ledger.sound_at
    since_ms = 0 if sound_at is None else state.position_ms(sound_at + state.policy.echo_guard_s)
    pieces = [piece for piece in state.hearing.pending if piece.end_ms > since_ms]
    over = " ".join(piece.text for piece in pieces)
    if not pieces or state.repeats_us(over, pieces[0].start_ms):
        return False
    if state.closing and (not state.closing.reopenable or is_goodbye(over) or is_patient(over)):
        return False
    # A voice has silenced us already: any word of it is one too many for us to go on.
    least = 1 if state.ledger.paused_at is not None else state.policy.barge_in_words
    return takes_the_floor(over, least) and line_rules.yields_to(state, over)


def think_ahead(state: State, now: float) -> None:
    """The turn is probably over: have an answer ready when it is."""
    state.considered = state.hearing.pending_text
    if answering.needs_model(state, state.considered):
        state.speculate(now)


def pause(state: State, now: float) -> None:
    """A voice over our speech: silence, until it is known to be more than a noise."""
    state.ledger.pause(now)
    state.actions.append(PausePlayout())


def resume(state: State, now: float) -> None:
    """It was nothing, or no more than "mm-hm": go on."""
    _note_fruitless(state, now)
    state.ledger.resume(now)
    state.actions.append(ResumePlayout())


def take_back(state: State) -> None:
    """The callee goes on before we have said a word: their turn reopens."""
    state.hasty += 1
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
    _note_cut_in(state)
    if any(segment in state.opening_segments for segment in state.ledger.outstanding):
        state.opening_cuts += 1
    state.cancel_reply()
    state.cut_speech(now)
    state.thinking_since = None
    state.save()


def voice_holds(state: State, now: float) -> None:
    """A voice has silenced us for long, its words not yet known."""
    if state.ledger.protected:
        resume(state, now)
        return
    if not state.hearing.pending:
        _note_fruitless(state, now)
        state.cut_by_voice = True
    barge_in(state, now)


def _note_fruitless(state: State, now: float) -> None:
    state.fruitless = [*state.fruitless, now][-state.policy.fruitless_pauses :]


def _note_cut_in(state: State) -> None:
    """They began so soon after us that they had never stopped."""
    sound_at, pending = state.ledger.sound_at, state.hearing.pending
    if sound_at is None or state.opening is not Opening.DONE:
        return
    words_at = state.started_at + pending[-1].start_ms / 1000 if pending else 0.0
    if max(state.voice_began, words_at) < sound_at + state.policy.cut_in_s:
        state.cut_in = True
        state.hasty += 1


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
    turn = state.close_turn(now)
    state.save()
    answering.answer(state, turn, now)


# Silence: the callee says nothing, or we are deaf


def prompt(state: State, now: float) -> None:
    """The callee has said nothing for long: prompt, and in the end say goodbye."""
    waits = state.policy.hold_no_input_s if state.holding else state.policy.no_input_s
    if state.cut_by_voice:
        state.cut_by_voice = False
        state.say(lines.AFTER_CUT, now)
        return
    if state.prompts + 1 >= len(waits):
        closing.close(state, Outcome.NO_ANSWER, lines.NO_INPUT_GOODBYE, now)
        return
    prompts = lines.STILL_HERE if state.holding else lines.NO_INPUT
    state.prompts += 1
    state.say(prompts[(state.prompts - 1) % len(prompts)], now)


def ear_line(state: State, now: float) -> None:
    state.say(state.ear_line_due, now)
    state.ear_line_due = ""


def deaf_too_long(state: State, now: float) -> None:
    closing.close(state, Outcome.VENDOR_FAILED, lines.APOLOGY, now)


def ear_lost(state: State, event: EarLost, now: float) -> None:
    if state.ear_lost_at is None:
        state.ear_lost_at = now
        state.ear_line_due = lines.EAR_LOST
    state.voice_since = None


def ear_restored(state: State, event: EarRestored, now: float) -> None:
    if state.ear_lost_at is not None:
        state.ear_line_due = "" if state.ear_line_due else lines.EAR_RESTORED
    state.ear_lost_at = None
