"""What Floyd says in its own words, without the model. Short, so that they can be rendered before the phone rings.

`stock` lists every one that a call may need, for whoever renders them.
"""

from relay.core.brief import Brief

FILLERS = ("One moment, please.", "Just a second.")
APOLOGY = "I am sorry, I have a technical problem. I will have to call back. Goodbye."
REPEAT_PLEASE = "Sorry, could you say that again?"
FAREWELL = "Thank you. Goodbye."
NO_INPUT = ("Hello, are you still there?", "I cannot hear you. Are you still there?")
NO_INPUT_GOODBYE = "I cannot hear anybody, so I will hang up now. Goodbye."
AFTER_CUT = "Sorry, go ahead."
STILL_HERE = ("I am still here.", "No hurry, I am still on the line.")
TIME_IS_UP = "I am sorry, I have to end the call now. Thank you for your time. Goodbye."
GOING_IN_CIRCLES = "I think we are not getting any further. Thank you for your time. Goodbye."
CANCELLED = "I am sorry, I have to end the call now. Goodbye."
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


def resumed(brief: Brief) -> str:
    """After the call moved to another relay: the callee heard a short gap."""
    return f"Sorry, we were cut off for a moment. This is the AI assistant calling for {brief.on_behalf_of} again."


def i_am_an_ai(brief: Brief) -> str:
    return f"Yes, I am an AI assistant, calling for {brief.on_behalf_of}."


def i_am_not_a_person(brief: Brief) -> str:
    return f"I am an AI assistant, calling for {brief.on_behalf_of}."


def transcribed(brief: Brief) -> str:
    return f"Yes, this call is transcribed, so that {brief.on_behalf_of} can read it."


def who_i_am(brief: Brief) -> str:
    return f"I am an AI assistant calling for {brief.on_behalf_of}."


def responsible(brief: Brief) -> str:
    return f"I am an AI assistant. {brief.on_behalf_of} asked for this call and is responsible for it."


def stock(brief: Brief) -> tuple[str, ...]:
    """Every line of this module as it sounds in this call, the most urgent first."""
    return (
        *FILLERS,
        CHECK_FIRST,
        LET_ME_CHECK,
        FAREWELL,
        APOLOGY,
        *(line(brief) for line in (i_am_an_ai, who_i_am, responsible, transcribed, i_am_not_a_person)),
        WITHHELD,
        NOT_AGREED,
        NO_PROMISE,
        BAIL,
        OPTED_OUT,
        *NO_INPUT,
        NO_INPUT_GOODBYE,
        AFTER_CUT,
        *STILL_HERE,
        REPEAT_PLEASE,
        *COMPANY,
        TIME_IS_UP,
        GOING_IN_CIRCLES,
        CANCELLED,
        EAR_LOST,
        EAR_RESTORED,
        resumed(brief),
    )
