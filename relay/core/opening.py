"""The first words of a call: who listens, who speaks first, and that the disclosure is really heard."""

from floyd import lines
from relay.core import closing, line_rules
from relay.core.events import CallStarted
from relay.core.playout import Progress
from relay.core.state import Opening, Phase, State
from relay.core.transcript import Speaker


def call_started(state: State, event: CallStarted, now: float) -> None:
    """The callee can hear us. A fresh call waits for their first words; a resumed one has kept them waiting."""
    state.phase = Phase.ACTIVE
    state.started_at = state.evidence_at = state.quiet_since = state.our_end_at = state.words_at = now
    state.inquiry, state.asked_at = state.brief.asked, now
    if line_rules.resume(state, now):
        return
    if any(turn.speaker is Speaker.FLOYD and turn.heard for turn in state.brief.prior):
        state.opening = Opening.DONE
        state.say(lines.resumed(state.brief.on_behalf_of), now, protected=True)
        last = state.brief.prior[-1]
        if last.speaker is Speaker.CALLEE:
            state.log.note(f'the line broke before you could answer "{last.heard}"')
            state.reply_due = True


def say(state: State, now: float) -> None:
    """Disclosure and purpose. Protected: yields to words only."""
    state.opening = Opening.SAID
    state.opening_segments = [state.say(sentence, now, protected=True) for sentence in state.brief.opening]


def due(state: State, now: float) -> None:
    """The callee's first words are over, or there are none."""
    if state.hearing.pending or state.evidence_at > state.started_at:
        # Their words may still be on the way from the recogniser: they belong before the opening.
        turn = state.close_turn(now)
        state.save()
        line_rules.first_words(state, turn.text, now)
        if closing.honour_opt_out(state, turn.text, now):
            return
    say(state, now)


def missing(state: State) -> bool:
    """Whether the opening has yet to be said, or was cut early enough to be begun again."""
    if state.opening is not Opening.SAID:
        return state.opening is Opening.WAITING
    cut = any(segment.progress is Progress.CLEARED for segment in state.opening_segments)
    again = cut and state.opening_cuts <= state.policy.opening_restarts
    state.opening = state.opening if again else Opening.DONE
    return again
