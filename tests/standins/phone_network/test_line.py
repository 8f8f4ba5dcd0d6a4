"""The play-out buffer: order, marks, clears, and what counts as a hole."""

from hypothesis import given
from hypothesis import strategies as st

from standins.audio import FRAME
from standins.phone_network.line import PlayOut, Stopwatch


def test_a_mark_comes_when_its_sound_has_played() -> None:
    """If this fails Floyd believes that words were heard which were still waiting."""
    line = PlayOut()
    line.media(b"\x01" * 320, 0.0)

    assert not line.mark("two frames")
    assert line.take(0.0) == (b"\x01" * 160, [])
    assert line.take(0.02) == (b"\x01" * 160, [])
    assert line.take(0.04) == (None, ["two frames"])


def test_a_mark_with_nothing_queued_comes_at_once() -> None:
    """If this fails an empty reply would wait for ever."""
    assert PlayOut().mark("now")


def test_a_clear_drops_sound_and_returns_every_mark() -> None:
    """If this fails a barge-in leaves speech behind, or marks that never come."""
    line = PlayOut()
    line.media(b"\x01" * 1600, 0.0)
    line.mark("a")
    line.media(b"\x02" * 160, 0.0)
    line.mark("b")
    line.take(0.0)

    assert line.clear() == ["a", "b"]
    assert line.take(0.02) == (None, [])
    assert line.mark("c")


def test_a_hole_inside_a_segment_is_an_under_run() -> None:
    """If this fails stuttering speech goes unmeasured."""
    line = PlayOut()
    line.media(b"\x01" * 160, 0.0)
    line.take(0.0)
    line.take(0.02)
    line.media(b"\x01" * 160, 0.07)

    assert [round(hole.ms) for hole in line.under_runs] == [50]
    assert [round(late) for late in line.late_ms] == [50]
    assert line.frames == 2


def test_silence_after_a_mark_or_a_clear_is_no_hole() -> None:
    """If this fails every pause between sentences counts as a fault."""
    for stop in ("mark", "clear"):
        line = PlayOut()
        line.media(b"\x01" * 160, 0.0)
        _ = line.mark("end") if stop == "mark" else line.clear()
        line.take(0.0)
        line.take(0.02)
        line.media(b"\x01" * 160, 1.0)

        assert line.under_runs == []


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=500), st.just("take"), st.just("mark")), max_size=60))
def test_nothing_is_lost_or_reordered(steps: list[bytes | str]) -> None:
    """If this fails the ear hears something else than what was sent, or a mark overtakes its sound."""
    line, sent, heard, marks, asked = PlayOut(), b"", b"", [], 0
    for step in [*steps, *["take"] * 200]:
        if isinstance(step, bytes):
            line.media(step, 0.0)
            sent += step
        elif step == "mark":
            asked += 1
            if line.mark(str(asked)):
                marks.append(str(asked))
        else:
            frame, names = line.take(0.0)
            marks += names
            heard += frame or b""

    assert marks == [str(number + 1) for number in range(asked)]
    if all(len(step) % FRAME == 0 for step in steps if isinstance(step, bytes)):
        assert heard == sent
    assert len(heard) >= len(sent)


def run(callee: str, far: str, speaking: str = "") -> Stopwatch:
    """One character per 20 ms: `#` is loud (or speaking)."""
    watch = Stopwatch()
    for place, (one, other) in enumerate(zip(callee, far, strict=True)):
        watch.frame(place * 0.02, one == "#", other == "#", (speaking or callee)[place] == "#")
    return watch


def test_a_gap_runs_from_the_last_loud_frame_to_the_first() -> None:
    """If this fails the one number that people feel is wrong."""
    watch = run("###..........", "........#####")

    assert [round(gap.ms) for gap in watch.turn_gaps] == [120]


def test_an_answer_into_a_pause_of_the_callee_is_no_turn() -> None:
    """If this fails talking over somebody looks like a fast answer."""
    watch = run("###.....####.......", ".....##..........##", "############.......")

    assert [round(gap.ms) for gap in watch.turn_gaps] == [120]


def test_an_answer_at_the_silent_end_of_a_line_counts() -> None:
    """If this fails very fast answers are not measured at all."""
    watch = run("###...........", "....##########", "#####.........")

    assert [round(gap.ms) for gap in watch.turn_gaps] == [40]


def test_a_barge_in_is_timed_to_the_last_sound() -> None:
    """If this fails nobody knows how long Floyd talks on over the callee."""
    watch = run("." * 20 + "#" * 30, "#" * 30 + "." * 20)

    assert [round(barge.ms) for barge in watch.barge_ins] == [180]
