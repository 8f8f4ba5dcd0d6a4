"""How calls end."""

import pytest

from floyd import lines
from relay.core.actions import HangUp
from relay.core.events import EarLost, EndCallRequested, Event, HangUpRequested, ReplyText
from relay.core.outcome import Outcome
from tests.relay.core.play import Play

FAREWELL = "That is all, thank you. Goodbye."


@pytest.mark.parametrize("by_tool", [False, True])
def test_a_goodbye_that_the_callee_returns_is_not_said_twice(by_tool: bool) -> None:
    """If this fails Floyd takes leave again of a callee who has just said goodbye back."""

    def mind(reply_id: int, messages: object) -> list[Event]:
        return [ReplyText(reply_id, FAREWELL), *[EndCallRequested(reply_id)] * by_tool]

    play = Play(mind=mind)
    play.answer("Rosie's Flowers, hello?")
    play.settle()
    play.answer("It will be ready on Friday.")
    play.callee("You too, goodbye.")
    play.wait(10.0)
    assert play.spoken().count(FAREWELL) == 1
    assert lines.FAREWELL not in play.spoken()
    assert play.did(HangUp) == [HangUp(Outcome.DONE)]


@pytest.mark.parametrize("reason", [HangUpRequested(), EarLost("gone")])
def test_a_goodbye_is_final_once_there_is_a_better_reason(reason: Event) -> None:
    """If this fails a person's hang-up is forgotten when the callee goes on, or closing lasts twice its limit."""
    play = Play(mind=lambda reply_id, messages: [ReplyText(reply_id, FAREWELL), EndCallRequested(reply_id)])
    play.answer("Rosie's Flowers, hello?")
    play.settle()
    if isinstance(reason, EarLost):
        play.receive(reason)
        play.wait(9.0)
    play.callee("It will be ready on Friday.")
    play.wait(3.5)
    play.receive(reason)
    play.callee("No wait, what is your number?")
    play.wait(10.0)
    assert play.spoken().count(FAREWELL) == 1
    assert play.did(HangUp) == [HangUp(Outcome.DONE)]
