"""What Floyd says in code's words, never a model's: the disclosure, the stock lines, and how their sound is filed."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

# Said before an opening that goes on where an earlier call stopped.
CALLING_BACK = "I called a little earlier, and now I have the answer."
NAMELESS = "a client"

# Stock lines: short, and rendered before the phone rings, so that saying them needs no vendor.
FILLERS = ("One moment, please.", "Just a second.", "Bear with me, please.")
APOLOGY = "I am sorry, I have a technical problem. I will have to call back. Goodbye."
FAREWELL = "Thank you. Goodbye."
NO_INPUT = ("Hello, are you still there?", "I cannot hear you. Are you still there?")
NO_INPUT_GOODBYE = "I cannot hear anybody, so I will hang up now. Goodbye."
AFTER_CUT = "Sorry, go ahead."
CUT_IN = "Sorry, I interrupted you."
# How replies often begin: their sound is at hand, whoever writes them.
OPENERS = ("Thank you.", "I see.", "All right.", "Okay, thank you.", "Great, thank you.")
STILL_HERE = ("I am still here.", "No hurry, I am still on the line.")
TIME_IS_UP = "I am sorry, I have to end the call now. Thank you for your time. Goodbye."
GOING_IN_CIRCLES = "I think we are not getting any further. Thank you for your time. Goodbye."
CANCELLED = "I am sorry, I have to end the call now. Goodbye."
OPERATOR = "Operator."
EAR_LOST = "I am sorry, I cannot hear you at the moment. Please hold on."
EAR_RESTORED = "I can hear you again. Could you repeat that, please?"
OPTED_OUT = "I am sorry for the trouble. I will make sure that we do not call you again. Goodbye."

CHECK_FIRST = "I have to check that first. One moment, please."
LET_ME_CHECK = "Let me check that. One moment, please."
BAIL = "I have to check and will call you back. Thank you for your patience. Goodbye."
COMPANY = (
    "I am still checking, one moment.",
    "Thank you for waiting. I am waiting for an answer.",
    "It will not be much longer, I hope.",
    "I am still here.",
    "I have asked and am waiting to hear back.",
    "Thank you for your patience.",
    "Still waiting for the answer, I am sorry.",
    "Just a little longer, please.",
    "I appreciate that you are holding.",
    "I am going to give it a few more seconds.",
)

WITHHELD = "I am sorry, I cannot tell you that."
NOT_AGREED = "I am afraid I cannot agree to that."
NO_PROMISE = "I cannot promise that, but I will pass it on."

# Begins the name that a call gives to its question whether to go on waiting on hold.
WAITING = "hold-"


def caller(name: str) -> str:
    """For whom Floyd calls, as the callee hears it."""
    return name.strip() or NAMELESS


def disclosure(name: str) -> tuple[str, str]:
    """The first words of every call, one entry per sentence. 47 CFR 64.1200(b) and several state laws want them so."""
    return f"Hello, this is an AI assistant calling for {caller(name)}.", "This call is transcribed."


def calling_back(opening: str) -> str:
    """The opening of a call that brings an answer."""
    return opening if opening.startswith(CALLING_BACK) else f"{CALLING_BACK} {opening}"


def _naming(line: str) -> Callable[[str], str]:
    """A line that tells for whom Floyd calls."""
    return lambda name: line.format(caller(name))


# After the call moved to another relay: the callee heard a short gap.
resumed = _naming("Sorry, we were cut off for a moment. This is the AI assistant calling for {} again.")
i_am_an_ai = _naming("Yes, I am an AI assistant, calling for {}.")
i_am_not_a_person = _naming("I am an AI assistant, calling for {}.")
transcribed = _naming("Yes, this call is transcribed, so that {} can read it.")
who_i_am = _naming("I am an AI assistant calling for {}.")
responsible = _naming("I am an AI assistant. {} asked for this call and is responsible for it.")


def go_on_waiting(held_s: float, limit_s: float) -> str:
    """What the person is asked near the end of the time on hold; it is not said in the call."""
    return f"They have kept me on hold for {held_s / 60:.0f} of at most {limit_s / 60:.0f} minutes. Go on waiting?"


def stock(name: str) -> tuple[str, ...]:
    """Every stock line as it sounds in a call for `name`, the most urgent first."""
    urgent = (*FILLERS, CHECK_FIRST, LET_ME_CHECK, FAREWELL, APOLOGY)
    naming = [line(name) for line in (i_am_an_ai, who_i_am, responsible, transcribed, i_am_not_a_person)]
    guarded = (WITHHELD, NOT_AGREED, NO_PROMISE, BAIL, OPTED_OUT)
    quiet = (*NO_INPUT, NO_INPUT_GOODBYE, AFTER_CUT, CUT_IN, *OPENERS, *STILL_HERE, *COMPANY)
    rare = (TIME_IS_UP, GOING_IN_CIRCLES, CANCELLED, OPERATOR, EAR_LOST, EAR_RESTORED, resumed(name))
    return tuple(dict.fromkeys((*urgent, *naming, *guarded, *quiet, *rare)))


def speech_name(voice: str, text: str) -> str:
    """The name under which the sound of a line in a voice is kept: 40 hexadecimal digits."""
    return sha256(f"{voice}\0{text}".encode()).hexdigest()[:40]
