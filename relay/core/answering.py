"""What follows from a committed turn of the callee: the opening, a fixed answer, silence, the end, or the model."""

from relay.core import closing, lines, opening
from relay.core.fixed_answers import fixed_answer
from relay.core.hearing import HeardTurn
from relay.core.outcome import Outcome
from relay.core.phrases import asks_to_hold, is_backchannel, is_goodbye, is_patient
from relay.core.state import State


def answer(state: State, turn: HeardTurn, now: float) -> None:
    """Exactly one of: a line of our own, deliberate silence, or a reply of the model."""
    text = turn.text
    if closing.honour_opt_out(state, text, now):
        return
    if state.closing:
        if not closing.taken_back(state, text):
            closing.say_farewell_if_none(state, now)
            return
        closing.reopen(state)
    if opening.missing(state):
        opening.say(state, now)
    elif fixed := fixed_answer(text, state.brief):
        state.say(fixed.text, now)
        if not fixed.whole_turn:
            state.start_reply(now)
    elif is_goodbye(text):
        closing.close(state, Outcome.DONE, lines.FAREWELL, now, reopenable=True)
    elif _deserves_silence(state, turn):
        state.quiet_since = now
        state.stages = None
    else:
        state.progress.receive(text, state.log.last_spoken)
        if state.progress.stuck:
            closing.close(state, Outcome.NO_PROGRESS, lines.GOING_IN_CIRCLES, now)
        else:
            state.start_reply(now)


def _deserves_silence(state: State, turn: HeardTurn) -> bool:
    """Deliberate: a backchannel over our words, patience while we check, or a moment the callee asked for."""
    text = turn.text
    if asks_to_hold(text):
        state.holding = True
        return True
    if state.inquiry and is_patient(text):
        return True
    over_us = turn.start_ms < state.position_ms(state.our_end_at) and state.our_end_at > state.started_at
    return over_us and is_backchannel(text) and not state.log.last_spoken.rstrip().endswith("?")
