"""Who is on the line, by the words: machines use set phrases, and so do people who pick up."""

import re
from functools import lru_cache

from relay.core.line_kinds import LineKind
from relay.core.phrases import words


def _any(*phrases: str) -> re.Pattern[str]:
    """One pattern from several, each the beginning of whole words."""
    return re.compile(rf"\b(?:{'|'.join(phrases)})")


_KEY = (
    r"(?:\d+|zero|one|two|three|four|five|six|seven|eight|nine|any key"
    r"|(?:the )?(?:star|pound|hash)(?: key)?)"
)
_CUES: dict[LineKind, tuple[tuple[float, re.Pattern[str]], ...]] = {
    LineKind.MENU: (
        (0.7, _any(rf"(?:press|dial|push|enter|say)(?: or (?:say|press))? {_KEY}")),
        (0.7, _any(r"(?:please|you can|or|simply) say (?!that|it|again|your)\w+", "para espa[nñ]ol", "in a few words")),
        (0.7, _any("followed by the", "virtual agent", "please enter (?:your|the)", "main menu")),
        (0.8, _any("not a valid", "invalid (?:entry|option|selection)", "(?:to|from) the following")),
        (0.8, _any("(?:menu|options) (?:have|has)(?: recently)? changed", r"automated (?:system|attendant|assistant)")),
        (0.5, _any("to (?:hear|repeat) (?:this|these)", "(?:this|these|the) (?:menu|options?) again")),
    ),
    LineKind.HOLD: (
        (1.0, _any("your call is (?:very )?important", "answered in the order", "next available", "in the queue")),
        (1.0, _any(r"all (?:of )?(?:our )?\w+(?: \w+)? are (?:currently |all )?(?:busy|assisting|helping|serving)")),
        (1.0, _any(r"(?:number|position) (?:\w+ )?in (?:the |our )?(?:line|queue)")),
        (
            0.8,
            _any("(?:estimated|expected|current|your) (?:wait|hold)(?:ing)? time", "will be with you (?:shortly|soon)"),
        ),
        (0.6, _any("(?:stay|remain) on the line", "continue (?:to hold|holding)")),
        (0.5, _any("thank you for (?:holding|waiting|your patience)", "(?:connecting|transferring) you")),
    ),
    LineKind.VOICEMAIL: (
        (1.0, _any("(?:after|at|following) the (?:tone|beep|signal)", "record your message", "mailbox", "voice ?mail")),
        (0.8, _any("(?:can ?not|can't|unable to|not able to) (?:come to|answer|take|get to) (?:the|your|my)")),
        (0.7, _any("(?<!like to )(?<!want to )leave (?:me |us )?(?:a |your )")),
        (0.5, _any("you(?:'ve| have) reached")),
        (0.4, _any("not (?:available|at home|in the office|in right now|here)", "away from (?:my|the|our)")),
        (0.4, _any("(?:get back to|call|return your call) (?:you )?(?:back )?as soon as")),
    ),
    LineKind.SCREENING: (
        (1.0, _any("screening", "call assist", "before (?:i|we) (?:try to )?connect")),
        (1.1, _any("(?:state|say|record|give) your (?:full )?name")),
        (0.6, _any("reason for (?:your call|calling)", "why you(?:'re| are) calling", r"if \w+(?: \w+)? is available")),
        (0.6, _any("person you(?:'re| are) (?:calling|trying)", "is this (?:call )?urgent")),
    ),
    LineKind.TONE: (
        (1.0, _any(r"number (?:\w+ ){0,4}(?:dialed|dialled|reached|called) .{0,30}?(?:not|no longer)")),
        (1.0, _any("(?:has been|is) disconnected", "cannot be completed as dial", "(?:not|no longer) in service")),
    ),
}
"""What proves how much: 1 is certain. Heard twice it counts twice."""
_HINT = re.compile(
    r"press|dial|push|enter|say|espa|words|menu|option|valid|follow|automated|virtual|call|hold|wait|line|queue|avail"
    r"|important|order|busy|assist|help|serv|patience|connect|transfer|tone|beep|signal|record|mail|reach|leave|unable"
    r"|can|not |away|screen|name|urgent|person|number"
)
"""Without any of these no cue can match: most sentences of people stop here."""

