"""What a callee's turn does: asks, offers, confirms, refuses, holds, ends. Read from words, punctuated or not."""

from __future__ import annotations

import re

from standins.openai.mind.quantities import numerals
from standins.openai.mind.reading import content, plain, shared


def _any(*alternatives: str) -> str:
    """One pattern from several, each a run of whole words."""
    return rf"\b(?:{'|'.join(alternatives)})\b"


ROBOT = _any(
    r"(?:are|is) (?:you|this|it)(?: (?:a|an|really|actually))* (?:robot|machine|computer|bot|ai|real|human|person)",
    r"(?:are|is) (?:you|this|it)(?: (?:a|an))? (?:recording|automated)",
    r"(?:talking|speaking) (?:to|with) a (?:robot|machine|computer|bot|real|human|recording|person)",
)
STOP_CALLING = _any(
    r"(?:don't|do not|never|stop|quit) (?:you )?(?:ever )?call(?:ing)?(?= (?:me|us|here|again|this)|\W*$)",
    r"take (?:me|us) off",
)
WRONG_NUMBER = _any(
    r"wrong number", r"(?:no one|nobody) (?:here )?(?:by|with|of|named|called)", r"this is(?:n't| not) (?:a|the) \w+"
)
REPEAT = _any(
    r"(?:say|repeat) (?:that|it)(?: again)?",
    r"(?:didn't|did not) (?:catch|hear|get|understand)",
    r"come again",
    r"what was that",
    r"(?<!.)(?:sorry|pardon|what|excuse me)(?=\W*$)",
)
PATIENCE = r"^(?:sure|of course|okay|ok|certainly|no problem|yes)?,? ?(?:take your time|i can wait|no rush)\W*$"
"""Nothing but "we wait for you"."""
HOLD = _any(
    r"(?:please |can you |could you )?hold(?: on)?(?= (?:please|on|for|while|a)|\W*$)",
    r"(?:one|just a|just one) (?:moment|second|minute|sec)",
    r"hang on",
    r"bear with me",
    r"let me (?:check|look|have|see|get|pull|find|transfer|put|ask)",
    r"i'll (?:check|look|transfer|connect|put you (?:on|through))",
)
GOODBYE = _any(r"good ?bye", r"bye", r"have a (?:good|nice|great|lovely|wonderful)", r"take care", r"see you")
OFFER_OF_HELP = _any(r"how (?:can|may|could) (?:i|we) help", r"what can (?:i|we) do for you", r"how are you")
GREETING = _any(
    OFFER_OF_HELP,
    r"(?<!.)(?:hello|hi|hey)\b[^?]{0,60}$",
    r"good (?:morning|afternoon|evening)",
    r"(?<!.)(?:hello |hi )?this is \w+(?: \w+)?(?=\W*$)",
    r"thank you for calling",
    r"speaking(?=\W*$)",
)
REFUSAL = _any(
    r"unfortunately",
    r"afraid",
    r"(?:we|i) (?:can't|cannot|can not|don't|do not|won't|couldn't|could not|are not able|aren't able)",
    r"not (?:possible|available|allowed)",
    r"no longer",
    r"sold out",
    r"fully booked",
    r"(?:nothing|no) (?:free|available|openings?|tables?|left)",
    r"we(?:'re| are) (?:all )?(?:full|closed|booked|out)",
)
STRONG = _any(
    r"(?:all|you're) set",
    r"(?:is|are|been|it's|that's|you're|got you|have you|got it|now)(?: now| all| been)? (?:booked|ordered|placed"
    r"|confirmed|cancell?ed|done|moved|scheduled|rescheduled|reserved|noted|changed|down|settled|refilled|in the \w+)",
    r"taken care of",
    r"written (?:it|that) down",
    r"(?:i|we)(?:'ll| will) (?:let|tell|pass|note|make a note|mark|write|inform|book|cancel|move|place|send|deliver)",
    r"(?:i|we)(?:'ll| will) (?:have (?:it|that)|put (?:you|it|that) (?:down|in)|be there|get it)",
    r"thank(?:s| you) for (?:letting|telling)",
    r"(?:noted|marked|confirmed|made a note)",
    r"see you (?:then|on|at|tomorrow|next)",
    r"will be (?:ready|delivered|there|cancell?ed)",
    r"feels? better",
)
"""Says that it is settled."""
WEAK = (
    r"^\W*(?:(?:okay|ok|sure|alright|all right|great|got it|perfect|fine|good|yes|yeah|yep|right|thanks"
    r"|thank you(?: very much| so much)?|wonderful|excellent|no problem|of course|uh huh|mm hm|i see"
    r"|that's (?:fine|all)|understood|i understand|sounds good|oh|well|then|go ahead)\b\W*)+$"
)
"""Nothing but assent."""
UPSELL = _any(
    r"would you like (?:to )?(?:add|also|include)",
    r"would you (?:also )?like (?:a|an|some|any) (?:\w+ )?(?:card|chocolates?|drink|dessert|side|warranty|insurance"
    r"|extra|vase|note|balloon|plan|newsletter)",
    r"anything (?:else )?to drink",
    r"(?:are you |be )?interested in",
    r"(?:sign|upgrade) (?:you )?up",
)
GO_AHEAD = _any(
    r"(?:shall|should|can|may) (?:i|we) (?:go ahead|place|book|put|proceed|order|schedule|confirm|do that|reserve)",
    r"would you like (?:me |us )?to (?:go ahead|place|book|proceed|order|schedule|confirm|reserve|do|take|come)",
    r"do you want (?:me|us|to|it|that)",
    r"would you like (?:that|this|it|one)",
    r"is that (?:ok|okay|all right|alright|fine|good|acceptable|a problem)",
    r"(?:does|would|will) that (?:work|be (?:ok|okay|all right|fine))",
    r"(?:sound|work)s? (?:good|okay|ok|for you|all right)",
    r"how (?:does|about) that",
)
READ_BACK = _any(
    r"(?:is )?that (?:right|correct)", r"(?:right|correct)(?=\W*$)", r"did i get that", r"read (?:that|it) back"
)
ANYTHING_ELSE = _any(r"(?:any|some)thing else", r"is that (?:all|everything)", r"will that be all")

