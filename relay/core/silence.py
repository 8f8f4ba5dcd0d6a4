"""What to say when the callee cannot be heard: they are silent, or we are deaf."""

from floyd import lines
from relay.core import closing
from relay.core.events import EarLost, EarRestored
from relay.core.outcome import Outcome
from relay.core.state import State


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
