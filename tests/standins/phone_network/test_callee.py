"""Scripted people, driven by hand: 20 ms at a time, with a clock of our own."""

from collections.abc import Sequence

from standins.audio import SILENCE
from standins.phone_network.callee import Callee
from standins.phone_network.script import Script


class Scene:
    """A callee, the phone in their hand, and the far voice."""

    def __init__(self, known: bool = False, **script: object) -> None:
        self.now = 0.0
        self.hung_up = False
        self.pressed = ""
        self.words: Sequence[str] | None = None
        self.callee = Callee(Script.model_validate({"name": "test", "voice": "tones", **script}), self, 0.0, known)

    def hang_up(self) -> None:
        """The callee has put the phone down."""
        self.hung_up = True

    def press(self, digits: str) -> None:
        """The callee presses keys."""
        self.pressed += digits

    def understand(self, since: float, turn: float) -> None:
        """The callee wants to know the words."""
        if self.words is not None:
            self.callee.understood(turn, self.words)

    def pass_s(self, seconds: float, loud: bool = False) -> "Scene":
        """Time goes by with the far voice silent, or loud."""
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            self.callee.tick(loud, self.now)
        return self

    def answer(self, words: str | None = None) -> "Scene":
        """The far voice takes a turn with these words, then is quiet."""
        self.words = words.split() if words is not None else None
        return self.pass_s(1, loud=True).pass_s(1.5)

    @property
    def said(self) -> list[str]:
        """The lines so far."""
        return [said.text for said in self.callee.said]


LINES = [{"say": "one"}, {"say": "two"}, {"say": "three", "hang_up": True}]


def test_lines_come_in_order_after_each_turn() -> None:
    """If this fails a persona that understands nothing gets stuck."""
    scene = Scene(greeting="hi", lines=LINES).pass_s(2)
    assert scene.said == ["hi"]
    scene.answer().answer().answer()

    assert scene.said == ["hi", "one", "two", "three"]
    assert scene.hung_up


def test_a_short_pause_is_not_the_end_of_a_turn() -> None:
    """If this fails the callee talks into the middle of Floyd's sentences."""
    scene = Scene(lines=LINES).pass_s(1, loud=True).pass_s(0.4).pass_s(1, loud=True).pass_s(0.4)

    assert scene.said == []


def test_a_click_is_not_a_turn() -> None:
    """If this fails noise on the line makes the callee speak."""
    assert Scene(lines=LINES).pass_s(0.06, loud=True).pass_s(3).said == []


def test_patience_runs_out() -> None:
    """If this fails a dead line is held for ever."""
    scene = Scene(patience_s=2, hello="anybody").pass_s(12)

    assert scene.said == ["anybody"] * 3
    assert scene.hung_up


WHENS = [
    {"hears": ["check"], "say": "take your time", "then": "stay"},
    {"hears": ["too much"], "then": "cheap"},
    {"hears": ["leave me"], "then": "hang_up"},
]
SHOP = [{"say": "dear", "when": WHENS}, {"say": "next"}, {"label": "cheap", "say": "cheap"}, {"say": "end"}]


def test_words_turn_the_order() -> None:
    """If this fails a callee cannot react to what it was told."""
    scene = Scene(lines=SHOP).answer("hello").answer("let me check").answer("still to check")
    assert scene.said == ["dear", "take your time", "take your time"]
    scene.answer("that is too much").answer("fine")

    assert scene.said[3:] == ["cheap", "end"]


def test_not_understanding_goes_on_in_order() -> None:
    """If this fails a deaf recogniser stops a demo."""
    scene = Scene(lines=SHOP).answer("hello").pass_s(1, loud=True)
    scene.words = None
    scene.pass_s(4)

    assert scene.said == ["dear", "next"]


def test_words_of_a_turn_that_went_on_are_forgotten() -> None:
    """If this fails the callee answers half a sentence."""
    scene = Scene(lines=SHOP).answer("hello")
    scene.words = ["leave", "me"]
    scene.pass_s(1, loud=True).pass_s(0.4)
    scene.words = ["leaves", "me", "time", "to", "check"]
    scene.pass_s(1, loud=True).pass_s(1.5)

    assert not scene.hung_up
    assert scene.said[-1] == "take your time"


def test_hanging_up_on_words_and_repeating() -> None:
    """If this fails two of the things a `when` can do are not done."""
    repeat = [{"hears": ["pardon"], "then": "repeat"}]
    scene = Scene(lines=SHOP, when=repeat).answer("hello").answer("pardon")
    assert scene.said == ["dear", "dear"]
    scene.answer("leave me")

    assert scene.hung_up


def test_a_barge_in_comes_while_the_other_talks() -> None:
    """If this fails no interruption can be rehearsed."""
    scene = Scene(lines=[{"say": "wait", "interrupt_after_s": 1.0}]).pass_s(0.9, loud=True)
    assert scene.said == []

    assert scene.pass_s(0.5, loud=True).said == ["wait"]


def test_hanging_up_in_the_middle_of_a_sentence() -> None:
    """If this fails the hardest moment to end a call is never tried."""
    assert Scene(lines=[{"hang_up_after_s": 1.0}]).pass_s(1.1, loud=True).hung_up


def test_voicemail_beeps_without_being_spoken_to() -> None:
    """If this fails a machine behaves like a person."""
    lines = [{"wait": False, "beep": True}, {"wait": False, "pause_s": 3, "press": "1", "hang_up": True}]
    scene = Scene(greeting="leave a message", lines=lines).pass_s(3)
    assert scene.said == ["leave a message", "(beep)"]

    assert scene.pass_s(3).hung_up
    assert scene.pressed == "1"


def test_a_caller_who_rings_again_is_known() -> None:
    """If this fails a call back begins the whole order anew."""
    scene = Scene(known=True, lines=SHOP, greeting="hi", again_greeting="you again", again="cheap")
    scene.pass_s(2).answer("hello")

    assert scene.said == ["you again", "cheap"]


def test_silence_on_the_line_is_mulaw_silence() -> None:
    """If this fails a silent callee would sound like one who speaks."""
    quiet = Scene().callee.tick(False, 0.02)

    assert quiet == SILENCE * 160
