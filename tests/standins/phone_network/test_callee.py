"""Scripted people, driven by hand: 20 ms at a time, with a clock of our own."""

import pytest

from relay.core import dtmf
from standins.audio import FRAME, SILENCE, is_loud
from standins.phone_network.callee import Callee
from standins.phone_network.line import QUIET
from standins.phone_network.script import Script
from standins.phone_network.sounds import sound

VOICE = sound("noise", 10, -20)


class Scene:
    """A callee, the phone in their hand, and the far voice."""

    def __init__(self, known: bool = False, **script: object) -> None:
        self.now = 0.0
        self.hung_up = False
        self.pressed = ""
        self.made = b""
        told = Script.model_validate({"name": "test", "voice": "tones", **script})
        self.callee = Callee(told, self.hang_up, self.press, 0.0, known)

    def hang_up(self) -> None:
        """The callee has put the phone down."""
        self.hung_up = True

    def press(self, digits: str) -> None:
        """The callee presses keys."""
        self.pressed += digits

    def pass_s(self, seconds: float, sound: bytes = b"") -> "Scene":
        """Time goes by with the far side silent, or sounding so."""
        for place in range(round(seconds / 0.02)):
            self.now += 0.02
            frame = sound[place * FRAME : (place + 1) * FRAME] or QUIET
            self.made += self.callee.tick(frame, is_loud(frame), self.now)
        return self

    def answer(self, words: str | None = None) -> "Scene":
        """The far voice takes a turn with these words, then is quiet; none: they are not made out in time."""
        self.pass_s(1, VOICE).pass_s(0.3)
        if words is not None:
            self.callee.understood(words.split(), self.now)
        return self.pass_s(1.2 if words is not None else 4)

    def key(self, digits: str) -> "Scene":
        """The far side presses keys, as the relay does it."""
        tones = dtmf.render(digits)
        return self.pass_s(len(tones) / 8000, tones)

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
    scene = Scene(lines=LINES).pass_s(1, VOICE).pass_s(0.4).pass_s(1, VOICE).pass_s(0.4)

    assert scene.said == []


def test_a_click_is_not_a_turn() -> None:
    """If this fails noise on the line makes the callee speak."""
    assert Scene(lines=LINES).pass_s(0.06, VOICE).pass_s(3).said == []


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


def test_a_slow_ear_goes_on_in_order() -> None:
    """If this fails a recogniser that takes too long stops a demo."""
    assert Scene(lines=SHOP).answer("hello").answer(None).said == ["dear", "next"]


def test_nonsense_is_asked_about_twice() -> None:
    """If this fails a callee answers what it did not understand, or asks for ever."""
    scene = Scene(lines=SHOP, sorry="what").answer("hello").answer("<garbled>").answer("").answer("<garbled>")

    assert scene.said == ["dear", "what", "what", "next"]


def test_a_line_waits_for_what_it_expects() -> None:
    """If this fails any words at all take a callee through its script."""
    scene = Scene(lines=[{"say": "noted", "expects": ["sick", "ill"]}], sorry="what").answer("the weather is nice")
    assert scene.said == ["what"]

    assert scene.answer("mara is sick today").said == ["what", "noted"]


def test_words_of_a_turn_that_went_on_count_together() -> None:
    """If this fails the callee answers half a sentence."""
    scene = Scene(lines=SHOP).answer("hello").pass_s(1, VOICE).pass_s(0.4)
    scene.callee.understood(["leaves", "me"], scene.now)
    scene.answer("time to check")

    assert not scene.hung_up
    assert scene.said[-1] == "take your time"


MENU = [
    {
        "label": "menu",
        "say": "for sales press one",
        "wait_for": "nothing",
        "when": [
            {"keys": "1", "then": "sales"},
            {"keys": ".", "say": "that is no choice", "then": "repeat"},
            {"silent_s": 3, "then": "repeat"},
        ],
    },
    {"label": "sales", "say": "your number please", "wait_for": "keys"},
    {"say": "thank you", "wait_for": "keys"},
]


def test_a_menu_takes_keys_and_no_words() -> None:
    """If this fails the road through a menu cannot be rehearsed, or a voice gets through where only keys do."""
    scene = Scene(lines=MENU).pass_s(3).answer(None)
    assert set(scene.said) == {"for sales press one"}
    repeated = len(scene.said)
    scene.key("7").pass_s(4)
    assert scene.said[repeated:] == ["that is no choice", "for sales press one"]
    scene.key("1").pass_s(2)
    assert scene.said[repeated + 2 :] == ["your number please"]

    assert scene.key("4059#").pass_s(1).said[-1] == "thank you"


def test_a_key_cuts_the_menu_short() -> None:
    """If this fails whoever knows a menu has to hear it out."""
    scene = Scene(lines=MENU).pass_s(0.5).key("1").pass_s(0.5)

    assert scene.said == ["for sales press one", "your number please"]
    assert scene.callee.said[0].end == pytest.approx(0.56, abs=0.03)


def test_a_number_without_an_end_is_complete_after_a_pause() -> None:
    """If this fails a menu waits for ever for a caller who does not press #."""
    scene = Scene(lines=[{"say": "thank you", "wait_for": "keys"}]).key("405").pass_s(1)
    assert scene.said == []

    assert scene.pass_s(1.2).said == ["thank you"]


def test_an_aside_takes_no_turn() -> None:
    """If this fails "uh huh" counts as an answer, or comes when nobody talks."""
    script = {"asides": [{"after_s": 0.5, "say": "uh huh"}], "lines": LINES}
    scene = Scene(**script).pass_s(3, VOICE)
    assert scene.said == ["uh huh"]

    assert scene.pass_s(2).said == ["uh huh", "one"]


def test_hold_music_is_deaf() -> None:
    """If this fails talking to hold music gets an answer."""
    scene = Scene(lines=[{"play": "music", "seconds": 5, "wait_for": "nothing"}, {"say": "hello"}]).pass_s(3, VOICE)

    assert scene.pass_s(3).said == ["(music)"]


def test_hanging_up_on_words_and_repeating() -> None:
    """If this fails two of the things a `when` can do are not done."""
    repeat = [{"hears": ["pardon"], "then": "repeat"}]
    scene = Scene(lines=SHOP, when=repeat).answer("hello").answer("pardon")
    assert scene.said == ["dear", "dear"]
    scene.answer("leave me")

    assert scene.hung_up


def test_a_barge_in_comes_while_the_other_talks() -> None:
    """If this fails no interruption can be rehearsed."""
    scene = Scene(lines=[{"say": "wait", "interrupt_after_s": 1.0}]).pass_s(0.9, VOICE)
    assert scene.said == []

    assert scene.pass_s(0.5, VOICE).said == ["wait"]


def test_hanging_up_in_the_middle_of_a_sentence() -> None:
    """If this fails the hardest moment to end a call is never tried."""
    assert Scene(lines=[{"hang_up_after_s": 1.0}]).pass_s(1.1, VOICE).hung_up


def test_voicemail_beeps_without_being_spoken_to() -> None:
    """If this fails a machine behaves like a person."""
    lines = [
        {"wait_for": "nothing", "play": "beep"},
        {"wait_for": "nothing", "pause_s": 3, "press": "1", "hang_up": True},
    ]
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
    quiet = Scene().callee.tick(QUIET, False, 0.02)

    assert quiet == SILENCE * 160
