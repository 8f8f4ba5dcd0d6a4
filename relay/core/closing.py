"""How calls end: politely, once, and not before the last word was heard."""

from floyd import lines
from relay.core.actions import HandOver, HangUp, RecordOptOut
from relay.core.events import DrainRequested, HangUpRequested, StreamStopped
from relay.core.outcome import Outcome
from relay.core.phrases import is_backchannel, is_goodbye, is_patient, opts_out, says_goodbye
from relay.core.state import Closing, Phase, State


def close(
    state: State, outcome: Outcome, line: str | None, now: float, *, reopenable: bool = False, keep_reply: bool = False
) -> None:
    """Begin to close: what is queued is still said, then the line, then quiet. A later reason does not replace an
    earlier one, but may make it final; only an opt-out replaces all."""
    if state.closing and outcome is not Outcome.DO_NOT_CALL:
        state.closing.reopenable = state.closing.reopenable and reopenable
        return
    if outcome is Outcome.DONE and state.inquiry:
        # The callee does not wait for the person's answer: they hear that it will come.
        outcome, line = Outcome.NEEDS_ANSWER, line and lines.BAIL
    state.phase = Phase.CLOSING
    state.outcome = outcome
    drain = outcome is Outcome.HANDED_OVER
    ours = state.log.last_spoken_turn
    took_leave = ours is not None and says_goodbye(ours.planned if state.speaking else ours.heard)
    state.closing = Closing(
        until=now + (state.policy.drain_s if drain else state.policy.closing_s),
        quiet_s=0.0 if drain else state.policy.quiet_s,
        reopenable=reopenable and state.reopened < state.policy.reopenings,
        spoke=took_leave,
    )
    state.line.count_hold(now)
    if not keep_reply:
        state.cancel_reply()
    if line and not (took_leave and line == lines.FAREWELL):
        state.say(line, now, protected=True)
    state.save()


def goes_on(state: State, text: str, now: float) -> bool:
    """Whether the callee's words after a goodbye take it back. If not, a farewell that the model still owes is said."""
    assert state.closing is not None
    if state.closing.reopenable and not (is_goodbye(text) or is_patient(text) or is_backchannel(text)):
        state.phase = Phase.ACTIVE
        state.closing = state.outcome = None
        state.reopened += 1
        return True
    if not state.closing.spoke and state.outcome is not Outcome.HANDED_OVER:
        state.say(lines.FAREWELL, now, protected=True)
    return False


def honour_opt_out(state: State, text: str, now: float) -> bool:
    """ "Don't call again" is honoured at once, whatever else is going on, and for ever."""
    if state.outcome is Outcome.DO_NOT_CALL or not opts_out(text):
        return False
    state.actions.append(RecordOptOut(text))
    state.cut_speech(now)
    close(state, Outcome.DO_NOT_CALL, lines.OPTED_OUT, now)
    return True


def hang_up_requested(state: State, event: HangUpRequested, now: float) -> None:
    """At once: whatever we were saying, the person does not want it said any more."""
    if not state.closing:
        state.cut_speech(now)
    close(state, event.outcome, lines.CANCELLED, now)


def drain_requested(state: State, event: DrainRequested, now: float) -> None:
    """A farewell under way is finished here, only faster; any other call goes on at another relay."""
    if state.closing:
        state.closing.until = min(state.closing.until, now + state.policy.drain_s)
    else:
        close(state, Outcome.HANDED_OVER, None, now)


def time_is_up(state: State, now: float) -> None:
    close(state, Outcome.TIME_LIMIT, lines.TIME_IS_UP, now)


def hang_up(state: State, now: float) -> None:
    """Everything is said, or closing took too long."""
    assert state.outcome is not None
    finish(state, now)
    state.actions.append(HandOver() if state.outcome is Outcome.HANDED_OVER else HangUp(state.outcome))


def stream_stopped(state: State, event: StreamStopped, now: float) -> None:
    outcome = event.outcome
    if outcome is Outcome.CALLEE_HUNG_UP and state.inquiry:
        outcome = Outcome.NEEDS_ANSWER  # the person is still asked, and the callee is rung back with the answer
    state.outcome = state.outcome or outcome
    finish(state, now)


def finish(state: State, now: float) -> None:
    """Nothing more will be said or heard: close the books."""
    state.cancel_reply()
    state.drop_speculation()
    state.cut_speech(now)
    if state.hearing.pending:
        state.close_turn(now)
    state.phase = Phase.CLOSED
    state.save()
