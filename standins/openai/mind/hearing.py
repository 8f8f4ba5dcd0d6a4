"""What a callee's turn does: asks, offers, confirms, refuses, holds, ends. Read from words, punctuated or not."""

from __future__ import annotations

import re

from standins.openai.mind.phrases import any_of, heard
from standins.openai.mind.quantities import numerals
from standins.openai.mind.reading import content, plain, shared

ROBOT = heard("robot")
STOP_CALLING = heard("stop_calling")
WRONG_NUMBER = heard("wrong_number")
REPEAT = heard("repeat")
HOLD = heard("hold")
GOODBYE = heard("goodbye")
OFFER_OF_HELP = heard("offer_of_help")
GREETING = heard("greeting")
REFUSAL = heard("refusal")
STRONG = heard("strong")
"""Says that it is settled."""
UPSELL = heard("upsell")
GO_AHEAD = heard("go_ahead")
READ_BACK = heard("read_back")
ANYTHING_ELSE = heard("anything_else")
CLEAR_QUESTION = heard("clear_question")
"""A question even in the middle of unpunctuated speech."""
PATIENCE = r"^(?:sure|of course|okay|ok|certainly|no problem|yes)?,? ?(?:take your time|i can wait|no rush)\W*$"
"""Nothing but "we wait for you"."""
WEAK = rf"^\W*(?:{any_of('assent')}\b\W*)+$"
"""Nothing but assent."""
ASKING, LEAD_IN = rf"{any_of('asking')}\b", rf"{any_of('lead_in')}\b"
DETAIL = (
    r"(?:the |your |her |his |a |an )?(?:\w+ ){0,2}"
    r"(?:name|number|address|birth|phone|email|zip|class|grade|teacher|age)\b"
)
"""What may follow "and" as a further question: "your name and date of birth"."""


def says(pattern: str, text: str) -> bool:
    return re.search(pattern, plain(text).lower()) is not None


def informs(text: str, about: set[str]) -> bool:
    """Whether a turn tells something: a number, a yes or no, or words of what was asked about."""
    if questions(text) or says(HOLD, text) or (says(WEAK, text) and not says(r"\b(?:yes|no)\b", text)):
        return False
    plainly = r"(?<!.)(?:\w+ )?(?:yes|yeah|no|nope)\b|\b(?:it's|it is|you can|you can't)\b"
    told = re.search(r"\d", numerals(text)) or says(plainly, text)
    return bool(told or shared(about, content(text)))


def questions(text: str) -> list[str]:
    """The questions in a turn, without what came before them; statements that merely hold a "what" are left out."""
    found: list[str] = []
    for part in re.split(r"(?<=[.?!;])\s+", plain(text).lower()):
        clear = re.search(CLEAR_QUESTION, part)
        opened = re.match(rf"(?:{LEAD_IN}[\s,.!-]*)*(?={ASKING})", part)
        if clear:
            start = min(clear.start(), opened.end()) if opened else clear.start()
            found += re.split(rf"\s+and (?={CLEAR_QUESTION}|{DETAIL})", part[start:])
        elif opened and (part.endswith("?") or len(part.split()) >= 3):
            found.append(part[opened.end() :])
        elif part.endswith("?"):
            found.append(part)
    return [stripped for question in found if (stripped := question.strip(" ,.?!"))]
