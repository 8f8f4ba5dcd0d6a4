"""What a turn of the callee leads to."""

import pytest

from relay.core.actions import StartReply
from tests.relay.core.play import Play, says


@pytest.mark.parametrize("seconds", [1.5, 4.0, 7.0])
def test_words_after_the_moment_they_asked_for_are_answered(seconds: float) -> None:
    """If this fails "one moment, let me check", a pause and the price are met with silence, as one wish to wait."""
    play = Play(mind=says("Thank you."))
    play.answer("Rosie's Flowers, hello?")
    play.settle()
    play.callee("One moment, please, let me check.")
    play.wait(seconds)
    play.callee("that would be 85 dollars")
    play.wait(2.0)
    assert len(play.did(StartReply)) == 1


def test_a_moment_asked_for_in_two_breaths_is_waited_for() -> None:
    """If this fails Floyd talks to a callee who is looking something up."""
    play = Play(mind=says("Thank you."))
    play.answer("Rosie's Flowers, hello?")
    play.settle()
    play.callee("That is a good question.", final_after=0.1)
    play.wait(0.1)
    play.callee("Let me check.")
    play.wait(7.0)
    assert not play.answers()
