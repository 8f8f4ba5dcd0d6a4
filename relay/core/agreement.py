"""Which sentences of ours bind the person: agreements, promises, accepted charges."""

import re
from collections.abc import Iterable

from relay.core.phrases import word_set, words

_CLAUSE = re.compile(r"[.;!?\u2014]|,|\b(?:but|however|although|though|and then)\b")
_NEGATED = re.compile(
    r"\b(?:not|n't|can't|cannot|won't|don't|couldn't|wouldn't|isn't|unable|before (?:i|we)|until (?:i|we)"
    r"|have to check|need to (?:check|ask)"
    r"|let me (?:check|ask)|check (?:that|first|with)|ask (?:first|about)|too (?:much|expensive|high)"
    r"|more than (?:i|we)|no)\b|n't\b"
)
_STRONG = re.compile(
    r"\b(?:i|we|he|she|they)(?:'ll| will| would|'d)? (?:like to |love to |happily |gladly |just )?(?:takes?"
    r"|accepts?|agrees?|orders?|buys?|books?|confirms?|go(?:es)? with|go(?:es)? for|pays?|purchases?"
    r"|commits?|reserves?|signs?)\b"
    r"|\b(?:i|we)(?:'ll| will|'d like to| would like to) have (?:it|them|that|those|the)\b"
    r"|\b(?:i|we) (?:can|could|would like to|do|hereby|fully|want to) (?:\w+ )?(?:take|accept|agree|order|buy"
    r"|book|confirm|pay|do|commit|manage|go)\b"
    r"|\b(?:go ahead|deal|it's a deal|agreed|you have a deal|confirmed|accepted|approved|sold|done deal"
    r"|put it through|put (?:that|it|us|me) down|book (?:it|that|us|me)|place (?:the|that|my|our) order"
    r"|charge (?:it|that|the|my|us|me|him|her)|ring it up|sign (?:us|me) up|count (?:us|me) in|let's do"
    r"|let us do|make it so|consider it|proceed|i'm in|we're in"
    r"|(?:is|are|sounds|that's|would be|works|will be|it's) (?:\w+ )?(?:fine|good|great|ok|okay|perfect"
    r"|acceptable|all right|alright|agreeable|no problem|a deal|wonderful|excellent|fair|reasonable|works?)"
    r"|works (?:for|with) (?:me|us|him|her|them)|that works|you(?:'ve| have) got (?:a deal|it)|happy to (?:pay"
    r"|accept|agree|take|do|go)|glad to (?:pay|accept|agree|take)"
    r"|(?:will|can|shall) (?:be )?(?:paid?|do) (?:that|it|this|so)|bill (?:it|us|me|him|her)|send (?:it"
    r"|the bill|the invoice)|wrap (?:it|them) up|it's settled|settled)\b"
    r"|^\s*(?:agreed|deal|done|confirmed|accepted|approved|sold)\b"
)
_WEAK = re.compile(
    r"^\s*(?:oh |well |um |uh |and |so |then )*(?:yes|yeah|yep|yup|sure|okay|ok|alright|all right|of course"
    r"|certainly|absolutely|definitely|perfect|great|wonderful|excellent|fantastic|lovely|good|fine|please do"
    r"|please"
    r"|right|correct|very well|no problem|exactly|indeed|by all means|why not|that's it|that is it|sounds"
    r"|(?:i do|we do|i am|we are)$|s\u00ed|si|oui|ja|da|hai)\b"
)
_BARE_PRICE = re.compile(r"^\s*(?:\W*(?:it's |that's |for |at |so |then |a |and |just )*[$€£]?\s?\d)")

