"""How long to wait after the callee's words: does what was said sound complete?"""

import re
from enum import Enum, auto

from floyd.figures import in_digits
from relay.core.phrases import asks_to_hold, is_short_answer, word_set
from relay.core.policy import Policy


class Completeness(Enum):
    COMPLETE = auto()
    UNCLEAR = auto()
    UNFINISHED = auto()
    """In the middle of a number, a name, an address or a sentence."""
    HOLD = auto()
    """The callee asked for a moment."""


_DANGLING = word_set(
    "and but or so because if when while that which who the a an to of for with at in on by from into about is are"
    " was were be been am my your his her our their its this these those i we he she they it's i'm we're there's"
    " um uh er would could should can will do does did have has had not very just then than as until after"
    " before between"
)
_STRANDED = re.compile(
    r"\b(?:who|whom|what|which|where)\b.*\b(?:for|with|from|about|at|in|on|to|of|by)$"
    r"|\b(?:like|do|take|want|need|get|see|mean|know|about|with|for|of|in|on|at) (?:that|this|those|these)$"
)
"""Whole sentences may end so: "who are they for", "would you like that"."""
_ASKS_FOR_DETAIL = re.compile(
    r"\b(?:names?|spell|numbers?|address|e-?mail|dates?|birth|zip|postcode|account|confirmation|reference|when"
    r"|which day"
    r"|what day|what time|where|street)\b"
)
_DETAIL_FOLLOWS = re.compile(
    r"\b(?:name is|number is|address is|it's|it is|code is|spelled|date is|reach (?:us|me) at|call)\s*$"
)
_DIGIT_BY_DIGIT = re.compile(r"(?:\d[\s,-]*){2,}$")
_WHOLE_NUMBERS = frozenset({5, 7, 10, 11, 16})
"""Lengths at which a number said in digits is probably whole: zip code, local, national and full telephone, card."""


def completeness(text: str, *, settled: bool, asked: str = "") -> Completeness:
    """Judge the callee's words so far.

    `settled`: the recogniser gave them as final. `asked`: what the callee last heard from us; when it asked for a
    name, number, date or address, pauses inside the answer are likely, so the class moves one towards patience.
    """
    if asks_to_hold(text):
        return Completeness.HOLD
    plain = text.strip().lower()
    if is_short_answer(plain):
        return Completeness.COMPLETE
    wants_detail = asked.rstrip().endswith("?") and bool(_ASKS_FOR_DETAIL.search(asked.lower()))
    if _half_said(plain, wants_detail):
        return Completeness.UNFINISHED
    if plain.endswith((".", "?", "!")) or settled:
        return Completeness.UNCLEAR if wants_detail else Completeness.COMPLETE
    return Completeness.UNFINISHED if wants_detail else Completeness.UNCLEAR


def _half_said(plain: str, wants_detail: bool) -> bool:
    if plain.endswith((",", "-", "...", "\u2026", ":")):
        return True
    bare = plain.rstrip(".?! ")
    last = bare.rsplit(None, 1)[-1] if bare else ""
    if (last in _DANGLING and not _STRANDED.search(bare)) or _DETAIL_FOLLOWS.search(bare):
        return True
    if digits := _DIGIT_BY_DIGIT.search(in_digits(bare)):
        count = len(re.sub(r"\D", "", digits.group()))
        spoken_singly = bool(re.search(r"\d\s+\d", digits.group())) or wants_detail
        return spoken_singly and count not in _WHOLE_NUMBERS
    return False


def patience_s(judged: Completeness, policy: Policy) -> float:
    """The quiet, in seconds, after which the turn is ours."""
    return {
        Completeness.COMPLETE: policy.patience_complete_s,
        Completeness.UNCLEAR: policy.patience_unclear_s,
        Completeness.UNFINISHED: policy.patience_unfinished_s,
        Completeness.HOLD: policy.patience_hold_s,
    }[judged]
