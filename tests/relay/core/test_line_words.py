"""Who says what: phrases of machines, and people who use the same words."""

import pytest

from relay.core import line_words
from relay.core.line_kinds import LineKind
from tests.relay.core import corpora

MACHINES = {
    LineKind.VOICEMAIL: (
        "Hello, you have reached the Garcia family. We are not at home, please leave a message after the tone.",
        "Hi, this is Bob, I can't come to the phone right now. Leave me a message!",
        "Your call has been forwarded to an automatic voice message system. At the tone, please record your message.",
        "The person you are trying to reach is not available. Please leave your name and number after the beep.",
        "The mailbox is full and cannot accept any messages at this time. Goodbye.",
        "You've reached Rosie's Flowers. We're not available right now, and will get back to you as soon as we can.",
    ),
    LineKind.MENU: (
        "For sales, press one. For service, press two.",
        "Press 1 for English. Para espa\u00f1ol, oprima el dos.",
        "Please listen carefully, as our menu options have changed.",
        "In a few words, tell me what you're calling about. You can say billing, or cancel my order.",
        "To hear these options again, press star.",
        "I'm sorry, that is not a valid option.",
        "Please enter your ten digit account number, followed by the pound key.",
    ),
    LineKind.HOLD: (
        "All of our agents are currently assisting other customers. Please stay on the line.",
        "Your call is very important to us.",
        "You are number four in line. Your estimated wait time is twelve minutes.",
        "Calls will be answered in the order they were received.",
        "An agent will be with you shortly. Thank you for your patience.",
    ),
    LineKind.SCREENING: (
        "Hi, if you record your name and reason for calling, I'll see if this person is available.",
        "The person you're calling is using a screening service. Go ahead and say your name and why you're calling.",
        "Please state your name after the tone, and I will try to connect you.",
    ),
    LineKind.TONE: (
        "We're sorry, the number you have dialed is not in service.",
        "The number you have reached has been disconnected. Please check the number.",
        "We're sorry. Your call cannot be completed as dialed.",
    ),
}
PEOPLE = (
    "Hello, Lincoln Elementary School.",
    "Rose flower shop, how can I help you?",
    "He is not available right now, would you like to leave a message?",
    "She can call you back as soon as she is in.",
    "Could you hold the line for a second, please?",
    "Sorry, can you say that again?",
    "May I have your name and the reason for your call?",
    "The tulips are two dollars, and the roses come to sixty.",
    "I can put you through to service if you want.",
    "Who is calling, please?",
    "Yes I am here.",
)


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in MACHINES.items() for text in texts])
def test_machines_are_told_by_their_phrases(kind: LineKind, text: str) -> None:
    """If this fails Floyd converses with a machine."""
    found, proof = line_words.machine(text)
    assert found is kind
    assert proof >= 0.7
    assert not line_words.addresses_us(line_words.after_machine(text))


def test_people_are_not_taken_for_machines() -> None:
    """If this fails a person who uses a machine's word is left without an answer."""
    said = (*PEOPLE, *corpora.ROBOT_QUESTIONS, *corpora.OPT_OUTS, *corpora.OTHER_FIXED, *corpora.NOT_FIXED)
    assert [text for text in said if line_words.machine(str(text))[1] >= 0.7] == []


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for holding, this is Rosie, how can I help?",
        "Your call is important to us. Hello, Bob speaking.",
        "Hello?",
        "Hi, this is Rosie.",
        "Okay, are you still there?",
    ],
)
def test_whoever_takes_over_from_a_machine_talks_to_us(text: str) -> None:
    """If this fails a person who comes on after an announcement waits for an answer."""
    assert line_words.addresses_us(line_words.after_machine(text))


def test_who_picks_up_during_a_message() -> None:
    """If this fails a greeting interrupts our message, or a person cannot."""
    assert line_words.picks_up("hello hello i'm here")
    assert line_words.picks_up("Sorry, who is this?")
    assert not line_words.picks_up("hello you have reached the garcia family")
    assert not line_words.picks_up("to send your message press one")


def test_one_menu_heard_twice() -> None:
    """If this fails loops are not noticed, or the next menu counts as one."""
    first, again, other = map(
        line_words.menu_words,
        (
            "for sales press one for service press two",
            "sales press one for service press two",
            "for roses press one for tulips press two",
        ),
    )
    assert line_words.same_menu(first, again)
    assert not line_words.same_menu(first, other)
