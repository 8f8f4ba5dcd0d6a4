"""What follows from a committed turn of the callee: the opening, a fixed answer, silence, the end, or the model."""

import re
from collections.abc import Callable

from floyd import lines
from floyd.english import patterns
from floyd.figures import in_digits
from relay.core import closing, line_rules, opening, phrases
from relay.core.brief import Brief
from relay.core.hearing import HeardTurn
from relay.core.outcome import Outcome
from relay.core.state import Opening, Phase, State

_ASKS = patterns("questions")
_ANSWERS: dict[str, Callable[[str], str]] = {
    "responsible": lines.responsible,
    "robot": lines.i_am_an_ai,
    "recording": lines.transcribed,
    "who": lines.who_i_am,
}
"""Questions that a model must never answer, since it can be talked into denying that it is one."""
_LEFTOVER_WORDS = 8
"""Besides the question, so few words ("hey", "i am sorry to hear that") want no answer of their own, unless they ask
for one or name a figure."""


def fixed_answer(text: str, brief: Brief) -> tuple[str, bool] | None:
    """The answer that code gives to this turn of the callee, if it asks one of these questions; and whether nothing of
    the turn is left for the model."""
    for sentence in re.findall(r"[^.?!]+[.?!]*", text):
        for name, answer in _ANSWERS.items():
            if match := _ASKS[name].search(phrases.unpaused(sentence)):
                rest = phrases.unpaused(text.replace(sentence, " ") + " " + phrases.unpaused(sentence)[: match.start()])
                asks = _ASKS["wants_more"].search(rest) or any(map(str.isdigit, in_digits(rest)))
                return answer(brief.on_behalf_of), len(phrases.words(rest)) <= _LEFTOVER_WORDS and not asks
    return None


def answer(state: State, turn: HeardTurn, now: float) -> None:
    """Exactly one of: a line of our own, deliberate silence, or a reply of the model."""
    text = turn.text
    if state.repeats_us(text, turn.start_ms):
        state.log.remove_heard(turn)  # nobody said it
        state.quiet_since, state.stages = now, None
        return
    if line_rules.handled(state, turn, now):
        return
    if closing.honour_opt_out(state, text, now):
        return
    if state.closing and not closing.goes_on(state, text, now):
        return
    if opening.missing(state):
        opening.say(state, now)
    elif fixed := fixed_answer(text, state.brief):
        if _goes_in_circles(state, text, now):
            return
        line, whole_turn = fixed
        state.say(line, now)
        if not whole_turn:
            state.start_reply(now)
    elif phrases.is_goodbye(text):
        closing.close(state, Outcome.DONE, lines.FAREWELL, now, reopenable=True)
    elif _deserves_silence(state, turn):
        state.quiet_since = now
        state.stages = None
    elif not _goes_in_circles(state, text, now):
        if state.cut_in and not state.apologised:
            state.apologised = True
            state.say(lines.CUT_IN, now)
        state.start_reply(now)


def _goes_in_circles(state: State, text: str, now: float) -> bool:
    """Also with fixed answers: another Floyd would answer ours for ever."""
    state.progress.receive(text, state.log.last_spoken)
    if state.progress.stuck:
        closing.close(state, Outcome.NO_PROGRESS, lines.GOING_IN_CIRCLES, now)
    return state.progress.stuck


def may_think_ahead(state: State) -> bool:
    """Whether the words so far may be answered before their turn is over; once for the same words."""
    policy, pending = state.policy, state.hearing.pending_text
    return (
        state.considered != pending
        and not (state.speculation and phrases.same_meaning(state.speculation.answers, pending))
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
        phrases.opts_out(text)
        or fixed_answer(text, state.brief)
        or phrases.is_goodbye(text)
        or phrases.asks_to_hold(text)
        or state.repeats_us(text, state.hearing.pending[0].start_ms)
        or phrases.is_backchannel(text)
        or (state.inquiry and phrases.is_patient(text))
    )


def _deserves_silence(state: State, turn: HeardTurn) -> bool:
    """Deliberate: a backchannel over our words, patience while we check, or a moment the callee asked for."""
    text = turn.text
    if phrases.asks_to_hold(turn.latest):
        state.holding = True
        return True
    if state.inquiry and phrases.is_patient(text):
        return True
    over_us = turn.start_ms < state.position_ms(state.our_end_at) and state.our_end_at > state.started_at
    return over_us and phrases.is_backchannel(text) and not state.log.last_spoken.rstrip().endswith("?")
