"""One reply in a call: understand the callee's last turn, answer, judge offers against the mandate, move on, or end.

Everything said is built from the errand, the released facts, the person's answers and the callee's own words.
"""

import re

from standins.openai.events import Reply, ToolCall
from standins.openai.mind.answering import SAYS, answer, ask_person, call, next_step
from standins.openai.mind.brief import Errand, Story
from standins.openai.mind.offers import go_ahead, judge, react
from standins.openai.mind.quantities import amounts, reference
from standins.openai.mind.reading import content, informs, numerals, questions, related, says, sentence, shared

MAX_EXCHANGES = 20
"""After this many replies the call is going nowhere."""


def talk(errand: Errand, story: Story) -> Reply:
    """The reply to the story so far."""
    news = story.news
    if not story.said and not story.heard:
        return Reply(errand.opening or "Hello.")
    if story.said and says(story.said[-1], "our_goodbye"):
        return _end("Goodbye.", "said goodbye")
    if story.exchanges >= MAX_EXCHANGES:
        return _end(SAYS["hopeless"], "no progress")
    reactions = [react(question, given, errand, story) for question, given in story.fresh]
    if reactions and (len(news.split()) < 3 or says(news, "patience")):
        return Reply(" ".join(reactions[-2:]))
    if story.is_waiting and not (questions(news) or amounts(news) or says(news, "goodbye")):
        return Reply(SAYS["waiting"])
    reply = _conduct(errand, story) or _decide(errand, story) or _exchange(errand, story)
    if reactions and not reply.calls:
        return Reply(f"{reactions[-1]} {reply.text}")
    # Nothing is said a third time: the call ends instead.
    patient = reply.text in (SAYS["still_checking"], SAYS["waiting"], SAYS["patient"])
    if not reply.calls and story.said.count(reply.text) >= 2 and not patient:
        return _end(SAYS["hopeless"], "no progress")
    return reply


def _end(farewell: str, reason: str, noted: tuple[ToolCall, ...] = ()) -> Reply:
    return Reply(farewell, (*noted, call("end_call", reason=reason)))


def _conduct(errand: Errand, story: Story) -> Reply | None:
    """Turns whose answer does not depend on the errand's content."""
    news = story.news
    for ending, reason in (("stop_calling", "do not call"), ("wrong_number", "wrong number")):
        if says(news, ending):
            return _end(SAYS[ending], reason)
    if says(news, "robot"):
        return Reply(SAYS["robot"].format(person=errand.on_behalf_of))
    if key := _menu_key(news, errand):
        return Reply(calls=(call("press_keys", digits=key),))
    if says(news, "repeat") and not questions(re.sub(r"(?i)can you (?:say|repeat)[^?.]*", "", news)):
        return Reply(story.said[-1] if len(story.said) > 1 else sentence(errand.purpose))
    if says(news, "hold") and not amounts(news) and all(says(question, "hold") for question in questions(news)):
        return Reply(SAYS["patient"])
    return None


def _menu_key(news: str, errand: Errand) -> str | None:
    """The key of the menu option that fits the errand, else the operator's."""
    spoken = numerals(news)
    if re.search(r"\b(?:press|dial) \d (?:for|to)\b", spoken):
        listed = re.findall(r"(?:press|dial) (\d) (?:for|to) ([^,.]+?)(?= (?:press|dial)|[,.]|$)", spoken)
    else:
        found = re.findall(r"(?:for|to) ([^,.]+?),? (?:please )?(?:press|dial) (\d|pound|star)", spoken)
        listed = [(key, what) for what, key in found]
    wanted = content(f"{errand.goal} {errand.kind}")
    wanted |= related(wanted)

    def fitness(option: tuple[str, str]) -> tuple[int, bool]:
        return len(shared(content(option[1]), wanted)), "operator" in option[1] or option[0] == "0"

    key = max(listed, key=fitness)[0] if listed else None
    return {"pound": "#", "star": "*"}.get(key, key) if key else None


