"""Questions that a model must never answer: what is calling, for whom, who is responsible, and "stop calling".

A model can be talked into denying that it is one. These answers are code.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from floyd import lines
from floyd.figures import in_digits
from relay.core.brief import Brief
from relay.core.phrases import words

_MACHINE = (
    r"(?:(?:a |an |some |one of those |this |just a |like a )?(?:ro[ -]?bots?|bots?|a\.?i\.?(?!\w)"
    r"|artificial(?: intelligence)?|machine|computer|automated"
    r"|automatic|chat ?(?:bot|gpt)|virtual|synthetic|(?<=a )recording|(?<=a )tape|recorded (?=message|voice)"
    r"|siri|alexa|program|software|robocall)"
    r"(?: (?:voice|assistant|call|caller|system|person|thing|message|program|agent))*)"
)
_PERSON = (
    r"(?:(?:a |an |some )?(?:really |actually |real |actual |live |human |true |genuine )*"
    r"(?:person|human(?: being)?|somebody real|someone real|man or a woman|real|alive|human))"
)
_YOU = (
    r"(?:are you|you are|you're|is this|is that|am i (?:talking|speaking) (?:to|with)|do i have|is it|are u|r you"
    r"|was that|are we talking to)"
)

_ROBOT = re.compile(
    rf"\b(?:{_YOU}(?: \w+){{0,3}}? {_MACHINE}\b(?!.{{0,20}}\bline\b)"
    rf"|{_YOU}(?: \w+){{0,2}}? (?:even )?{_PERSON}\b"
    rf"|this is(?: \w+){{0,2}}? {_MACHINE}.{{0,20}}(?:isn't it|is it not|right|\?)"
    rf"|you sound (?:like )?(?:{_MACHINE}|{_PERSON}|robotic|fake|artificial)"
    rf"|(?:talking|speaking) (?:to|with) (?:{_MACHINE}|{_PERSON})"
    r"|(?:human|person) or (?:a |an )?(?:machine|robot|bot|computer|ai)|(?:robot|machine|bot|computer"
    r"|ai) or (?:a |an )?(?:human|person|real))"
)
_RECORDING = re.compile(
    r"\b(?:(?:are you|is this(?: call)?|am i|are we|is (?:it|that)|is the call|is our call|do you|will you"
    r"|is anyone|being)"
    r"(?: \w+){0,3}? (?:record(?:ed|ing)?|taped?|taping|transcrib\w+)\b|(?:call|conversation|line) (?:is "
    r"|being )+(?:record|tap|transcrib)\w+)"
)
_WHO = re.compile(
    r"\b(?:who (?:is|'s|are) (?:this|calling|that|you|there|speaking|it)|who's (?:this|calling|that|there"
    r"|speaking|asking)"
    r"|who am i (?:talking|speaking) (?:to|with)|who did you say you (?:are|were)|what(?:'s| is) your name"
    r"|(?:who|where) are you calling (?:for|from)|who do you (?:work for|represent)|(?:for whom"
    r"|on whose behalf|on behalf of who\w*)"
    r"|who (?:do|are) you (?:calling|speaking) (?:for|on behalf)|which company|what company"
    r"|whom are you calling for|say who you are)\b"
)
_RESPONSIBLE = re.compile(
    r"\b(?:who(?:'s| is) (?:responsible|in charge|liable|accountable|behind (?:this|that|it|you))|who (?:runs"
    r"|operates|made|built|owns|programmed) (?:you|this)"
    r"|who (?:told|asked|made|ordered) you to call|who sent you|who can i (?:complain|sue|hold)|who do i complain)\b"
)
_OPT_OUT = re.compile(
    r"\b(?:(?:stop|quit) (?:\w+ )?(?:calling|ringing|phoning|bothering|harassing|contacting)|(?:do not|don't"
    r"|dont|never|not to)(?: you)?(?: dare| ever)? (?:\w+ )?(?:call|ring|phone|contact|bother)"
    r"(?:ing)?\b(?! (?:back )?(?:before|after|until|at|on|in|if|her|him|them|it|the|between|during"
    r"|me (?:before|after|until|at|on|in the|mom|by|an?))\b)"
    r"|(?:take|remove|delete|get|strike) (?:me|us|my|our|this)(?: \w+){0,3}? (?:off|from"
    r"|out of)(?: \w+){0,3}? (?:lists?|database|records?|system|books)"
    r"|(?:remove|delete|lose|forget) (?:my|our|this) (?:phone )?number|no more (?:phone )?calls"
    r"|(?:do[ -]?not[ -]?call|don't call) (?:list|registry|register)"
    r"|(?:don't|do not|never) want (?:\w+ )?(?:to be |any more |more |any |these |your |you )*(?:call(?:s|ed"
    r"|ing)?|contacted|bothered|rung)\b"
    r"|(?:not|no longer) (?:be )?(?:called|contacted) (?:again|any ?more)|(?:leave|let) (?:me|us) (?:alone"
    r"|be)\b|opt(?:ing)? (?:me |us )?out|unsubscribe"
    r"|(?:lose|forget) (?:my|this|our) number|i(?:'ll| will) (?:report|sue) you|never (?:\w+ )?(?:call|ring"
    r"|phone|contact) (?:me|us|here|this))"
)


@dataclass(frozen=True, slots=True)
class FixedAnswer:
    """What to say, and whether anything is left of the callee's turn for the model."""

    text: str
    whole_turn: bool
    """The turn asked nothing else."""


_ANSWERS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (_RESPONSIBLE, lines.responsible),
    (_ROBOT, lines.i_am_an_ai),
    (_RECORDING, lines.transcribed),
    (_WHO, lines.who_i_am),
)
_SENTENCE = re.compile(r"[^.?!]+[.?!]*")
_LEFTOVER_WORDS = 8
"""Besides the question, so few words ("hey", "i am sorry to hear that") want no answer of their own, unless they ask
for one or name a figure."""
_ASKS = re.compile(
    r"\?|\b(?:who|whom|whose|what|when|where|why|which|how|can|could|would|will|do|does|did|is|are|may|shall) "
    r"(?:\w+ )?(?:i|you|we|they|it|he|she|that|this|your|the|her|his|their)\b"
)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.lower().replace("\u2019", "'").replace(",", " ")).strip()


def opts_out(text: str) -> bool:
    """Whether the callee does not want to be called again."""
    return bool(_OPT_OUT.search(_plain(text)))


def _wants_nothing(rest: str) -> bool:
    few = len(words(rest)) <= _LEFTOVER_WORDS
    return few and not _ASKS.search(rest) and not any(map(str.isdigit, in_digits(rest)))


def fixed_answer(text: str, brief: Brief) -> FixedAnswer | None:
    """The answer that code gives to this turn of the callee, if it asks one of the questions above."""
    for sentence in (found.group() for found in _SENTENCE.finditer(text)):
        for pattern, answer in _ANSWERS:
            if match := pattern.search(_plain(sentence)):
                rest = text.replace(sentence, " ") + " " + _plain(sentence)[: match.start()]
                return FixedAnswer(answer(brief.on_behalf_of), whole_turn=_wants_nothing(_plain(rest)))
    return None
