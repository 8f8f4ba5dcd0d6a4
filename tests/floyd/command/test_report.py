"""What `--json` prints."""

import json

import pytest

from floyd.command.report import percentile, report, turn_gaps
from tests.floyd.command.views import flowers, turn


def test_everything_that_counts_is_in_the_report() -> None:
    """If this fails whoever measures Floyd cannot see what happened."""
    data = json.loads(json.dumps(report(flowers())))

    assert (data["status"], data["outcome"]["category"], data["mandate"]["max_amount"]) == ("done", "done", "80")
    assert [claim["proved"] for claim in data["outcome"]["claims"]] == [True, False]
    assert data["told"][0]["fact"] == "christa_address"
    assert data["turns"][0] | {"n": 1, "speaker": "callee", "heard": "hello rose flower shop"} == data["turns"][0]
    assert data["stages"][0]["frame_ms"] == 412.6


def test_a_gap_is_the_silence_before_an_answer_and_nothing_else() -> None:
    """If this fails a second sentence of Floyd's, or an overlap, spoils the figures."""
    view = flowers(
        turns={
            1: turn("callee", "hello", 0, 1000),
            2: turn("floyd", "Hello.", 1400, 2000),
            3: turn("floyd", "Once more.", 2500, 3000),
            4: turn("callee", "yes", 3100, 4000),
            5: turn("floyd", "Fine.", 3900, 4500),
            6: turn("callee", "goodbye", 5000, 6000),
            7: turn("floyd", "Hello again.", 9000, 9500, call=2),
        }
    )

    assert turn_gaps(view) == [400, 0]


@pytest.mark.parametrize(("rank", "value"), [(50, 3), (95, 5), (0, 1)])
def test_percentiles_are_values_that_occurred(rank: float, value: float) -> None:
    """If this fails the figures shown were never measured."""
    assert percentile([5, 1, 3, 2, 4], rank) == value
    assert percentile([], rank) is None
