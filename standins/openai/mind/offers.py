"""Prices and times that the callee puts forward, judged against the mandate and the person's answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from standins.openai.mind import hearing
from standins.openai.mind.answering import Ask, spoken_answer
from standins.openai.mind.brief import Errand, Story, allowed_amount
from standins.openai.mind.hearing import says
from standins.openai.mind.quantities import amounts, fits, said_yes, whens

STILL_CHECKING = "I am still checking, one moment please."
TOO_MUCH = "I am sorry, that is more than I can agree to."
CHEAPER = f"{TOO_MUCH} Do you have something less expensive?"
OTHER_TIME = "I am sorry, that does not work. Do you have another time?"
COMMITTING = ("order", "book", "change", "cancel", "request")
"""Kinds of errand in which a price or a time is something to agree to, not something to be told."""
NEGATED = rf"{hearing.REFUSAL}|\b(?:nothing|not|no|none|full|booked|taken|closed)\b(?! problem)|n't\b"
"""Times in such a clause are not on offer."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about an offer: agree to the parts in `agreed`, ask the person, or say no (and end the call)."""

    agreed: tuple[str, ...] = ()
    ask: Ask | None = None
    say: str = ""
    ends: bool = False


def judge(errand: Errand, story: Story) -> Verdict | None:
    """The verdict on the callee's last turn; None when nothing in it needs a decision."""
    if errand.kind == "ask":
        sold = says(hearing.GO_AHEAD, story.news) and says(r"book|order|schedul|reserv|go ahead|put", story.news)
        return Verdict(say="No, thank you, I only wanted to ask.") if sold else None
    agreed: list[str] = []
    if prices := amounts(story.news):
        limit = allowed_amount(errand, story)
        alternatives = says(r"\bor\b|\balso\b|\bone for\b", story.news)
        price = next((each for each in prices if each <= limit), prices[0]) if alternatives else prices[-1]
        if price > limit:
            return _too_dear(price, errand, story)
        if spoken_money(price) not in " ".join(story.said):
            agreed.append(spoken_money(price))
    if errand.kind in ("book", "change") and (offered := _offered_times(story.news)):
        windows = [*errand.times, *(phrase for pair in story.answers for phrase in _allowed_times(*pair))]
        good = next((each for each in offered if fits(each, windows)), None)
        if good is None:
            return _other_time(offered, story)
        if not says(hearing.STRONG, story.news):
            agreed.append(good)
    return Verdict(tuple(agreed)) if agreed else None


def go_ahead(errand: Errand, story: Story) -> str:
    """The answer to "shall I go ahead?" when this turn names no price or time itself."""
    named = [price for turn in story.heard for price in amounts(turn)]
    if named and named[-1] > allowed_amount(errand, story):
        return STILL_CHECKING if story.is_waiting else CHEAPER
    if not named and errand.kind in ("order", "request"):
        return "Could you tell me what it costs in all?"
    return "Yes, please."


def react(question: str, given: str, errand: Errand, story: Story) -> str:
    """What to say to the callee now that the person has answered."""
    if asked := amounts(question):
        if asked[0] <= allowed_amount(errand, story) and said_yes(given) is not False:
            return f"Yes, {spoken_money(asked[0])} is fine, please go ahead."
        return _refusal(errand)
    if question.startswith("They offer") and (offered := whens(question)):
        wanted = whens(given)
        if said_yes(given):
            return f"Yes, {(wanted or offered)[0]} is fine, please."
        return f"I am sorry, that does not work. Would {wanted[0]} be possible?" if wanted else OTHER_TIME
    return spoken_answer(question, given)


def spoken_money(amount: Decimal) -> str:
    return f"{amount:.0f} dollars" if amount == amount.to_integral() else f"{amount:.2f} dollars"


def _refusal(errand: Errand) -> str:
    return CHEAPER if errand.kind in ("order", "book", "request") else "I am sorry, I cannot agree to that."


def _too_dear(price: Decimal, errand: Errand, story: Story) -> Verdict:
    """Ask about a price once; what was answered with no is refused, and refused twice it ends the call."""
    question = f"They ask {spoken_money(price)}. Is that all right?"
    answered = any(price in amounts(asked) for asked, _ in story.answers)
    if not answered and question in story.asked:
        return Verdict(say=STILL_CHECKING)
    if not answered and CHEAPER not in story.said[-1:]:
        return Verdict(ask=Ask(question, ("yes", "no")))
    if _refusal(errand) in story.said:
        return Verdict(say=f"{TOO_MUCH} Thank you, goodbye.", ends=True)
    return Verdict(say=_refusal(errand))


def _offered_times(news: str) -> list[str]:
    parts = re.split(r"\bbut\b|\bhowever\b|[.,;]", news)
    open_times = " . ".join(part for part in parts if not says(NEGATED, part))
    return [] if says(r"\b(?:what|which) (?:time|day)|\bwhen\b", open_times) else whens(open_times)


def _other_time(offered: list[str], story: Story) -> Verdict | None:
    phrase = " or ".join(offered)
    known = story.answer_to(f"They offer {phrase}")
    if known is not None:
        return Verdict(say=OTHER_TIME) if said_yes(known) is False else None
    choices = tuple(offered) if len(offered) > 1 else ("yes", "no")
    return Verdict(ask=Ask(f"They offer {phrase}. Is that all right?", choices))


def _allowed_times(question: str, given: str) -> list[str]:
    """Times that an answer of the person allows."""
    if amounts(question):
        return []
    return whens(given) or (whens(question) if said_yes(given) else [])
