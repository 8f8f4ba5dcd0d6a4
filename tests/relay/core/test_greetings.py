"""Thirty recorded greetings, as a recogniser writes them, in pieces and with the beep where machines have it."""

from itertools import pairwise, product
from random import Random

import pytest

from relay.core.actions import HangUp, SaveTranscript, Speak, StartReply
from relay.core.events import LineClassified
from relay.core.outcome import Outcome
from relay.core.policy import Policy
from relay.core.sounds import KINDS
from tests.relay.core.play import Play, brief

GREETINGS = (
    "hello you have reached the garcia family we are not at home please leave a message after the tone",
    "hi this is rosie i can't come to the phone right now leave me a message and i'll call you back",
    "you've reached the voicemail of doctor lee please leave your name and number after the beep",
    "your call has been forwarded to an automatic voice message system please record your message after the tone",
    "the person you are calling is not available at the tone please record your message",
    "thank you for calling lincoln elementary our office is closed please leave a message after the tone",
    "hi you've reached tom i'm away from my desk please leave a message and i will get back to you as soon as i can",
    "hey it's dana leave a message after the beep",
    "you have reached the mailbox of five five five one two one two please leave a message after the tone",
    "we are unable to take your call at this time please leave a detailed message after the beep",
    "hello this is the miller residence nobody can come to the phone right now please leave a message after the signal",
    "sorry i missed your call please leave your name number and a short message after the tone and have a great day",
    "hi you have reached oak library we are not here right now please leave a message",
    "this is the voice mailbox of jane at the tone please record your message when you are finished hang up",
    "you've reached acme plumbing we can't answer the phone right now leave your name and number",
    "hello i'm not in the office right now please leave a message and i'll return your call as soon as possible",
    "hi it's bob i'm either on the phone or away from my phone leave a message",
    "you have reached christa please leave me a message after the tone thank you bye",
    "we're not available to take your call right now but your call is important to us so please leave a message",
    "the google subscriber you have called is not available please leave a message after the tone",
    "thanks for calling rosie's flowers we're open nine to five leave a message after the beep and we'll call you back",
    "hi we can't get to the phone right now please leave your message after the tone",
    "please leave your message for three one two five five five zero one four two after the tone",
    "hello you've reached the voicemail box of the front desk nobody is available to take your call leave a message",
    "you've reached me you know what to do at the beep leave a message",
    "good morning you have reached the parish office our hours are ten to two please leave a message after the tone",
    "hi mom and dad are not home leave a message at the beep",
    "welcome to the dental office if this is an emergency hang up and dial nine one one otherwise leave a message "
    "after the tone",
    "i'm not able to take your call so please leave a brief message after the beep",
    "no one is available to take your call please leave a message after the tone",
)
FACTS = {"phone_number": "+13125550142", "child_name": "Mara", "delivery_address": "12 Elm Street"}
MESSAGE = "This is an AI assistant calling for Tom Baker. Mara is ill. Ring 312-555-0142. Please call him back."
APPROVED = ["This is an AI assistant calling for Tom Baker.", "Please call him back."]
DETECTED_S = 0.2  # the last word ends so long before `Play.callee` returns
BEEPS = {"at once": 0.3, "late": 6.0, "never": None}


@pytest.mark.parametrize("greeting", range(len(GREETINGS)))
def test_a_greeting_gets_the_approved_message_once_and_the_line_is_let_go(greeting: int) -> None:
    """If this fails a tape is talked with, hears what was private or half of the message, or is held too long."""
    assert len(GREETINGS) == 30
    random = Random(greeting)
    wrong = []
    for pieces, (beep, after) in product(range(1, 9), BEEPS.items()):
        pause = random.choice((0.4, 0.7, 1.0))
        seen = told(*left(GREETINGS[greeting], pieces, pause, after))
        if seen:
            wrong.append((pieces, beep, pause, seen))
    assert wrong == [], GREETINGS[greeting]


def left(greeting: str, pieces: int, pause: float, beep: float | None) -> tuple[Play, float]:
    """A call to this machine; `beep` seconds after its last word it begins to record, or without a beep; and the
    moment from which it records."""
    play, words = Play(brief(voicemail=MESSAGE, release=FACTS)), greeting.split()
    cuts = [round(place * len(words) / pieces) for place in range(pieces + 1)]
    for start, end in pairwise(cuts):
        play.callee(" ".join(words[start:end]))
        play.wait(pause)
    if beep is not None:
        play.wait(max(0.0, beep - pause))
        play.receive(LineClassified(*KINDS["beep"], "beep"))
    recorded_from = play.now if beep is not None else play.now - pause + Policy().beep_wait_s - DETECTED_S
    play.wait(40.0)
    return play, recorded_from


def known_at(play: Play) -> float:
    """When it was found out that this is no person."""
    saved = ((at, action.snapshot.line) for at, action in play.log if isinstance(action, SaveTranscript))
    return next((at for at, kind in saved if kind == "voicemail"), play.now)


def told(play: Play, recorded_from: float) -> str:
    """What went wrong; empty when nothing did."""
    spoken = [(at, action.text) for at, action in play.log if isinstance(action, Speak)]
    taped = [text for at, text in spoken if at >= recorded_from - 0.01]
    hung_up = [at for at, action in play.log if isinstance(action, HangUp)]
    private = [text for _, text in spoken if any(word in text for word in ("Mara", "0142", "Elm"))]
    if private:
        return f"private: {private}"
    asked = [at for at, action in play.log if isinstance(action, StartReply)]
    if asked and asked[-1] > known_at(play):
        return "the model was asked about a tape"
    if play.conversation.transcript().outcome is not Outcome.VOICEMAIL_LEFT:
        return f"{play.conversation.transcript().outcome}, {play.conversation.transcript().line}, {spoken}"
    if taped[-2:] != APPROVED or len(taped) > 2:
        return f"on the tape: {taped}"
    if hung_up[0] - recorded_from >= 20.0:
        return f"held for {hung_up[0] - recorded_from:.1f} s"
    return ""
