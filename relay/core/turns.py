"""Committing: pending words become a turn of the callee, with its place in the log and its effect on the table."""

from relay.core.hearing import HeardTurn
from relay.core.state import State
from relay.core.transcript import Stages


def close_turn(state: State, now: float) -> HeardTurn:
    """Everything pending becomes a turn of the callee, and the answer's stages begin."""
    stop_ms = max(state.voice_stop_ms, state.hearing.pending_end_ms)
    turn = state.hearing.commit(state.log.next_seq, stop_ms)
    state.log.add_heard(turn)
    state.stages = Stages(
        state.last_id + 1, end_of_speech=state.evidence_at, endpoint=now, first_final=state.first_final_at
    )
    state.first_final_at = None
    state.attempts = state.fillers = state.tool_rounds = state.ahead_in_turn = 0
    state.considered = ""
    state.holding = False
    put_on_table(state, turn)
    return turn


def put_on_table(state: State, turn: HeardTurn) -> None:
    """Prices and times in the callee's words become open offers."""
    asked_price = any(word in state.log.last_spoken.lower() for word in ("how much", "price", "cost", "charge"))
    state.table = state.table.after(turn.text, state.mandate, price_context=asked_price)
