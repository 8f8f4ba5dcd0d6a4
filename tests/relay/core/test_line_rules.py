"""Machines and people on one line, in virtual time: who is answered, how, and what it costs."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from relay.core.actions import AskPerson, HangUp, Message, PressKeys, RestEars, Speak, StartReply, WakeEars
from relay.core.events import (
    DrainRequested,
    Event,
    FinalHeard,
    KeysRequested,
    LineClassified,
    PersonAnswered,
    ReplyText,
)
from relay.core.line_kinds import LineKind
from relay.core.outcome import Outcome
from relay.core.policy import Policy
from relay.core.sounds import KINDS
from tests.relay.core.play import OPENING, Play, brief, says

VOICEMAIL = "Hello, this is an AI assistant calling for Tom Baker. Please call him back."
GREETING = "hello you have reached the garcia family we are not at home please leave a message after the tone"
ON_HOLD = "all of our agents are currently busy please stay on the line"


def sound(play: Play, evidence: str) -> None:
    play.receive(LineClassified(*KINDS[evidence], evidence))


def kind(play: Play) -> str:
    return play.conversation.transcript().line


def ended(play: Play) -> Outcome:
    (end,) = play.did(HangUp)
    return end.outcome


def presses(*keys: str) -> Play:
    """A call whose model presses these keys one after the other, then goes on with the last."""
    left = list(keys)

    def mind(reply_id: int, messages: Sequence[Message]) -> list[Event]:
        return [KeysRequested(reply_id, left.pop(0) if len(left) > 1 else left[0])]

    return Play(mind=mind)


def spoken_after(play: Play, at: float) -> list[str]:
    return [action.text for moment, action in play.log if isinstance(action, Speak) and moment > at]


# Voicemail


@pytest.mark.parametrize("beep", [True, False])
@pytest.mark.parametrize("pieces", range(1, 9))
def test_a_mailbox_gets_the_approved_message_after_its_greeting(pieces: int, beep: bool) -> None:
    """If this fails Floyd talks to a tape, talks over its greeting, or leaves nothing."""
    play = Play(brief(voicemail=VOICEMAIL))
    words = GREETING.split()
    size = -(-len(words) // pieces)
    for start in range(0, len(words), size):
        play.callee(" ".join(words[start : start + size]))
        play.wait(0.7)
    greeted_at = play.now
    assert kind(play) == "voicemail"
    if beep:
        sound(play, "beep")
    play.wait(20)

    assert spoken_after(play, greeted_at - 0.1) == [
        "Hello, this is an AI assistant calling for Tom Baker.",
        "Please call him back.",
    ]
    assert ended(play) is Outcome.VOICEMAIL_LEFT
    assert not play.did(StartReply)


def test_no_released_fact_is_left_on_a_tape() -> None:
    """If this fails anybody who plays the tape learns what only the callee was meant to hear."""
    facts = {"phone_number": "+13125550142", "child": "Mara", "who": "Tom Baker"}
    message = "Tom Baker is calling. Mara is ill! Ring (312) 555-0142."
    play = Play(brief(voicemail=message, release=facts))
    play.callee(GREETING)
    play.wait(20)

    assert play.spoken() == [OPENING[0], "Tom Baker is calling."]


def test_a_mailbox_that_takes_no_message() -> None:
    """If this fails Floyd talks to a full mailbox, or claims to have left a message that nobody approved."""
    full, nothing_approved = Play(brief(voicemail=VOICEMAIL)), Play(brief(voicemail=""))
    full.callee("the mailbox is full and cannot accept any messages goodbye")
    nothing_approved.callee(GREETING)
    for play in (full, nothing_approved):
        play.wait(20)
        assert play.spoken() == []
        assert ended(play) is Outcome.VOICEMAIL_NO_MESSAGE


def test_a_late_beep_begins_the_message_again_once() -> None:
    """If this fails the tape holds the end of a message."""
    play = Play(brief(voicemail=VOICEMAIL))
    play.callee(GREETING)
    play.wait(4)
    assert len(play.spoken()) == 2
    sound(play, "beep")
    sound(play, "beep")
    play.wait(20)
    assert play.spoken() == 2 * play.spoken()[:2]


def test_a_person_who_picks_up_during_the_message_is_told_who_calls() -> None:
    """If this fails somebody runs to the phone and hears a tape's message go on."""
    play = Play(brief(voicemail=VOICEMAIL))
    play.callee(GREETING)
    play.wait(3)
    at = play.now
    play.answer("hello hello i'm here")
    assert kind(play) == "person"
    assert spoken_after(play, at) == list(OPENING)


