"""How long to wait after the callee's words: does what was said sound complete?"""

import re
from enum import Enum, auto
from functools import lru_cache

from floyd.figures import in_digits
from relay.core.phrases import asks_to_hold, is_short_answer, word_set
from relay.core.policy import Policy


class Completeness(Enum):
    ANSWER = auto()
    """The yes or no that we asked for."""
    COMPLETE = auto()
    UNCLEAR = auto()
    UNFINISHED = auto()
    """In the middle of a number, a name, an address or a sentence."""
    HOLD = auto()
    """The callee asked for a moment."""


_DANGLING = word_set(
    "and but or nor so because if when while that which who whose the a an to of for with at in on by from into about"
    " is are was were be been being am my your his her our their its this these those i we he she they it's i'm we're"
    " you're they're there's that's what's um uh er hmm would could should can will might must may shall do does did"
    " have has had not very just then than as until till after before between without unless although though whether"
    " where how why per via plus except including through during against under near within upon onto since toward"
    " need needs want wants offer offers cost costs means think thought say says said believe guess suppose recommend"
    " suggest charge charges includes require requires make makes making give gives take takes let lets put send bring"
    " keep get gets got gotten find use every each some any no another other next last only also about around roughly"
    " approximately maybe perhaps probably usually normally actually basically almost nearly already either neither"
    " both more most less fewer much many several few quite rather too extra such like i'd i'll i've we'd we'll we've"
    " you'd you'll you've they'll they've he's she's it'll mr mrs ms doctor dr saint number apartment suite room floor"
    " well anyway hundred thousand half quarter double triple dash dot point hyphen slash area zip"
    " isn't aren't wasn't don't doesn't didn't won't can't couldn't wouldn't cannot"
    " january february april june july august september october november december one's"
)
_STRANDED = re.compile(
    r"\b(?:who|whom|what|which|where|how)\b.*\b(?:for|with|from|about|at|in|on|to|of|by|is|are|was|need|want|like"
    r"|cost|costs|mean|means|have|say|said|think|recommend|suggest|take|get|it's|that's|much|many|more|number|room)$"
    r"|\b(?:like|do|take|want|need|get|see|mean|know|about|with|for|of|in|on|at|afford|tell you|help) "
    r"(?:that|this|those|these|it)$"
    r"|\b(?:yes|no|think|guess|hope|afraid|course) (?:i|we|you|they|it|he|she|that) "
    r"(?:do|does|did|are|is|was|were|have|has|can|could|will|would|don't|doesn't|isn't|aren't|can't|won't|haven't)$"
    r"|\b(?:i|we|you) (?:don't|can't|won't|do|did|know|think so|guess so|hope so)$|\b(?:think|hope|guess|afraid) "
    r"(?:so|not)$|\b(?:no|any|once|much|some|one) more$|\bthank you (?:very|so) much$|\bthat's (?:it|all|too much)$"
    r"|\b(?:me|us|her|him|them|you) (?:too|either|both|first|then)$|\b(?:at|until|by|on|in|for|is|was|be) "
    r"(?:last|least|most|all|first|(?:\d|\w)+ (?:and a half|a quarter))$|\bwe (?:can't|cannot|could not)$"
    r"|\b(?:in|of|since|until|by|next|last|this|late|early|mid|for) (?:january|february|april|june|july|august"
    r"|september|october|november|december)$|\b(?:right|wrong|best|good|fine) (?:number|already)$"
)
"""Whole sentences may end so: "who are they for", "would you like that", "yes we do", "in june"."""
_NUMBER = (
    r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty"
    r"|seventy|eighty|ninety|hundred|thousand|and)"
)
_SUBJECT = r"\b(?:i|we|you|they|he|she|it|that|there|nobody|somebody|everybody)(?:'\w+)?\b"
_RUNS_ON = re.compile(
    r"^(?:if|when(?! (?:do|does|did|can|could|will|would|is|are|should)\b)|because|since|although|though|once|while"
    rf"|unless|as soon as|as far as|in that case|given|for delivery)\b"
    rf"(?!.*\w \w+ .*(?:{_SUBJECT} \w|\b(?:is|are|will|please)\b))"
    rf"|^(?:{_NUMBER} ?)+$|^either\b(?!.* or )|^(?:is|are|do|does|did|can|could|will|would|should|may) \w+$|\blike to$"
    rf"|\b(?:from|between) (?:{_NUMBER}|\w+day|noon|morning)$|\b(?:on|since) (?:march|may)$"
    r"|\b(?:first of all|for example|as for|(?:kind|sort|lot|couple|bit) of|let's see|let me (?:see|think)|you know"
    r"|i mean|will be back|(?:two|three|four|five) (?:kinds|types|sizes|options)|in order|as well as|the thing is"
    r"|to be honest|(?:what|how) about)$"
    r"|\b(?:tell|give|show|let|send|offer|bring|call) (?:me|us|you|him|them)$(?<!call you)(?<!call us)(?<!call me)"
    r"|\b(?:the|a|an|my|our|your|their|every|have|and|or|is (?:his|her)) (?:\w+ly )?(?:big|small|large|little|red|white"
    r"|yellow|blue|green|black|pink|new|old|good|nice|great|fresh|young|first|second|whole|full|same|main|front|back|left"
    r"|right|long|short|early|late|single|special)$"
    rf"|\b(?:would be|comes? to|costs?|charge|price is|total is|total of) (?:about |just |only )?(?:{_NUMBER} ?)+$"
    rf"|\b(?:address is|live at|located at|we're at|we are at|go to|come to) {_NUMBER}(?: (?:north|south|east|west))?$"
    r"|\b(?:do|did|does|would|will|can|could|should|might|may) (?:you|i|we|they|he|she|it)$|(?:^| )[b-hj-z]$"
)
"""Clauses that want a second half: "if you come before noon", "we are open from nine", "that would be eighty"."""
_VERBS = word_set(
    "is are was were be am have has had do does did can could will would should may might must shall need want like"
    " think know see get got make made take took come comes came go goes going went give gave say said call called"
    " deliver delivers open opens opened close closes closed cost costs work works look looks put send sent bring keep"
    " find use pay paid ask asked tell told try tried help start starts end ends leave leaves left arrive arrives sell"
    " sold offer offers accept accepts charge charges order ordered wait hold stay stop sounds seems means depends runs"
    " takes gives says wants needs happens repeat spell speak confirm cancel check press hear heard understand wish"
    " hope live lives belongs includes requires prefer read write wrote found lost ran apologise apologize"
)
_CONTRACTED = re.compile(r"\w(?:'s|'re|'ll|'ve|'d|'m|n't)\b")
_COURTESY = re.compile(
    r"\b(?:thank you|thanks|welcome|pardon|hello|hi|good (?:morning|afternoon|evening|day|night|bye)"
    r"|goodbye|bye|no problem|all right|alright|of course|perfect|great|wonderful|speaking|not at all|what|how much"
    r"|why not)\b|^(?:what|which|who|where|when|why|how)(?: \w+){2,}|\b(?:dollars?|cents?|percent|o'?clock|a\.?m|p\.?m"
    r"|minutes?|hours?|days?|weeks?)\.?$"
)
_YES_NO_ASKED = re.compile(
    r"(?:^|[.,!?] )(?:(?:and|so|but|okay|then|well),? )?(?:is|are|was|do|does|did|have|has|can|could|will|would|should"
    r"|may|shall)\b[^.!?]*\?\s*$"
)
_ASKS_FOR_DETAIL = re.compile(
    r"\b(?:names?|spell|numbers?|address|e-?mail|dates?|birth|zip|postcode|account|confirmation|reference|when"
    r"|which day"
    r"|what day|what time|where|street)\b"
)
_DETAIL_FOLLOWS = re.compile(
    r"\b(?:name is|number is|address is|(?<!yes )it is|how many|code is|spelled|date is|reach (?:us|me) at|call)\s*$"
)
_DIGIT_BY_DIGIT = re.compile(r"(?:\d[\s,-]*){2,}$")
_CLOCK = re.compile(r"(?<![\d ]) (?:1[0-2]|[1-9]) [0-5]\d$")
_WHOLE_NUMBERS = frozenset({5, 7, 10, 11, 16})
"""Lengths at which a number said in digits is probably whole: zip code, local, national and full telephone, card."""


