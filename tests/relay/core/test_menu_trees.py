"""Whole telephone menus, as trees with wrong turns, repetitions and dead ends: through to a person, or left in time."""

from collections.abc import Sequence
from random import Random

import pytest

from relay.core.actions import HangUp, Message, PressKeys, StartReply
from relay.core.events import Event, KeysRequested
from relay.core.outcome import Outcome
from relay.core.policy import Policy
from tests.relay.core.play import OPENING, Play, brief

NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TOPICS = (
    *("sales", "billing", "roses", "tulips", "deliveries", "weddings", "funerals", "opening hours", "directions"),
    *("new orders", "refunds", "the warehouse", "gift cards", "complaints", "careers", "press inquiries"),
    *("subscriptions", "allergies", "parking", "returns", "garden plants", "workshops", "corporate customers", "tours"),
)
TIME_OUT_S = 7.0
MOST_S = 900.0


class Menu:
    """A tree of so many levels. One key of each menu leads on; another one, where it leads, and silence are up to it.

    `wrong`: "again" plays the menu once more, "back" the level before, "top" the first, "hang up" ends the call.
    """

    def __init__(self, seed: int, depth: int, wrong: Sequence[str]) -> None:
        self.random = random = Random(seed)
        self.wrong = wrong
        topics = random.sample(TOPICS, 4 * depth)
        self.levels = [
            dict(zip(random.sample(NUMBERS, 4), topics[4 * level : 4 * level + 4], strict=True))
            for level in range(depth)
        ]
        self.right = [random.choice(list(options)) for options in self.levels]
        self.heard: list[int] = []
        """The levels that were played, in order."""

    def text(self, level: int) -> str:
        self.heard.append(level)
        welcome = "thank you for calling acme flowers " if level == 0 and self.heard.count(0) == 1 else ""
        return welcome + " ".join(f"for {topic} press {key}" for key, topic in self.levels[level].items())

    def after(self, level: int, digits: str) -> int | None:
        """The next level; as many as there are: a person; None: the call is over."""
        if digits == str(1 + NUMBERS.index(self.right[level])):
            return level + 1
        match self.random.choice(self.wrong):
            case "back":
                return max(0, level - 1)
            case "top":
                return 0
            case "hang up":
                return None
            case _:
                return level


def called(menu: Menu, chooses: float) -> Play:
    """A call to this menu; so often the model presses the right key, else another one or none."""

    def mind(reply_id: int, messages: Sequence[Message]) -> list[Event]:
        right = str(1 + NUMBERS.index(menu.right[menu.heard[-1]]))
        if menu.random.random() < chooses:
            return [KeysRequested(reply_id, right)]
        return [KeysRequested(reply_id, menu.random.choice("123456789"))] if menu.random.random() < 0.7 else []

    play, level = Play(brief(limit_s=MOST_S), mind), 0
    while not play.did(HangUp):
        pressed = len(play.did(PressKeys))
        words = menu.text(level).split()
        half = len(words) // 2 if menu.random.random() < 0.5 else len(words)
        play.callee(" ".join(words[:half]))
        if half < len(words):
            play.wait(menu.random.uniform(0.4, 1.4))
            play.callee(" ".join(words[half:]))
        waited = 0.0
        while waited < TIME_OUT_S and len(play.did(PressKeys)) == pressed and not play.did(HangUp):
            play.wait(0.1)
            waited += 0.1
        if len(play.did(PressKeys)) > pressed:
            play.wait(1.5)
            following = menu.after(level, play.did(PressKeys)[-1].digits)
            if following is None or following == len(menu.levels):
                break
            level = following
    return play


def correct(menu: Menu) -> list[str]:
    return [str(1 + NUMBERS.index(key)) for key in menu.right]


@pytest.mark.parametrize("depth", range(1, 6))
@pytest.mark.parametrize("seed", range(12))
def test_whoever_chooses_well_gets_through(depth: int, seed: int) -> None:
    """If this fails Floyd presses before a menu has ended, twice, or talks to it, and nobody is reached."""
    menu = Menu(seed, depth, ["again"])
    play = called(menu, 1.0)
    assert [action.digits for action in play.did(PressKeys)] == correct(menu)
    assert play.spoken() == []
    assert menu.heard == list(range(depth)), "each menu was heard once"
    play.answer("hello this is rosie how can i help you")
    assert play.spoken() == list(OPENING)


@pytest.mark.parametrize("depth", range(1, 6))
@pytest.mark.parametrize("seed", range(40))
def test_wrong_turns_loops_and_time_outs_end(depth: int, seed: int) -> None:
    """If this fails Floyd goes round in a menu until the call's limit, at the price of a model call a round."""
    print(f"seed {seed}, depth {depth}")
    menu = Menu(seed, depth, ["again", "again", "back", "top", "hang up"])
    play = called(menu, 0.6)
    policy = Policy()
    # Those, the operator's key, his name, and the end; the first has a welcome before it and may count as another menu.
    most_hearings = policy.menu_repeats + 4
    assert max(menu.heard.count(level) for level in range(depth)) <= most_hearings
    assert len(play.did(StartReply)) <= policy.menus
    assert len(play.did(PressKeys)) <= policy.menus
    assert set(play.spoken()) <= {"Operator."}
    if play.did(HangUp):
        assert play.conversation.transcript().outcome is Outcome.NO_PROGRESS


@pytest.mark.parametrize("depth", range(1, 6))
@pytest.mark.parametrize("wrong", ["again", "back", "top"])
def test_a_menu_that_leads_nowhere_is_left(depth: int, wrong: str) -> None:
    """If this fails a menu without a way out holds the line, whatever Floyd presses."""
    menu = Menu(depth, depth, [wrong])
    menu.right[-1] = "nine"  # which no level offers to the model below
    menu.levels[-1] = {"one": "sales", "two": "billing", "three": "roses"}

    def mind(reply_id: int, messages: Sequence[Message]) -> list[Event]:
        level = menu.heard[-1]
        last = level == depth - 1
        return [KeysRequested(reply_id, "1" if last else str(1 + NUMBERS.index(menu.right[level])))]

    play, level = Play(brief(limit_s=MOST_S), mind), 0
    while not play.did(HangUp):
        pressed = len(play.did(PressKeys))
        play.callee(menu.text(level))
        play.wait(6.0)
        for action in play.did(PressKeys)[pressed:]:
            following = menu.after(level, action.digits)
            assert following is not None
            level = min(following, depth - 1)
        assert len(menu.heard) <= Policy().menus + 2
    assert play.conversation.transcript().outcome is Outcome.NO_PROGRESS