# Menus

MENUS = (
    "welcome to acme press one for sales press two for service",
    "for roses press one for tulips press two or stay on the line",
    "to order say order or press three to hear these options again press star",
    "if you know your extension please enter it now for delivery press four",
    "press five to speak to a person or press nine to end the call",
)


@pytest.mark.parametrize("depth", range(1, 6))
def test_menus_are_heard_out_and_answered_by_keys(depth: int) -> None:
    """If this fails Floyd talks to a menu, presses before it has ended, or gets lost in it."""
    play = presses("1", "2", "3", "4", "5")
    for menu in MENUS[:depth]:
        half = menu.split()
        play.callee(" ".join(half[:6]))
        play.wait(1.2)
        assert play.conversation.floor.name == "LISTENING", "a pause between two options is not the end"
        play.callee(" ".join(half[6:]))
        play.settle()
        play.wait(2.5)
    assert [action.digits for action in play.did(PressKeys)] == ["1", "2", "3", "4", "5"][:depth]
    assert play.spoken() == []

    play.answer("rose flower shop how can i help you")
    assert play.spoken() == list(OPENING)
    assert kind(play) == "person"


def test_a_menu_that_asks_for_words_gets_words() -> None:
    """If this fails menus without keys are the end of every errand."""
    play = Play(mind=says("billing"))
    play.callee("please say billing or say sales")
    play.wait(6)
    assert play.spoken() == ["billing"]


def test_a_menu_that_comes_again_and_again_is_left() -> None:
    """If this fails a loop costs the whole call: four hearings, then the operator's key, his name, and the end."""
    play = presses("7")
    for _ in range(6):
        play.callee("press one for sales press two for service")
        play.wait(6)
    assert [action.digits for action in play.did(PressKeys)] == ["7", "7", "7", "0"]
    assert play.spoken() == ["Operator."]
    assert ended(play) is Outcome.NO_PROGRESS


def test_a_menu_with_nothing_to_choose_is_answered_by_silence() -> None:
    """If this fails an empty reply to a machine ends the call with an apology."""
    play = Play(mind=lambda reply_id, messages: [])
    play.callee("press one for sales press two for service")
    play.wait(20)
    assert play.spoken() == []
    assert len(play.did(StartReply)) == 1
    assert not play.did(HangUp)


def test_a_menu_that_repeats_into_our_silence_is_left() -> None:
    """If this fails a menu with nothing to choose costs a model call at every repetition."""
    play = Play(mind=lambda reply_id, messages: [])
    for _ in range(8):
        play.callee("press one for sales press two for service")
        play.wait(6)
    assert len(play.did(StartReply)) == 3
    assert play.spoken() == ["Operator."]
    assert ended(play) is Outcome.NO_PROGRESS


# Hold


def test_nothing_is_thought_or_said_on_hold() -> None:
    """If this fails Floyd chats to hold music, at the price of a model call a turn."""
    play = Play()
    play.callee(ON_HOLD)
    for _ in range(19 * 2):
        play.wait(27)
        sound(play, "music")
        play.callee("your call is important to us")
    assert kind(play) == "hold"
    assert not play.did(StartReply) + play.did(Speak) + play.did(HangUp)  # type: ignore[operator]
    assert len(play.did(RestEars)) == 1

    play.answer("thanks for holding this is rosie how can i help")
    assert play.spoken() == list(OPENING)
    assert len(play.did(WakeEars)) == 1