_PROMISE = re.compile(
    r"\b(?:i|we|he|she|they|you have my word)(?:'ll| will| shall| promise| guarantee| swear| commit| assure"
    r"| undertake)\b(?: (?:also|then|definitely|certainly|surely|always|personally|be sure to"
    r"|make sure))*(?P<act>(?: [a-z']+){0,3})"
    r"|\b(?:you have (?:my|our) word|it is a promise|it's a promise|rest assured|(?:i|we) promise|(?:i"
    r"|we) guarantee|guaranteed|count on (?:it|us|me|him|her))\b"
    r"|\b(?:i'm|i am|we're|we are) going to(?P<plan>(?: [a-z']+){0,3})"
)
_HARMLESS = re.compile(
    r"^ ?(?:(?:be )?(?:check|checking|ask|asking|wait|waiting|hold|holding|call|calling|tell|telling|let|pass"
    r"|passing|note|noting|repeat|say|try|trying|"
    r"speak|hang|look|see|write|keep you|get back|come back|have to|need|need to|find out|happy to wait"
    r"|right here|here|explain|spell|listen|do my best|stay|forward|relay|inform|"
    r"report|mention|start|begin|read|go over|confirm that with|not|never|no longer|give you the|say goodbye)\b)"
)
_STOP_WORDS = word_set(
    "the a an to of for with at in on by and or but is are was be been i we you he she it they my our your his her"
    " their that this will would can could shall i'll we'll he'll she'll they'll you'll sure make promise do does"
    " not so as up if then than there"
)
_COVERED_SHARE = 0.6
"""So much of a sentence's content must be known from the plan for it not to be a new promise."""

_CHARGES = re.compile(
    r"\b(?:accept|agree to|authori[sz]e|approve)\b.{0,30}\b(?:charges?|fees?|costs?|payment|billing|call)\b"
    r"|\bcollect call\b|\bcharges? (?:apply|will)\b"
    r"|\b(?:will be|be|are) (?:charged|billed)\b|\bpremium\b|\b(?:dollars|cents|euros|pounds) (?:per"
    r"|a) (?:minute|call)\b|\breverse(?:d)?[- ]charges?\b|\bto (?:pay|purchase|buy|subscribe|donate|upgrade)\b"
)
_PURCHASE = re.compile(
    r"\b(?:i|we)(?:'ll| will| would|'d)? (?:like to |love to |happily |gladly |just )?"
    r"(?:take|order|buy|book|reserve|go with|go for|have (?:it|them|that|those|the))\b"
)
_VOW = re.compile(r"\b(?:promise|guarantee|swear|assure|my word|our word|make (?:sure|certain)|see to it|ensure)\b")
_ASKS = re.compile(
    r"^\s*(?:and |so |but |or )?(?:could|can|would|will|may|shall|do|does|is|are|what|how|when|which|if)\b"
)

MENU_TURNS = 2
"""A menu's charge and its "press one" may be two turns."""


def _clauses(text: str) -> list[str]:
    return [
        clause.strip() for clause in _CLAUSE.split(text.lower().replace("\u2019", "'")) if clause and clause.strip()
    ]


def commits(text: str, *, weakly: bool) -> bool:
    """Whether the sentence agrees to something. `weakly`: a mere "yes" or "perfect" is an agreement here."""
    question = text.rstrip().endswith("?")
    clauses = [clause for clause in _clauses(text) if not _NEGATED.search(clause)]
    clauses = [clause for clause in clauses if not (question and _ASKS.match(clause))]
    if any(_STRONG.search(clause) for clause in clauses):
        return True
    if not weakly or question:
        return False
    return any(_WEAK.match(clause) or _BARE_PRICE.match(clause) for clause in clauses)


def promises(text: str) -> bool:
    """Whether the sentence binds somebody to do something, beyond checking, waiting and calling back."""
    for clause in _clauses(text):
        for match in _PROMISE.finditer(clause):
            act = match["act"] or match["plan"]
            if not act or not _HARMLESS.match(act):
                return True
    return False


def purchases(text: str) -> bool:
    """Whether the future in the sentence is a purchase, for the money rules to judge, rather than a promise."""
    return bool(_PURCHASE.search(text.lower().replace("\u2019", "'")))


def vows(text: str) -> bool:
    """Whether the sentence gives somebody's word."""
    return bool(_VOW.search(text.lower()))


def covered_by(text: str, known: Iterable[str]) -> bool:
    """Whether the content of a sentence is in the plan or allowed as a promise."""
    content = {word for word in words(text) if word not in _STOP_WORDS}
    if not content:
        return False
    share = max((len(content & set(words(line))) / len(content) for line in known), default=0.0)
    return share >= _COVERED_SHARE


def asks_to_accept_charges(turns: Iterable[str]) -> bool:
    """Whether a menu asks for keys as an agreement to pay."""
    return any(_CHARGES.search(turn.lower()) for turn in turns)
