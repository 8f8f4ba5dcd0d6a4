"""The stopwatch at the callee's phone."""

from standins.phone_network.measure import Stopwatch


def run(callee: str, far: str, speaking: str = "") -> Stopwatch:
    """One character per 20 ms: `#` is loud (or speaking)."""
    watch = Stopwatch()
    for place, (one, other) in enumerate(zip(callee, far, strict=True)):
        watch.frame(place * 0.02, one == "#", other == "#", (speaking or callee)[place] == "#")
    return watch


def test_a_gap_runs_from_the_last_loud_frame_to_the_first() -> None:
    """If this fails the one number that people feel is wrong."""
    watch = run("###..........", "........#####")

    assert [round(gap.gap_ms) for gap in watch.turn_gaps] == [120]


def test_an_answer_into_a_pause_of_the_callee_is_no_turn() -> None:
    """If this fails talking over somebody looks like a fast answer."""
    watch = run("###.....####.......", ".....##..........##", "############.......")

    assert [round(gap.gap_ms) for gap in watch.turn_gaps] == [120]


def test_an_answer_at_the_silent_end_of_a_line_counts() -> None:
    """If this fails very fast answers are not measured at all."""
    watch = run("###...........", "....##########", "#####.........")

    assert [round(gap.gap_ms) for gap in watch.turn_gaps] == [40]


def test_a_barge_in_is_timed_to_the_last_sound() -> None:
    """If this fails nobody knows how long Floyd talks on over the callee."""
    watch = run("." * 20 + "#" * 30, "#" * 30 + "." * 20)

    assert [round(barge.stopped_after_ms) for barge in watch.barge_ins] == [180]