@pytest.mark.parametrize("minutes", [20, 40, 70])
def test_a_hold_ends_at_its_limit_and_not_at_the_calls(minutes: int) -> None:
    """If this fails a call on hold is cut by the limit on talking, or held for ever."""
    play = Play(brief(line_s=120.0 * minutes), policy=replace(Policy(), hold_limit_s=60.0 * minutes))
    play.callee("hello rosie's flowers one moment please")
    play.settle()
    sound(play, "music")
    held_at = play.now
    play.wait(60 * minutes - 1)
    assert kind(play) == "hold"
    play.wait(5)
    assert ended(play) is Outcome.HOLD_LIMIT
    assert round(next(at for at, action in play.log if isinstance(action, HangUp)) - held_at) == 60 * minutes


def test_time_on_hold_is_not_time_talked() -> None:
    """If this fails half an hour of music leaves no time to say what the call is about."""
    play = Play()
    sound(play, "music")
    play.wait(900)
    play.answer("hello rosie's flowers")
    play.wait(5)
    assert kind(play) == "person"
    assert not play.did(HangUp)


def test_whoever_comes_back_from_hold_is_not_introduced_to_twice() -> None:
    """If this fails people hear the whole opening again each time they come back to the phone."""
    play = Play(mind=says("Wonderful, thank you."))
    play.answer("hello rosie's flowers")
    play.callee("one moment please")
    play.wait(1)
    sound(play, "music")
    play.wait(60)
    play.callee("okay so i looked and we have roses")
    play.wait(8)
    assert play.spoken() == [*OPENING, "Wonderful, thank you."]


def on_hold(**about: object) -> Play:
    """Somebody who knows us has put us on hold."""
    play = Play(brief(line_s=7200.0, **about), mind=says("Wonderful, thank you."))
    play.answer("hello rosie's flowers")
    play.callee("one moment please")
    play.wait(1)
    sound(play, "music")
    return play


@pytest.mark.parametrize(
    "text", ["one moment please let me get my pen", "please hold i am just writing it down", "please wait a second"]
)
def test_whoever_comes_back_and_asks_for_a_moment_is_a_person(text: str) -> None:
    """If this fails a person's own words are taken for an announcement, and what they say next falls on a dead line."""
    play = on_hold()
    play.wait(60)
    play.callee(text)
    play.wait(12)
    assert kind(play) == "person"
    assert play.spoken() == list(OPENING), "a moment was asked for"
    play.answer("okay we have roses on friday")
    assert play.spoken() == [*OPENING, "Wonderful, thank you."]


def test_an_answer_after_a_moment_is_heard() -> None:
    """If this fails "one moment please" in front of an answer hides it."""
    play = on_hold()
    play.wait(60)
    play.callee("one moment please")
    play.wait(0.7)
    play.callee("okay so i looked and we have the red roses for fifty dollars on friday")
    play.wait(8)
    assert play.spoken() == [*OPENING, "Wonderful, thank you."]


@pytest.mark.parametrize(
    "text", ["one moment please", "please hold while i transfer your call", "please wait for the operator"]
)
def test_announcements_on_hold_are_nobody(text: str) -> None:
    """If this fails the queue's own voice wakes the model."""
    play = on_hold()
    play.wait(60)
    play.callee(text)
    play.wait(12)
    assert kind(play) == "hold"


def test_the_person_sees_the_time_on_hold_and_a_yes_extends_it() -> None:
    """If this fails a hold ends although the person would wait, or goes on although they would not."""
    play = on_hold()
    play.wait(1140)
    [asked] = play.did(AskPerson)
    assert asked.question == "They have kept me on hold for 18 of at most 20 minutes. Go on waiting?"
    assert asked.choices == ("yes", "no")
    play.receive(PersonAnswered(asked.question_id, "Yes"))
    play.wait(1200)
    again = play.did(AskPerson)[1:]
    assert [each.question for each in again] == [asked.question.replace("18 of", "38 of").replace("20 m", "40 m")]
    assert again[0].question_id != asked.question_id
    assert kind(play) == "hold"
    assert not play.did(HangUp)
    play.receive(PersonAnswered(again[0].question_id, "no, don't wait any longer"))
    play.wait(5)
    assert ended(play) is Outcome.HOLD_LIMIT


