"""Stage times of answers, from the end of the callee's speech, and the bill of a call."""

from __future__ import annotations

from decimal import Decimal

from floyd.documents import Gap, Person
from floyd.prices import UNKNOWN_MODEL
from relay.core.transcript import Speaker, Stages, Turn
from relay.measures import cost_of, gaps, most_dollars, turn_lines
from relay.mind import Usage


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


def test_the_bill_is_the_sum_of_its_parts() -> None:
    """Fails if a person were shown another price than the vendors ask."""
    usage = Usage("gpt-6-luna", input=20_000, cached=10_000, output=2_000)
    cost = cost_of(line_s=130, recognised_s=120, characters=1000, usages=[usage], earlier={})
    assert cost.parts == {"line": "0.0540", "recognition": "0.0320", "synthesis": "0.0300", "model": "0.0021"}
    assert cost.amount == "0.1181"
    assert cost.currency == "USD"


def test_a_resumed_call_has_one_bill() -> None:
    """Fails if what another relay spent were forgotten, or a minute of the line counted twice."""
    first = cost_of(line_s=70, recognised_s=60, characters=1000, usages=[], earlier={})
    cost = cost_of(line_s=100, recognised_s=30, characters=500, usages=[], earlier=first.parts)
    assert cost.parts == {"line": "0.0360", "recognition": "0.0240", "synthesis": "0.0450", "model": "0.0000"}


def test_an_unknown_model_counts_as_the_dearest() -> None:
    """Fails if a new model made calls look free."""
    usage = Usage("new", input=1_000_000, cached=0, output=0)
    cost = cost_of(line_s=0, recognised_s=0, characters=0, usages=[usage], earlier={})
    assert Decimal(cost.parts["model"]) == UNKNOWN_MODEL.input


def test_a_call_may_cost_what_was_set_aside_for_it() -> None:
    """Fails if a call went on when the money reserved for it before it was placed is spent, or ended before."""
    assert most_dollars(Person()) == Decimal("1.80")
    assert most_dollars(Person(limits={"call_minutes": 10})) == Decimal("0.60")
    assert most_dollars(Person(limits={"call_minutes": 10, "call_cents": 5})) == Decimal("0.05")
