"""What of the model's replies is said."""

import pytest

from relay.core.events import Event, ReplyText
from relay.core.guards import Pass, Setting, guard
from relay.core.offers import Table
from tests.relay.core.play import Play, brief

OFFER = "That would be five hundred and sixty dollars."


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("I am not calling", "as an AI but as a human."),
        ("That would", "be acceptable."),
        ("I can", "confirm that."),
        ("You have", "my word."),
    ],
)
def test_what_may_not_be_said_in_one_piece_may_not_be_said_in_two(begins: str, ends: str) -> None:
    """If this fails cutting a sentence early lets a promise, an agreement or a lie through."""
    plan = brief()
    here = Setting(plan, plan.mandate, Table().after(OFFER, plan.mandate), (OFFER,))
    assert not isinstance(guard(f"{begins} {ends}", here), Pass)
    assert isinstance(guard(ends, here), Pass)

    def mind(reply_id: int, messages: object) -> list[Event]:
        return [ReplyText(reply_id, begins), ReplyText(reply_id, ends)]

    play = Play(plan, mind)
    play.answer("Rosie's Flowers, hello?")
    play.settle()
    play.answer(OFFER)
    assert ends not in play.spoken()
