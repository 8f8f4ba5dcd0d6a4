"""What short phrases do."""

import pytest

from relay.core.phrases import (
    asks_to_hold,
    is_backchannel,
    is_goodbye,
    is_patient,
    opts_out,
    same_meaning,
    says_goodbye,
    takes_the_floor,
    words,
)
from tests.relay.core.corpora import NOT_OPT_OUTS, OPT_OUTS


@pytest.mark.parametrize("text", ["mm-hm", "Mm-hmm.", "uh-huh", "Okay.", "I see.", "right, right", "got it", "oh okay"])
def test_backchannels(text: str) -> None:
    """If this fails acknowledging Floyd interrupts it."""
    assert is_backchannel(text)
    assert not takes_the_floor(text, 2)


@pytest.mark.parametrize("text", ["yes", "No.", "stop", "hello", "we have roses"])
def test_not_backchannels(text: str) -> None:
    """If this fails an answer is taken for a noise."""
    assert not is_backchannel(text)


@pytest.mark.parametrize("text", ["stop", "wait", "no", "Hello?", "we have roses", "excuse me"])
def test_taking_the_floor(text: str) -> None:
    """If this fails a plain stop needs a second word."""
    assert takes_the_floor(text, 2)


@pytest.mark.parametrize("text", ["roses", "yes", "um"])
def test_one_word_alone_does_not_take_the_floor(text: str) -> None:
    """If this fails one misheard word stops Floyd."""
    assert not takes_the_floor(text, 2)


@pytest.mark.parametrize(
    "text", ["Bye!", "Okay, bye bye.", "Goodbye now.", "Have a nice day!", "Thank you, you too, goodbye.", "See you."]
)
def test_goodbyes(text: str) -> None:
    """If this fails Floyd goes on after a goodbye."""
    assert is_goodbye(text)


@pytest.mark.parametrize("text", ["Do you want to buy?", "Bye?", "He said goodbye to me and then he ordered roses."])
def test_not_goodbyes(text: str) -> None:
    """If this fails Floyd hangs up on somebody who is talking."""
    assert not is_goodbye(text)


def test_patience_of_the_callee() -> None:
    """If this fails "take your time" costs a reply of the model."""
    assert is_patient("Sure, take your time.")
    assert is_patient("no problem")
    assert not is_patient("We also have tulips.")


@pytest.mark.parametrize("text", ["Wait a minute.", "hold on please", "Let me check if she is in today"])
def test_asking_for_a_moment(text: str) -> None:
    """If this fails Floyd talks while the callee looks something up."""
    assert asks_to_hold(text)


@pytest.mark.parametrize("text", ["wait a minute are you a robot", "Hold on, is this a recording", "One moment, yes?"])
def test_a_moment_that_ends_in_a_question_is_over(text: str) -> None:
    """If this fails a callee waits eight seconds to learn that they talk to a machine."""
    assert not asks_to_hold(text)


def test_words_compare_by_meaning() -> None:
    """If this fails spelling makes the model start again."""
    assert same_meaning("Five hundred and sixty, um, dollars!", "560 dollars")
    assert not same_meaning("we have roses", "we have noses")
    assert words("Twenty-five ROSES.") == ["25", "roses"]
    assert says_goodbye("Thank you, goodbye.")


@pytest.mark.parametrize("text", OPT_OUTS)
def test_opt_outs_are_recognised(text: str) -> None:
    """If this fails somebody who wants no calls is called again."""
    assert opts_out(text)


@pytest.mark.parametrize("text", NOT_OPT_OUTS)
def test_other_wishes_are_no_opt_outs(text: str) -> None:
    """If this fails a callee who only names a better hour can never be called again."""
    assert not opts_out(text)
