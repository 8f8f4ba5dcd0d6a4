"""How long to wait after the callee's words: does what was said sound complete?"""

import re
from enum import Enum, auto
from functools import lru_cache

from floyd.english import TOPICS, patterns
from floyd.figures import in_digits
from relay.core.phrases import asks_to_hold, is_short_answer
from relay.core.policy import Policy


class Completeness(Enum):
    ANSWER = auto()  # the yes or no that we asked for
    COMPLETE = auto()
    UNCLEAR = auto()
    UNFINISHED = auto()  # in the middle of a number, a name, an address or a sentence
    HOLD = auto()  # the callee asked for a moment


_SAYS = patterns("completeness")
_DANGLING, _ARTICLES, _CLOSING, _VERBS = (frozenset(text.split()) for text in TOPICS["completeness_words"].values())
_DIGIT_BY_DIGIT = re.compile(r"(?:\d[\s,-]*){2,}$")
_CLOCK = re.compile(r"(?<![\d ]) (?:1[0-2]|[1-9]) [0-5]\d$")
_WHOLE_NUMBERS = (5, 7, 10, 11, 16)  # digits of what is probably whole: zip code, three forms of telephone, card


@lru_cache(maxsize=512)
def completeness(text: str, asked: str = "") -> Completeness:
    """Judge the callee's words so far, by the words alone: a recogniser's final says only that it was quiet.

    `asked`: what the callee last heard from us; when it asked for a name, number, date or address, pauses inside the
    answer are likely, so the class moves one towards patience.
    """
    if asks_to_hold(text):
        return Completeness.HOLD
    plain, question = text.strip().lower(), asked.strip().lower()
    wants_detail = question.endswith("?") and bool(_SAYS["asks_for_detail"].search(question))
    if _half_said(plain, wants_detail):
        last = _last_word(plain)
        closed = plain.endswith(".") and not plain.endswith("..") and last in _DANGLING - _ARTICLES
        if not closed or last not in _CLOSING:
            return Completeness.UNCLEAR if closed else Completeness.UNFINISHED
    if is_short_answer(plain):
        return Completeness.ANSWER if _SAYS["yes_no_asked"].search(question) else Completeness.COMPLETE
    punctuated = plain.endswith((".", "?", "!"))
    if wants_detail:
        return Completeness.UNCLEAR if punctuated else Completeness.UNFINISHED
    if punctuated or question.endswith("?") or _SAYS["courtesy"].search(plain) or _SAYS["contracted"].search(plain):
        return Completeness.COMPLETE
    verbs = any(word in _VERBS or (word.endswith("ed") and len(word) > 4) for word in plain.split()[:-1])
    return Completeness.COMPLETE if verbs else Completeness.UNCLEAR


def _half_said(plain: str, wants_detail: bool) -> bool:
    if plain.endswith((",", "-", "...", "\u2026", ":")):
        return True
    bare, last = plain.rstrip(".?! "), _last_word(plain)
    written = in_digits(bare)
    if (digits := _DIGIT_BY_DIGIT.search(written)) and (wants_detail or not _CLOCK.search(written)):
        count = len(re.sub(r"\D", "", digits.group()))
        if wants_detail or re.search(r"\d\s+\d", digits.group()):  # spoken one by one
            return count not in _WHOLE_NUMBERS
    if plain.endswith(("?", "!")):
        return last in _ARTICLES
    dangles = last in _DANGLING and not _SAYS["stranded"].search(bare)
    return dangles or any(_SAYS[name].search(bare) for name in ("detail_follows", "runs_on"))


def _last_word(plain: str) -> str:
    return ("", *plain.rstrip(".?! ").split())[-1]


def patience_s(judged: Completeness, policy: Policy) -> float:
    """The quiet, in seconds, after which the turn is ours."""
    return {
        Completeness.ANSWER: policy.patience_answer_s,
        Completeness.COMPLETE: policy.patience_complete_s,
        Completeness.UNCLEAR: policy.patience_unclear_s,
        Completeness.UNFINISHED: policy.patience_unfinished_s,
        Completeness.HOLD: policy.patience_hold_s,
    }[judged]