def _decide(errand: Errand, story: Story) -> Reply | None:
    """The verdict on the callee's offers as a reply; None when there is nothing to decide."""
    verdict = judge(errand, story)
    if isinstance(verdict, Reply):
        return verdict
    if not verdict:
        return None
    rest = [each for each in questions(story.news) if not says(each, "go_ahead", "read_back")]
    agreed = f"Yes, {' and '.join(verdict)} is fine"
    return _with_answers(f"{agreed}.", rest, errand, story) if rest else Reply(f"{agreed}, please go ahead.")


def _with_answers(before: str, asked: list[str], errand: Errand, story: Story) -> Reply:
    """What was already to be said, and answers to as many questions as make two sentences."""
    parts = [before] if before else []
    for question in asked[: 2 - len(parts)]:
        reply = _answer(question, errand, story)
        if reply.text == SAYS["still_checking"]:
            return reply
        if reply.text not in parts:
            parts.append(reply.text)
        if reply.calls:
            return Reply(" ".join(parts), reply.calls)
    return Reply(" ".join(parts))


def _answer(question: str, errand: Errand, story: Story) -> Reply:
    if says(question, "anything_else"):
        return Reply(next_step(errand, story) or SAYS["nothing_else"])
    if says(question, "upsell"):
        return Reply("No, thank you.")
    if says(question, "read_back"):
        return _read_back(errand, story)
    if says(question, "go_ahead") and errand.kind not in ("report", "ask"):
        return Reply(go_ahead(errand, story))
    return answer(question, errand, story)


def _read_back(errand: Errand, story: Story) -> Reply:
    """Yes only when every number read back is one that we know."""
    given = [answer for _, answer in story.answers]
    sent = [errand.goal, *errand.steps, *errand.facts.values(), *errand.mandate.times, *story.said, *given]
    strange = set(re.findall(r"\d+", numerals(story.news))) - set(re.findall(r"\d+", numerals(" ".join(sent))))
    if strange:
        return ask_person(f'They read back: "{story.news}". Is that right?', story, "yes", "no")
    return Reply("Yes, that is right.")


def _exchange(errand: Errand, story: Story) -> Reply:
    """Questions, greetings, refusals, confirmations, and otherwise the next thing to say."""
    news, given = story.news, reference(story.news)
    noted = (call("note_fact", key=given[0], value=given[1]),) if given else ()
    ended, settled = says(news, "goodbye"), says(news, "strong")
    asked = [question for question in questions(news) if not says(question, "offer_of_help")]
    if asked and not (ended and says(asked[-1], "anything_else")):
        reply = _with_answers("", asked, errand, story)
        if reply.text == SAYS["nothing_else"]:
            return _end(f"{reply.text} Goodbye.", "done: nothing else needed")
        return Reply(reply.text, (*noted, *reply.calls))
    answered = errand.kind == "ask" and informs(news, content(errand.purpose))
    bare = story.exchanges == 0 and len(news.split()) <= 3 and not says(news, "weak", "refusal")
    if (bare or says(news, "greeting")) and not (settled or ended or answered):
        return Reply(sentence(errand.purpose))
    if says(news, "refusal") and not settled and errand.kind != "ask":
        return _refused(errand, story)
    pending = next_step(errand, story)
    if ended or (settled and (errand.kind != "order" or not pending or "confirm" in pending)):
        confirmed = settled or any(says(each, "strong") for each in story.heard)
        return _end(SAYS["thanks"], "done: the callee confirmed" if confirmed else "the callee said goodbye", noted)
    if errand.kind == "ask":
        return _end(SAYS["answered"], "done: the question is answered") if answered else Reply(sentence(errand.purpose))
    if errand.kind == "report" and says(news, "weak") and len(story.said) > 1:
        return _end(SAYS["thanks"], "done: the callee heard it")
    if pending:
        return Reply(pending, noted)
    if not says(news, "weak") and story.said[-1:] != [SAYS["all_right"]]:
        return Reply(SAYS["all_right"], noted)
    return _end(SAYS["thanks"], "everything was said", noted)


def _refused(errand: Errand, story: Story) -> Reply:
    """A first no is met with a question, a second is taken."""
    tried = {SAYS[question] for question in ("other_time", "any_other_time", "cheaper", "anything_instead")}
    if errand.kind in ("report", "cancel") or tried & set(story.said):
        return _end(SAYS["declined"], "declined by the callee")
    return Reply(SAYS["any_other_time" if errand.kind in ("book", "change") else "anything_instead"])