ASKING = (
    r"(?:who|what|what's|which|when|where|why|how|whose|can|could|may|do|does|did|is|are|would|will|shall|should"
    r"|(?:has|have) (?:you|he|she|they|it)|any|anything|and (?:the|your|a))\b"
)
LEAD_IN = (
    r"(?:and|so|okay|ok|sure|alright|right|great|thanks|thank you|yes|no|hi|hello|well|um|uh|oh|perfect|then|now|please"
    r"|sorry|good|but|got it|of course|certainly|absolutely|no problem|i see|fine)\b"
)
CLEAR_QUESTION = _any(
    r"(?:can|could|may) i (?:have|get|ask|take)",
    r"(?:can|could) you (?:give|tell|spell|describe|confirm|repeat|verify)",
    r"do you (?:have|know|want|need)",
    r"what(?:'s| is| was) (?:the|your|her|his|their|it|this|wrong)",
    r"what (?:name|time|day|date|kind|size|color|colour|number|class|grade|address|type)",
    r"what \w+ (?:of|is|was|are|would|will|do|does|did|should|can)",
    r"how (?:many|much|long|old|big|would|do you|is)",
    r"would you like",
    r"who (?:am i|is|are|was)",
    r"who's",
    r"which \w+",
    r"is (?:that|this) (?:right|correct|ok|okay|for|all)",
    r"does that",
    r"when (?:will|is|was|did|would|should|do)",
    r"where (?:should|do|is|would|will|does|are)",
    r"i(?:'ll| will)? (?:just )?need (?:the|your|a|her|his|to know)",
    r"and the \w+(?: \w+)? please",
    r"(?:\w+ )?(?:number|name|address|code|birth) please",
)
"""A question even in the middle of unpunctuated speech."""
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