@pytest.mark.parametrize(
    ("answer", "goes_on"),
    [
        ("yes", True),
        ("OK, ten more minutes", True),
        ("keep waiting", True),
        ("Don\u2019t hang up", True),
        ("no problem, go on", True),
        ("No", False),
        ("stop waiting", False),
        ("that's enough, hang up", False),
        ("not any longer", False),
        ("what?", False),
    ],
)
def test_only_what_means_yes_extends_a_hold(answer: str, goes_on: bool) -> None:
    """If this fails "stop waiting" costs another twenty minutes, or "don't hang up" ends the call."""
    play = on_hold()
    play.wait(1140)
    play.receive(PersonAnswered(play.did(AskPerson)[0].question_id, answer))
    play.wait(100)
    assert (kind(play) == "hold" and not play.did(HangUp)) is goes_on


def test_without_an_answer_a_hold_ends_at_its_limit() -> None:
    """If this fails nobody's silence is taken for a yes that costs money."""
    play = on_hold()
    held_at = play.now
    play.wait(1205)
    assert ended(play) is Outcome.HOLD_LIMIT
    assert round(next(at for at, action in play.log if isinstance(action, HangUp)) - held_at) == 1200
    assert len(play.did(AskPerson)) == 1


def test_an_answer_about_waiting_comes_too_late_for_somebody_who_is_back() -> None:
    """If this fails "no" hangs up on a person who has returned, or the model is told of it."""
    play = on_hold()
    play.wait(1140)
    [asked] = play.did(AskPerson)
    play.callee("okay so i looked and we have roses")
    play.wait(8)
    play.receive(PersonAnswered(asked.question_id, "no"))
    play.wait(5)
    assert kind(play) == "person"
    assert not play.did(HangUp)


def test_time_on_hold_counts_on_at_the_next_relay() -> None:
    """If this fails every hop between relays begins the hold anew, or forgets that the person was asked."""
    first = on_hold()
    first.wait(1000)
    first.receive(DrainRequested())
    held_s = first.conversation.transcript().held_s
    assert round(held_s) == 1000

    second = Play(brief(line="hold", line_s=7200.0, held_s=held_s))
    second.wait(120)
    [asked] = second.did(AskPerson)
    second.receive(DrainRequested())
    held_s = second.conversation.transcript().held_s
    assert round(held_s) == 1120

    third = Play(brief(line="hold", line_s=7200.0, held_s=held_s, asked=replace(asked, question_id="1-2-hold-1-0")))
    third.wait(60)
    assert not third.did(AskPerson)
    third.receive(PersonAnswered("1-2-hold-1-0", "yes, go on"))
    third.wait(1150)
    assert kind(third) == "hold"
    assert [each.question for each in third.did(AskPerson)] == [
        "They have kept me on hold for 38 of at most 40 minutes. Go on waiting?"
    ]


@pytest.mark.parametrize("name", ["music", "busy"])
def test_whoever_says_words_is_a_person(name: str) -> None:
    """If this fails a callee with a steady voice is put on hold, or hung up on, while talking."""
    play = Play(mind=says("Wonderful, thank you."))
    play.answer("hello rosie's flowers")
    play.callee("we have roses for")
    sound(play, name)
    assert kind(play) == "person"


def test_music_while_we_talk_is_in_the_callees_room() -> None:
    """If this fails a radio in a shop puts Floyd on hold in the middle of a sentence."""
    play = Play()
    play.callee("hello rosie's flowers")
    play.wait(1.5)
    assert play.conversation.floor.name == "SPEAKING"
    sound(play, "music")
    assert kind(play) == "person"


# Screening


