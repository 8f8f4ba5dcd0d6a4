"""What short phrases do in a conversation: acknowledge, answer, say goodbye, ask for a moment."""

import re
from collections.abc import Callable

from floyd.english import TOPICS, patterns
from floyd.figures import in_digits

_SAYS = patterns("phrases")
_HESITATIONS = frozenset(TOPICS["phrases"]["hesitation"])
_WORD = re.compile(r"[a-z0-9']+")
_WORDS_AFTER_HOLD = 6
"""\"Let me check | if she is in today for you\": what still belongs to the request for a moment."""


def words(text: str) -> list[str]:
    """The words of a text in lower case, numbers in digits, hesitations left out."""
    return [word for word in _WORD.findall(in_digits(text)) if word not in _HESITATIONS]


def same_meaning(one: str, other: str) -> bool:
    """Whether two recognitions of the same speech differ only in spelling, punctuation or hesitation."""
    return words(one) == words(other)


def lowered(text: str) -> str:
    """As `floyd.english` wants it: lower case, straight quotes."""
    return text.lower().replace("\u2019", "'")


def plain(text: str) -> str:
    """Only the words, hesitations included."""
    return " ".join(re.findall(r"[\w']+", lowered(text)))


def unpaused(text: str) -> str:
    """Sentence by sentence, commas left out."""
    return re.sub(r"\s+", " ", lowered(text).replace(",", " ")).strip()


def says(pattern: re.Pattern[str], among: Callable[[str], str] = plain) -> Callable[[str], bool]:
    """Whether a text, in the form that `among` gives it, holds the pattern."""
    return lambda text: bool(pattern.search(among(text)))


is_backchannel = says(_SAYS["backchannel"])
"""Acknowledges without taking the floor: "mm-hm", "okay", "I see". "Yes" and "no" are answers, not these."""
opts_out = says(_SAYS["opt_out"], unpaused)
"""The callee does not want to be called again."""
says_goodbye = says(_SAYS["farewell"])
"""Contains a goodbye anywhere: enough to know that a sentence of ours is a farewell."""


def is_patient(text: str) -> bool:
    """An answer to "one moment": the callee is content to wait."""
    return is_backchannel(text) or bool(_SAYS["patient"].match(plain(text)))


def is_goodbye(text: str) -> bool:
    """Ends with a goodbye rather than merely containing one."""
    if text.rstrip().endswith("?"):
        return False
    said = plain(text)
    found = list(_SAYS["goodbye"].finditer(said))
    return bool(found) and any(_SAYS["after_goodbye"].match(said[match.end() :]) for match in found)


def asks_to_hold(text: str) -> bool:
    """The callee wants a moment: "hold on", "let me check". Only at the end, else the moment is already over."""
    said = plain(text)
    requests = list(_SAYS["hold_on"].finditer(said))
    if not requests:
        return False
    if _SAYS["ends_with_hold"].search(said):
        return True
    rest = said[requests[-1].end() :]
    asks = text.rstrip().endswith("?") or bool(_SAYS["asks_after_hold"].match(rest))
    return len(rest.split()) <= _WORDS_AFTER_HOLD and not asks


def takes_the_floor(text: str, least_words: int) -> bool:
    """Whether words said over our speech mean to stop us."""
    if is_backchannel(text):
        return False
    said = words(text)
    return len(said) >= least_words or bool(_SAYS["stop"].match(plain(text)))


def is_short_answer(text: str) -> bool:
    """Complete although short: "yes", "no thank you", "speaking"."""
    said = words(text)
    return 0 < len(said) <= 3 and bool(_SAYS["yes_no"].fullmatch(said[0]))
