"""What the person is asked, what their answer allows, and what becomes of a callee who does not wait for it."""

from collections.abc import Sequence

import pytest

from floyd import lines
from floyd.money import Money
from relay.core.actions import AskPerson, HangUp, Message, QuestionKind
from relay.core.asking import allowed_amount
from relay.core.events import AskRequested, Event, PersonAnswered, ReplyText, StreamStopped
from relay.core.outcome import Outcome
from relay.core.transcript import Speaker, Turn
from tests.relay.core.play import Mind, Play, brief

ASKED = Money.of("560", "USD")


def asks(question: str) -> Mind:
    """A mind that asks the person this, and then agrees to whatever it is."""

    def mind(reply_id: int, messages: Sequence[Message]) -> list[Event]:
        if any("your person answered" in message.text for message in messages):
            return [ReplyText(reply_id, "Yes, 560 dollars is fine.")]
        return [AskRequested(reply_id, question, ("yes", "no"))]

    return mind


def asked(question: str = "They ask 560 dollars. Is that all right?") -> Play:
    """A call in which the person has been asked about a price of 560 dollars."""
    play = Play(mind=asks(question))
    play.answer("Rosie's Flowers, hello?")
    play.answer("That would be 560 dollars.")
    return play


@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        ("yes", "560"),
        ("Sure, go ahead.", "560"),
        ("no", None),
        ("No way, too much.", None),
        ("don't", None),
        ("up to 600", "600"),
        ("yes, up to 80", "80"),
        ("no, at most 100 dollars", "100"),
        ("no more than two hundred", "200"),
        ("not over 90", "90"),
        ("I can do 300.", "300"),
        ("no, 560 is crazy", None),
    ],
)
def test_allowed_amount(answer: str, allowed: str | None) -> None:
    """If this fails a no becomes a yes, or a limit is misread."""
    assert allowed_amount(answer, ASKED) == (Money.of(allowed, "USD") if allowed else None)


def test_a_yes_to_the_models_own_question_about_a_price_allows_that_price() -> None:
    """If this fails the person says yes, and is asked the same once more."""
    play = asked()
    [question] = play.did(AskPerson)
    assert (question.kind, question.amount) == (QuestionKind.MANDATE, ASKED)
    play.receive(PersonAnswered(question.question_id, "yes"))
    play.settle()
    assert play.spoken()[-1] == "Yes, 560 dollars is fine."


def test_an_answer_to_what_another_relay_asked_is_brought_to_the_callee() -> None:
    """If this fails a callee whose relay died while the person was asked never hears the answer."""
    prior = (
        Turn(1, Speaker.FLOYD, "Hello, this is an AI.", 0, 2000),
        Turn(2, Speaker.CALLEE, "That would be 560 dollars.", 2500, 3500),
        Turn(3, Speaker.FLOYD, lines.CHECK_FIRST, 3600, 5000),
    )
    open_now = AskPerson("1-1-q", "Is 560 dollars all right?", ("yes", "no"), QuestionKind.MANDATE, ASKED, 90.0)
    play = Play(brief(prior=prior, asked=open_now), asks("unused"))
    play.wait(4.0)
    play.receive(PersonAnswered("1-1-q", "yes"))
    play.wait(4.0)
    assert play.spoken()[-1] == "Yes, 560 dollars is fine."


def test_a_question_that_names_no_price_allows_none() -> None:
    """If this fails a yes to something else is taken for money."""
    play = asked("Is a red ribbon for 2 people all right?")
    [question] = play.did(AskPerson)
    assert (question.kind, question.amount) == (QuestionKind.APPROVAL, None)
    play.receive(PersonAnswered(question.question_id, "yes"))
    play.settle()
    assert play.spoken()[-1] == lines.CHECK_FIRST


def test_a_callee_who_does_not_wait_is_told_that_we_call_back() -> None:
    """If this fails the callee believes that nothing more will come."""
    play = asked()
    play.answer("I cannot wait, please call me back. Goodbye.")
    play.wait(5.0)
    assert play.spoken()[-1] == lines.BAIL
    assert play.did(HangUp) == [HangUp(Outcome.NEEDS_ANSWER)]


def test_a_callee_who_hangs_up_while_the_person_is_asked_is_owed_the_answer() -> None:
    """If this fails the person's answer comes to nothing."""
    play = asked()
    play.receive(StreamStopped("stop"))
    assert play.conversation.transcript().outcome is Outcome.NEEDS_ANSWER
