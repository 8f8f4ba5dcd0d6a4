"""Stage times of answers, from the end of the callee's speech."""

from __future__ import annotations

from floyd.documents import Gap
from relay.core.transcript import Speaker, Stages, Turn
from relay.gaps import gaps, turn_lines


def test_every_stage_counts_from_the_end_of_speech() -> None:
    """Fails if a slow vendor could not be told from a patient core."""
    stages = Stages(reply_id=3, end_of_speech=10.0, endpoint=10.35, first_final=10.2, first_text=10.9, first_sound=11.1)
    turn = Turn(4, Speaker.FLOYD, "Yes.", 0, 100, stages=stages)
    found = gaps([turn], {3: 10.7}, {11.1: 11.05})
    assert found == [
        Gap(
            turn=4, endpoint_ms=350.0, final_ms=200.0, token_ms=700.0, clause_ms=900.0, audio_ms=1050.0, frame_ms=1100.0
        )
    ]


def test_what_nobody_asked_for_has_no_gap_and_what_is_unknown_stays_unknown() -> None:
    """Fails if the opening, or a fixed answer without a model, spoilt the figures."""
    opening = Turn(1, Speaker.FLOYD, "Hello.", 0, 100)
    fixed = Turn(3, Speaker.FLOYD, "Yes.", 0, 100, stages=Stages(reply_id=2, end_of_speech=1.0, first_sound=1.5))
    assert gaps([opening, fixed], {}, {}) == [Gap(turn=3, frame_ms=500.0)]


def test_a_turns_line_tells_its_silence_and_how_the_answer_came() -> None:
    """Fails if the dashboard could not show dead air, or counted it where both talked at once."""
    hello = Turn(1, Speaker.CALLEE, "Hello.", 0, 900)
    answer = Turn(2, Speaker.FLOYD, "Hello, this is", 1400, 5000, cut=True)
    over_it = Turn(3, Speaker.CALLEE, "Who?", 3000, 3400)
    later = Turn(4, Speaker.CALLEE, "Well?", 9000, 9500)

    lines = turn_lines([hello, answer, over_it, later], [Gap(turn=2, endpoint_ms=350.0, frame_ms=480.0)])

    assert [line.get("dead_air_ms") for line in lines] == [None, 500, 0, 4000]
    assert lines[1]["cut"] is True
    assert (lines[1]["turn_gap_ms"], lines[1]["endpoint_ms"]) == (480.0, 350.0)
    assert "turn_gap_ms" not in lines[0]
