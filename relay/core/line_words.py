"""Who is on the line, by the words: machines use set phrases, and so do people who pick up."""

import re
from functools import lru_cache

from floyd.english import TOPICS, patterns
from relay.core.line_kinds import LineKind
from relay.core.phrases import plain, says, words

_SAYS = patterns("line", end="")
_CUES: dict[LineKind, list[tuple[float, re.Pattern[str]]]] = {
    LineKind(kind): [(proof, re.compile(rf"\b(?:{'|'.join(phrases)})")) for proof, *phrases in cues]
    for kind, cues in TOPICS["machines"].items()
}


@lru_cache(maxsize=256)
def machine(text: str) -> tuple[LineKind, float]:
    """The machine that these words are most likely from, and how much proves it: 0 nothing, 1 and more surely."""
    said = plain(text)
    if not _SAYS["hint"].search(said):
        return LineKind.UNKNOWN, 0.0
    found = {
        kind: sum(proof * min(2, len(pattern.findall(said))) for proof, pattern in cues) for kind, cues in _CUES.items()
    }
    kind = max(found, key=lambda each: found[each])
    return kind, found[kind]


def after_machine(text: str) -> str:
    """What follows the last words that a machine says: a person may come on in mid-announcement."""
    said = plain(text)
    ends = (match.end() for cues in _CUES.values() for _, pattern in cues for match in pattern.finditer(said))
    return said[max(ends, default=0) :]


def picks_up(text: str) -> bool:
    """Somebody talks into the recording of their own answering machine, which may begin with "hello, I'm", too."""
    return bool(_SAYS["picks_up"].search(plain(text))) and not machine(text)[1]


addresses_us = says(_SAYS["addresses_us"])
"""Words of a person who talks to the caller: a greeting, a question, a name."""
introduces = says(_SAYS["introduces"])
"""Somebody who has not talked to us before, or does not know that they have."""
announces = says(_SAYS["announces"])
"""A machine's phrase that changes nothing: a welcome, a warning, an advertisement."""
mailbox_is_full = says(_SAYS["mailbox_is_full"])
tone_due = says(_SAYS["tone_due"])
"""We are asked to speak after a tone."""


def same_menu(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two hearings are of one menu: most words agree, since a recogniser never hears twice the same."""
    return len(one & other) >= 0.7 * max(1, len(one | other))


def menu_words(text: str) -> frozenset[str]:
    """What a menu is told by."""
    return frozenset(words(text))