_HELLO = "^(?:(?:yes|oh|hi|uh|sorry) )*hello"
_ASKS_WHO = "who(?:'s| is) (?:this|calling|there|speaking)"
_THERE = r"(?:are you (?:still )?there|can you hear|i(?:'m| am) here|don't hang up)\b"
_PERSON = _any(
    rf"{_HELLO}\b(?!.*\b(?:reached|thank you for calling|welcome))",
    "(?:how|what) (?:can|may|could) (?:i|we) (?:help|assist|direct|do for you)",
    r"(?:this is|it's) \w+(?: \w+)?(?: speaking| here|$)|speaking\b(?! (?:to|with))|my name is",
    rf"{_ASKS_WHO}|{_THERE}|i'm (?:back|sorry)\b|thanks for (?:holding|waiting)",
    r"(?:(?:may|can|could) i (?:ask|have|get|take|put)|would you like|do you (?:want|need|have))\b",
)
"""Somebody talks to us, rather than at whoever calls."""
_PICKS_UP = _any(rf"{_HELLO}(?: hello)*(?: (?:yes|i'm|i am|wait|hold|hang|who|sorry|don't)\b.*)?$", _ASKS_WHO, _THERE)
_INTRODUCES = _any(
    rf"how (?:can|may|could) (?:i|we) (?:help|assist)|this is |speaking\b|my name is|{_HELLO}|{_ASKS_WHO}"
)
_NEUTRAL = _any(
    "welcome to|thank you for calling|(?:be|is|are|being) (?:recorded|monitored)|hang up and dial|did you know",
    r"you (?:have )?selected|our (?:office|business|opening|normal)? ?(?:hours|website)|visit us\b|www\b",
    "one moment|please (?:hold|wait)",
)
"""Announcements that say nothing about what comes next."""
_FULL = _any("(?:mailbox|memory|inbox) is (?:currently )?full", "(?:not|can't) accept(?:ing)? (?:any |new )*messages")
_TONE_DUE = _any("tone", "beep", "signal")


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\wñ']+", text.lower().replace("\u2019", "'")))


@lru_cache(maxsize=256)
def machine(text: str) -> tuple[LineKind, float]:
    """The machine that these words are most likely from, and how much proves it: 0 nothing, 1 and more surely."""
    plain = _plain(text)
    found: dict[LineKind, float] = {}
    if _HINT.search(plain):
        for kind, cues in _CUES.items():
            found[kind] = sum(weight * min(2, len(pattern.findall(plain))) for weight, pattern in cues)
    kind = max(found, key=lambda each: found[each], default=LineKind.UNKNOWN)
    return kind, found.get(kind, 0.0)


def after_machine(text: str) -> str:
    """What follows the last words that a machine says: a person may come on in mid-announcement."""
    plain = _plain(text)
    ends = (match.end() for cues in _CUES.values() for _, pattern in cues for match in pattern.finditer(plain))
    return plain[max(ends, default=0) :]


def addresses_us(text: str) -> bool:
    """Words of a person who talks to the caller: a greeting, a question, a name."""
    return bool(_PERSON.search(_plain(text)))


def picks_up(text: str) -> bool:
    """Somebody talks into the recording of their own answering machine."""
    return bool(_PICKS_UP.search(_plain(text)))


def introduces(text: str) -> bool:
    """Somebody who has not talked to us before, or does not know that they have."""
    return bool(_INTRODUCES.search(_plain(text)))


def announces(text: str) -> bool:
    """A machine's phrase that changes nothing: a welcome, a warning, an advertisement."""
    return bool(_NEUTRAL.search(_plain(text)))


def mailbox_is_full(text: str) -> bool:
    """No message can be left."""
    return bool(_FULL.search(_plain(text)))


def tone_due(text: str) -> bool:
    """We are asked to speak after a tone."""
    return bool(_TONE_DUE.search(_plain(text)))


def same_menu(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two hearings are of one menu: most words agree, since a recogniser never hears twice the same."""
    return len(one & other) >= 0.7 * max(1, len(one | other))


def menu_words(text: str) -> frozenset[str]:
    """What a menu is told by."""
    return frozenset(words(text))
