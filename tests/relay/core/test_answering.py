"""What a turn of the callee leads to."""

import pytest

from floyd import lines
from relay.core.actions import StartReply
from relay.core.answering import fixed_answer
from tests.relay.core.corpora import NOT_FIXED, OTHER_FIXED, ROBOT_QUESTIONS
from tests.relay.core.play import Play, brief, says


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


# Questions that code answers


@pytest.mark.parametrize("text", ROBOT_QUESTIONS + OTHER_FIXED)
def test_the_question_is_recognised(text: str) -> None:
    """If this fails the model answers what only code may answer."""
    answer = fixed_answer(text, brief())
    assert answer is not None
    line, whole_turn = answer
    assert whole_turn
    assert line in lines.stock(brief().on_behalf_of)


@pytest.mark.parametrize("text", NOT_FIXED)
def test_other_questions_go_to_the_model(text: str) -> None:
    """If this fails an ordinary question gets an odd answer."""
    assert fixed_answer(text, brief()) is None


def test_the_answer_fits_the_question() -> None:
    """If this fails "who is responsible" is answered with "yes, I am an AI"."""
    plan = brief()
    for question, line in (
        ("Are you a robot?", lines.i_am_an_ai(plan.on_behalf_of)),
        ("Is this call being recorded?", lines.transcribed(plan.on_behalf_of)),
        ("Who is this?", lines.who_i_am(plan.on_behalf_of)),
        ("Who is responsible for this?", lines.responsible(plan.on_behalf_of)),
    ):
        assert fixed_answer(question, plan) == (line, True)
