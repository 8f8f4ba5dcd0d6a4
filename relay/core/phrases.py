"""What short phrases do in a conversation: acknowledge, answer, say goodbye, ask for a moment."""

import re

from floyd.figures import in_digits


def word_set(text: str) -> frozenset[str]:
    """The words of a text, split at spaces: a set of words that can be read."""
    return frozenset(text.split())


_WORD = re.compile(r"[a-z0-9']+")
_HESITATIONS = word_set("um uh er erm hmm ah eh like well so oh")

_BACKCHANNEL = re.compile(
    r"^(?:(?:mm|mhm|mmhm|mmhmm|hm|hmm|huh|uh huh|uhhuh|mm hm|mm hmm|right|okay|ok|yeah|yep|sure|alright"
    r"|all right|fine|gotcha"
    r"|oh|i see|got it|i understand|understood|go on|of course)\s?)+$"
)
_PATIENT = re.compile(
    r"^(?:(?:yes|yeah|ok|okay|sure|fine|alright|all right|no problem|no worries|of course|take your time"
    r"|thank you|thanks"
    r"|i'll wait|i will wait|i can wait|that's fine|that is fine|no rush|go ahead|please|great|good|perfect"
    r"|right|mm|mhm"
    r"|i'll hold|i'm here|still here|i'm still here|not a problem)\s?)+$"
)
_GOODBYE = re.compile(
    r"\b(?:good ?bye|bye(?: bye| now)?|see you(?: then| later| soon| tomorrow)?|have a (?:good|nice|great"
    r"|lovely) (?:day|one|"
    r"evening|afternoon|night|weekend|rest of your day)|talk to you (?:later|soon)|take care|farewell|so long)\b"
)
_AFTER_GOODBYE = re.compile(
    r"^(?:\s*(?:then|now|thanks|thank you|you too|to you|so much|very much|ma'am|sir|dear|everyone|all|and|bye"
    r"|goodbye|okay|ok"
    r"|good|nice|great|day|have a|for calling|take care|see you|too)\b)*\s*$"
)
_HOLD_ON = re.compile(
    r"\b(?:(?:just |give me |wait )?(?:one|a|1) (?:moment|second|sec|minute|min)\b|hold on|hang on"
    r"|bear with me|please hold"
    r"|(?:can|could|would) you (?:please )?(?:hold|wait)|hold the line|hold please|please wait"
    r"|let me (?:just )?(?:check|look|see|find"
    r"|get|ask|grab|transfer|pull|put you)|stay on the line|i'll (?:just )?(?:check|look|transfer"
    r"|put you through|be right back)"
    r"|putting you (?:on hold|through)|putting you on)\b"
)
_WORDS_AFTER_HOLD = 6
"""\"Let me check | if she is in today for you\": what still belongs to the request for a moment."""
_ASKS_AFTER_HOLD = re.compile(
    r"^ ?(?:but |so |and )?(?:are|is|am|do|did|have|can|could|will|would) (?:you|i|this|that|it)\b"
)
"""\"Wait a minute | are you a robot\": the moment is over, they want an answer."""
_STOP = re.compile(r"^(?:no|stop|wait|hello|hey|sorry|pardon|what|excuse me|hold on|hang on|listen|enough|quiet)\b")
_YES_NO = word_set("yes no yeah nope yep nah correct exactly right sure okay ok absolutely certainly speaking hello hi")


def words(text: str) -> list[str]:
    """The words of a text in lower case, numbers in digits, hesitations left out."""
    return [word for word in _WORD.findall(in_digits(text)) if word not in _HESITATIONS]


def same_meaning(one: str, other: str) -> bool:
    """Whether two recognitions of the same speech differ only in spelling, punctuation or hesitation."""
    return words(one) == words(other)


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.lower().replace("\u2019", "'")))


def is_backchannel(text: str) -> bool:
    """Acknowledges without taking the floor: "mm-hm", "okay", "I see". "Yes" and "no" are answers, not these."""
    return bool(_BACKCHANNEL.match(_plain(text)))


def is_patient(text: str) -> bool:
    """An answer to "one moment": the callee is content to wait."""
    return is_backchannel(text) or bool(_PATIENT.match(_plain(text)))


def is_goodbye(text: str) -> bool:
    """Ends with a goodbye rather than merely containing one."""
    if text.rstrip().endswith("?"):
        return False
    plain = _plain(text)
    found = list(_GOODBYE.finditer(plain))
    return bool(found) and any(_AFTER_GOODBYE.match(plain[match.end() :]) for match in found)


def says_goodbye(text: str) -> bool:
    """Contains a goodbye anywhere: enough to know that a sentence of ours is a farewell."""
    return bool(re.search(r"\b(?:goodbye|good bye|bye)\b", _plain(text)))


def asks_to_hold(text: str) -> bool:
    """The callee wants a moment: "hold on", "let me check". Only at the end, else the moment is already over."""
    plain = _plain(text)
    requests = list(_HOLD_ON.finditer(plain))
    if not requests:
        return False
    if re.search(r"\b(?:hold|wait)(?: please| on)?$", plain):
        return True
    rest = plain[requests[-1].end() :]
    asks = text.rstrip().endswith("?") or bool(_ASKS_AFTER_HOLD.match(rest))
    return len(rest.split()) <= _WORDS_AFTER_HOLD and not asks


def takes_the_floor(text: str, least_words: int) -> bool:
    """Whether words said over our speech mean to stop us."""
    if is_backchannel(text):
        return False
    said = words(text)
    return len(said) >= least_words or bool(_STOP.match(_plain(text)))


def is_short_answer(text: str) -> bool:
    """Complete although short: "yes", "no thank you", "speaking"."""
    said = words(text)
    return 0 < len(said) <= 3 and said[0] in _YES_NO