@lru_cache(maxsize=512)
def completeness(text: str, asked: str = "") -> Completeness:
    """Judge the callee's words so far, by the words alone: a recogniser's final says only that it was quiet.

    `asked`: what the callee last heard from us; when it asked for a name, number, date or address, pauses inside the
    answer are likely, so the class moves one towards patience.
    """
    if asks_to_hold(text):
        return Completeness.HOLD
    plain, question = text.strip().lower(), asked.strip().lower()
    wants_detail = question.endswith("?") and bool(_ASKS_FOR_DETAIL.search(question))
    if _half_said(plain, wants_detail):
        last = _last_word(plain)
        closed = plain.endswith(".") and not plain.endswith("..") and last in _DANGLING - _ARTICLES
        if not closed or last not in _CLOSING:
            return Completeness.UNCLEAR if closed else Completeness.UNFINISHED
    if is_short_answer(plain):
        return Completeness.ANSWER if _YES_NO_ASKED.search(question) else Completeness.COMPLETE
    punctuated = plain.endswith((".", "?", "!"))
    if wants_detail:
        return Completeness.UNCLEAR if punctuated else Completeness.UNFINISHED
    if punctuated or question.endswith("?") or _COURTESY.search(plain) or _CONTRACTED.search(plain):
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
        spoken_singly = bool(re.search(r"\d\s+\d", digits.group())) or wants_detail
        if spoken_singly:
            return count not in _WHOLE_NUMBERS
    if plain.endswith(("?", "!")):
        return last in _ARTICLES
    return bool(
        (last in _DANGLING and not _STRANDED.search(bare)) or _DETAIL_FOLLOWS.search(bare) or _RUNS_ON.search(bare)
    )


def _last_word(plain: str) -> str:
    return ("", *plain.rstrip(".?! ").split())[-1]


_ARTICLES = word_set("and but or the a an my your our their")
_CLOSING = word_set("that this these those too")
"""They open a clause or close a sentence; a recogniser that ends them with a full stop has heard the voice fall."""


def patience_s(judged: Completeness, policy: Policy) -> float:
    """The quiet, in seconds, after which the turn is ours."""
    return {
        Completeness.ANSWER: policy.patience_answer_s,
        Completeness.COMPLETE: policy.patience_complete_s,
        Completeness.UNCLEAR: policy.patience_unclear_s,
        Completeness.UNFINISHED: policy.patience_unfinished_s,
        Completeness.HOLD: policy.patience_hold_s,
    }[judged]
