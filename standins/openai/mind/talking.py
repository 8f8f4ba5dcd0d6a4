"""One reply in a call: understand the callee's last turn, answer, judge offers against the mandate, move on, or end.

Everything said is built from the errand, the released facts, the person's answers and the callee's own words.
"""

from __future__ import annotations

import json
import re

from standins.openai.events import Reply, ToolCall
from standins.openai.mind import hearing
from standins.openai.mind.answering import Ask, answer
from standins.openai.mind.brief import Errand, Story
from standins.openai.mind.hearing import says
from standins.openai.mind.offers import CHEAPER, COMMITTING, OTHER_TIME, STILL_CHECKING, go_ahead, judge, react
from standins.openai.mind.quantities import amounts, numerals, reference
from standins.openai.mind.reading import content, sentence, shared, widened
from standins.openai.mind.steps import next_step

CHECKING = "Let me check that, one moment please."
WAITING = "Thank you, one moment please."
PATIENT = "Of course, take your time."
ANY_OTHER_TIME = "Do you have another time?"
ANYTHING_INSTEAD = "Is there something else that you could offer?"
NOTHING_ELSE = "No, that is all, thank you."
ALL_RIGHT = "All right, thank you."
THANKS = "Thank you very much. Goodbye."
HOPELESS = "I am sorry, I cannot settle this today. Thank you, goodbye."
MAX_EXCHANGES = 20
"""After this many replies the call is going nowhere."""


def talk(errand: Errand, story: Story) -> Reply:
    """The reply to the story so far."""
    news = story.news
    if not story.said and not story.heard:
        return Reply(errand.opening or "Hello.")
    if story.said and says(r"\bgoodbye\b", story.said[-1]):
        return _end("Goodbye.", "said goodbye")
    if story.exchanges >= MAX_EXCHANGES:
        return _end(HOPELESS, "no progress")
    reactions = [react(question, given, errand, story) for question, given in story.fresh]
    if reactions and (len(news.split()) < 3 or says(hearing.PATIENCE, news)):
        return Reply(" ".join(reactions[-2:]))
    if story.is_waiting and not (hearing.questions(news) or amounts(news) or says(hearing.GOODBYE, news)):
        return Reply(WAITING)
    reply = _conduct(errand, story) or _decide(errand, story) or _exchange(errand, story)
    if reactions and not reply.calls:
        return Reply(f"{reactions[-1]} {reply.text}")
    # Nothing is said a third time: the call ends instead.
    if not reply.calls and story.said.count(reply.text) >= 2 and reply.text not in (STILL_CHECKING, WAITING, PATIENT):
        return _end(HOPELESS, "no progress")
    return reply


def _end(farewell: str, reason: str, noted: tuple[ToolCall, ...] = ()) -> Reply:
    return Reply(farewell, (*noted, _call("end_call", reason=reason)))


def _call(tool: str, **arguments: object) -> ToolCall:
    return ToolCall(tool, json.dumps(arguments))


def _ask(ask: Ask, story: Story, before: str = "") -> Reply:
    """Keep the callee company and ask the person, once."""
    if story.waiting_for(ask.question):
        return Reply(STILL_CHECKING)
    return Reply(f"{before} {CHECKING}".strip(), (_call("ask_user", question=ask.question, choices=list(ask.choices)),))


def _conduct(errand: Errand, story: Story) -> Reply | None:
    """Turns whose answer does not depend on the errand's content."""
    news = story.news
    if says(hearing.STOP_CALLING, news):
        return _end("I am sorry for the trouble. Goodbye.", "do not call")
    if says(hearing.WRONG_NUMBER, news):
        return _end("I am sorry, I have the wrong number. Goodbye.", "wrong number")
    if says(hearing.ROBOT, news):
        return Reply(f"Yes, I am an AI assistant calling for {errand.person}.")
    if key := _menu_key(news, errand):
        return Reply(calls=(_call("press_keys", digits=key),))
    if says(hearing.REPEAT, news) and not hearing.questions(re.sub(r"(?i)can you (?:say|repeat)[^?.]*", "", news)):
        return Reply(story.said[-1] if len(story.said) > 1 else sentence(errand.purpose))
    others = [question for question in hearing.questions(news) if not says(hearing.HOLD, question)]
    if says(hearing.HOLD, news) and not amounts(news) and not others:
        return Reply(PATIENT)
    return None


def _menu_key(news: str, errand: Errand) -> str | None:
    """The key of the menu option that fits the errand, else the operator's."""
    spoken = numerals(news)
    if re.search(r"\b(?:press|dial) \d (?:for|to)\b", spoken):
        listed = re.findall(r"(?:press|dial) (\d) (?:for|to) ([^,.]+?)(?= (?:press|dial)|[,.]|$)", spoken)
        options = [(what, key) for key, what in listed]
    else:
        options = re.findall(r"(?:for|to) ([^,.]+?),? (?:please )?(?:press|dial) (\d|pound|star)", spoken)
    if not options:
        return None
    wanted = widened(content(f"{errand.goal} {errand.kind}"))
    what, key = max(
        options,
        key=lambda option: (len(shared(content(option[0]), wanted)), "operator" in option[0] or option[1] == "0"),
    )
    return {"pound": "#", "star": "*"}.get(key, key) if what else None


