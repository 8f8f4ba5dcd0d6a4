"""Questions that code answers."""

import pytest

from floyd import lines
from relay.core.fixed_answers import fixed_answer, opts_out
from tests.relay.core.corpora import NOT_FIXED, NOT_OPT_OUTS, OPT_OUTS, OTHER_FIXED, ROBOT_QUESTIONS
from tests.relay.core.play import brief


@pytest.mark.parametrize("text", ROBOT_QUESTIONS + OTHER_FIXED)
def test_the_question_is_recognised(text: str) -> None:
    """If this fails the model answers what only code may answer."""
    answer = fixed_answer(text, brief())
    assert answer is not None
    assert answer.whole_turn
    assert answer.text in lines.stock(brief().on_behalf_of)


@pytest.mark.parametrize("text", NOT_FIXED)
def test_other_questions_go_to_the_model(text: str) -> None:
    """If this fails an ordinary question gets an odd answer."""
    assert fixed_answer(text, brief()) is None


@pytest.mark.parametrize("text", OPT_OUTS)
def test_opt_outs_are_recognised(text: str) -> None:
    """If this fails somebody who wants no calls is called again."""
    assert opts_out(text)


@pytest.mark.parametrize("text", NOT_OPT_OUTS)
def test_other_wishes_are_no_opt_outs(text: str) -> None:
    """If this fails a callee who only names a better hour can never be called again."""
    assert not opts_out(text)


def test_the_answer_fits_the_question() -> None:
    """If this fails "who is responsible" is answered with "yes, I am an AI"."""
    plan = brief()
    for question, line in (
        ("Are you a robot?", lines.i_am_an_ai(plan.on_behalf_of)),
        ("Is this call being recorded?", lines.transcribed(plan.on_behalf_of)),
        ("Who is this?", lines.who_i_am(plan.on_behalf_of)),
        ("Who is responsible for this?", lines.responsible(plan.on_behalf_of)),
    ):
        answer = fixed_answer(question, plan)
        assert answer is not None
        assert answer.text == line