def test_screening_gets_the_approved_opening_and_then_silence() -> None:
    """If this fails a screening robot is argued with, or hears nothing and lets nobody through."""
    play = Play()
    play.callee("hi if you record your name and reason for calling i'll see if this person is available")
    play.wait(12)
    assert play.spoken() == list(OPENING)
    play.callee("please stay on the line")
    play.wait(10)
    assert play.spoken() == list(OPENING)
    assert not play.did(StartReply)
    play.answer("hi this is rosie")
    assert play.spoken() == [*OPENING, *OPENING]


def test_screening_after_a_tone_waits_for_it() -> None:
    """If this fails the first words of the answer are not recorded."""
    play = Play()
    play.callee("please state your name after the tone and i will try to connect you")
    play.wait(1.5)
    assert play.spoken() == []
    sound(play, "beep")
    assert play.spoken() == list(OPENING)


# Nobody at all


@pytest.mark.parametrize(
    ("evidence", "outcome"),
    [("fax", Outcome.WRONG_NUMBER), ("intercept", Outcome.NUMBER_INVALID), ("busy", Outcome.BUSY)],
)
def test_tones_end_the_call_at_once(evidence: str, outcome: Outcome) -> None:
    """If this fails Floyd introduces itself to a fax until the time is up."""
    play = Play()
    play.wait(1.0)
    sound(play, evidence)
    play.wait(3)
    assert ended(play) is outcome
    assert play.spoken() == []


def test_a_tone_after_talk_means_that_they_hung_up() -> None:
    """If this fails a finished talk counts as a busy line and is rung again."""
    play = Play(mind=says("Could you say that again?"))
    play.answer("hello rosie's flowers")
    play.answer("we have roses for eighty dollars")
    play.wait(2.5)
    sound(play, "busy")
    play.wait(3)
    assert ended(play) is Outcome.CALLEE_HUNG_UP


def test_the_network_says_that_there_is_no_such_number() -> None:
    """If this fails a wrong number is rung again and again."""
    play = Play()
    play.callee("we're sorry the number you have dialed is not in service")
    play.wait(5)
    assert ended(play) is Outcome.NUMBER_INVALID


# Everything else


def test_machines_are_not_obeyed() -> None:
    """If this fails an announcement can put its own number on the do-not-call list, or be told that we are an AI."""
    play = presses("1")
    play.callee("press one for sales or press nine to be removed from our calling list never call us again")
    play.wait(8)
    assert kind(play) == "menu"
    assert not play.did(HangUp)


def test_a_call_taken_over_on_hold_stays_on_hold() -> None:
    """If this fails each hop between relays speaks into the music."""
    play = Play(brief(line="hold"))
    play.wait(60)
    assert kind(play) == "hold"
    assert play.spoken() == []
    assert play.did(RestEars)


def test_people_are_no_machines() -> None:
    """If this fails a person who says "hold on" or "leave a message" is treated like a tape."""
    for text in (
        "hello lincoln elementary school how can i help you",
        "she is not available right now would you like to leave a message",
        "can you hold the line for a second please",
        "may i ask who is calling and what it is about",
        "i can take your name and number and have him call you back",
        "sorry i have to put you on hold for a moment is that all right",
        "what is your reference number please",
    ):
        play = Play()
        play.answer(text)
        assert kind(play) == "person", text
        assert play.spoken()[: len(OPENING)] == list(OPENING), text


def test_a_final_that_comes_late_does_not_wake_a_machine() -> None:
    """If this fails the recogniser's last word on a greeting begins a conversation with a tape."""
    play = Play(brief(voicemail=VOICEMAIL))
    play.callee(GREETING, final_after=0.1)
    play.wait(2.6)
    spoken = len(play.spoken())
    play.receive(FinalHeard(GREETING, 0.9, 0, play.ms - 2000))
    play.wait(0.5)
    assert kind(play) == LineKind.VOICEMAIL
    assert len(play.spoken()) == spoken


def test_replies_to_a_menu_are_guarded() -> None:
    """If this fails a menu gets what no person may have."""
    play = Play(mind=lambda reply_id, messages: [ReplyText(reply_id, "The number is 212 555 0199.")])
    play.callee("please say your number or press one for sales")
    play.wait(8)
    assert "212" not in " ".join(play.spoken())
