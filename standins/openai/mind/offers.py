"""Prices and times that the callee puts forward, judged against the mandate and the person's answers."""

import re
from decimal import Decimal

from standins.openai.events import Reply
from standins.openai.mind.answering import SAYS, ask_person, call, spoken_answer
from standins.openai.mind.brief import Errand, Story, allowed_amount
from standins.openai.mind.quantities import agreed_times, amounts, fits, said_yes, spoken_money, whens
from standins.openai.mind.reading import says


def judge(errand: Errand, story: Story) -> Reply | list[str]:
    """The verdict on the callee's last turn: what to agree to (nothing: it offers nothing), or what to say instead."""
    if errand.kind == "ask":
        sold = says(story.news, "go_ahead") and says(story.news, "sold")
        return Reply(SAYS["only_asking"]) if sold else []
    agreed: list[str] = []
    if prices := amounts(story.news):
        limit = allowed_amount(errand, story)
        within = (each for each in prices if each <= limit)
        price = next(within, prices[0]) if says(story.news, "alternatives") else prices[-1]
        if price > limit:
            return _too_dear(price, errand, story)
        if spoken_money(price) not in " ".join(story.said):
            agreed.append(spoken_money(price))
    if errand.kind in ("book", "change") and (offered := _offered_times(story.news)):
        known = (phrase for pair in story.answers if not amounts(pair[0]) for phrase in agreed_times(*pair))
        windows = [*errand.mandate.times, *known]
        good = next((each for each in offered if fits(each, windows)), None)
        if good is None:
            return _other_time(offered, story)
        if not says(story.news, "strong"):
            agreed.append(good)
    return agreed


def go_ahead(errand: Errand, story: Story) -> str:
    """The answer to "shall I go ahead?" when this turn names no price or time itself."""
    named = [price for turn in story.heard for price in amounts(turn)]
    if named and named[-1] > allowed_amount(errand, story):
        return SAYS["still_checking" if story.is_waiting else "cheaper"]
    return SAYS["yes_please" if named or errand.kind not in ("order", "request") else "what_costs"]


def react(question: str, given: str, errand: Errand, story: Story) -> str:
    """What to say to the callee now that the person has answered."""
    if asked := amounts(question):
        accepted = asked[0] <= allowed_amount(errand, story) and said_yes(given) is not False
        return f"Yes, {spoken_money(asked[0])} is fine, please go ahead." if accepted else _refusal(errand)
    if question.startswith("They offer") and (offered := whens(question)):
        wanted = whens(given)
        if said_yes(given):
            return f"Yes, {(wanted or offered)[0]} is fine, please."
        return f"I am sorry, that does not work. Would {wanted[0]} be possible?" if wanted else SAYS["other_time"]
    return spoken_answer(question, given)


def _refusal(errand: Errand) -> str:
    return SAYS["cheaper" if errand.kind in ("order", "book", "request") else "cannot_agree"]


def _too_dear(price: Decimal, errand: Errand, story: Story) -> Reply:
    """Ask about a price once; what was answered with no is refused, and refused twice it ends the call."""
    question = f"They ask {spoken_money(price)}. Is that all right?"
    answered = any(price in amounts(asked) for asked, _ in story.answers)
    if not answered and (question in story.asked or SAYS["cheaper"] not in story.said[-1:]):
        return ask_person(question, story, "yes", "no")
    if _refusal(errand) in story.said:
        return Reply(SAYS["too_much"], (call("end_call", reason="price above the limit"),))
    return Reply(_refusal(errand))


def _offered_times(news: str) -> list[str]:
    parts = re.split(r"\bbut\b|\bhowever\b|[.,;]", news)
    open_times = " . ".join(part for part in parts if not says(part, "refusal", "negated"))
    return [] if says(open_times, "asks_when") else whens(open_times)


def _other_time(offered: list[str], story: Story) -> Reply | list[str]:
    phrase = " or ".join(offered)
    known = story.answer_to(f"They offer {phrase}")
    if known is not None:
        return Reply(SAYS["other_time"]) if said_yes(known) is False else []
    return ask_person(f"They offer {phrase}. Is that all right?", story, *(offered if offered[1:] else ("yes", "no")))