def _decide(errand: Errand, story: Story) -> Reply | None:
    """The verdict on the callee's offers as a reply; None when there is nothing to decide."""
    verdict = judge(errand, story)
    if verdict is None:
        return None
    if verdict.ask:
        return _ask(verdict.ask, story)
    if verdict.say:
        return _end(verdict.say, "price above the limit") if verdict.ends else Reply(verdict.say)
    rest = [each for each in hearing.questions(story.news) if not says(f"{hearing.GO_AHEAD}|{hearing.READ_BACK}", each)]
    agreed = f"Yes, {' and '.join(verdict.agreed)} is fine"
    return _with_answers(f"{agreed}.", rest, errand, story) if rest else Reply(f"{agreed}, please go ahead.")


def _with_answers(before: str, questions: list[str], errand: Errand, story: Story) -> Reply:
    """What was already to be said, and answers to as many questions as make two sentences."""
    parts = [before] if before else []
    for question in questions[: 2 - len(parts)]:
        said = _answer(question, errand, story)
        if isinstance(said, Ask):
            return _ask(said, story, " ".join(parts))
        if said not in parts:
            parts.append(said)
    return Reply(" ".join(parts))


def _answer(question: str, errand: Errand, story: Story) -> str | Ask:
    if says(hearing.ANYTHING_ELSE, question):
        return next_step(errand, story) or NOTHING_ELSE
    if says(hearing.UPSELL, question):
        return "No, thank you."
    if says(hearing.READ_BACK, question):
        return _read_back(errand, story)
    if says(hearing.GO_AHEAD, question) and errand.kind in COMMITTING:
        return go_ahead(errand, story)
    return answer(question, errand, story)


def _read_back(errand: Errand, story: Story) -> str | Ask:
    """Yes only when every number read back is one that we know."""
    given = [answer for _, answer in story.answers]
    sent = [errand.goal, *errand.steps, *errand.facts.values(), *errand.times, *story.said, *given]
    strange = set(re.findall(r"\d+", numerals(story.news))) - set(re.findall(r"\d+", numerals(" ".join(sent))))
    if strange:
        return Ask(f'They read back: "{story.news}". Is that right?', ("yes", "no"))
    return "Yes, that is right."


def _exchange(errand: Errand, story: Story) -> Reply:
    """Questions, greetings, refusals, confirmations, and otherwise the next thing to say."""
    news, given = story.news, reference(story.news)
    noted = (_call("note_fact", key=given[0], value=given[1]),) if given else ()
    ended, settled = says(hearing.GOODBYE, news), says(hearing.STRONG, news)
    asked = [question for question in hearing.questions(news) if not says(hearing.OFFER_OF_HELP, question)]
    if asked and not (ended and says(hearing.ANYTHING_ELSE, asked[-1])):
        reply = _with_answers("", asked, errand, story)
        if reply.text == NOTHING_ELSE:
            return _end(f"{NOTHING_ELSE} Goodbye.", "done: nothing else needed")
        return Reply(reply.text, (*noted, *reply.calls))
    answered = errand.kind == "ask" and hearing.informs(news, content(errand.purpose))
    bare = story.exchanges == 0 and len(news.split()) <= 3 and not says(f"{hearing.WEAK}|{hearing.REFUSAL}", news)
    if (bare or says(hearing.GREETING, news)) and not (settled or ended or answered):
        return Reply(sentence(errand.purpose))
    if says(hearing.REFUSAL, news) and not settled and errand.kind != "ask":
        return _refused(errand, story)
    pending = next_step(errand, story)
    if ended or (settled and (errand.kind != "order" or not pending or "confirm" in pending)):
        confirmed = settled or any(says(hearing.STRONG, each) for each in story.heard)
        reason = "done: the callee confirmed" if confirmed else "the callee said goodbye"
        return _end(THANKS, reason, noted)
    if errand.kind == "ask":
        if answered:
            return _end("Thank you, that is what I wanted to know. Goodbye.", "done: the question is answered")
        return Reply(sentence(errand.purpose))
    if errand.kind == "report" and says(hearing.WEAK, news) and len(story.said) > 1:
        return _end(THANKS, "done: the callee heard it")
    if pending:
        return Reply(pending, noted)
    if not says(hearing.WEAK, news) and story.said[-1:] != [ALL_RIGHT]:
        return Reply(ALL_RIGHT, noted)
    return _end(THANKS, "everything was said", noted)


def _refused(errand: Errand, story: Story) -> Reply:
    """A first no is met with a question, a second is taken."""
    question = ANY_OTHER_TIME if errand.kind in ("book", "change") else ANYTHING_INSTEAD
    if errand.kind in ("report", "cancel") or {OTHER_TIME, ANY_OTHER_TIME, CHEAPER, ANYTHING_INSTEAD} & set(story.said):
        return _end("I understand. Thank you for your time, goodbye.", "declined by the callee")
    return Reply(question)
