"""What follows from a committed turn of the callee: the opening, a fixed answer, silence, the end, or the model."""

from floyd import lines
from relay.core import closing, line_rules, opening
from relay.core.fixed_answers import fixed_answer, opts_out
from relay.core.hearing import HeardTurn
from relay.core.outcome import Outcome
from relay.core.phrases import asks_to_hold, is_backchannel, is_goodbye, is_patient, same_meaning
from relay.core.state import Opening, Phase, State


def answer(state: State, turn: HeardTurn, now: float) -> None:
    """Exactly one of: a line of our own, deliberate silence, or a reply of the model."""
    text = turn.text
    if line_rules.handled(state, turn, now):
        return
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
            if state.cut_in and not state.apologised:
                state.apologised = True
                state.say(lines.CUT_IN, now)
            state.start_reply(now)


def may_think_ahead(state: State) -> bool:
    """Whether the words so far may be answered before their turn is over; once for the same words."""
    policy, pending = state.policy, state.hearing.pending_text
    return (
        state.considered != pending
        and not (state.speculation and same_meaning(state.speculation.answers, pending))
        and state.ahead_in_turn < policy.speculations_per_turn
        and state.speculations.wasted < policy.speculations_wasted + 2 * state.speculations.kept
        and state.phase is Phase.ACTIVE
        and state.opening is Opening.DONE
        and state.line.converses
        and not state.line.suspect
    )


def needs_model(state: State, text: str) -> bool:
    """Whether a turn with these words, if it ended now, would be answered by the model."""
    return not (
        opts_out(text)
        or fixed_answer(text, state.brief)
        or is_goodbye(text)
        or asks_to_hold(text)
        or state.repeats_us(text, state.hearing.pending[0].start_ms)
        or is_backchannel(text)
        or (state.inquiry and is_patient(text))
    )


def _deserves_silence(state: State, turn: HeardTurn) -> bool:
    """Deliberate: a backchannel over our words, patience while we check, or a moment the callee asked for."""
    text = turn.text
    if asks_to_hold(turn.latest):
        state.holding = True
        return True
    if state.inquiry and is_patient(text):
        return True
    if state.repeats_us(text, turn.start_ms):
        state.log.remove_heard(turn)  # nobody said it
        return True
    over_us = turn.start_ms < state.position_ms(state.our_end_at) and state.our_end_at > state.started_at
    return over_us and is_backchannel(text) and not state.log.last_spoken.rstrip().endswith("?")
