"""Asking the person. The app shows every open question anyway; a text is how they notice."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from floyd import texting
from floyd.answers import fact_key
from floyd.carrier import Carrier
from floyd.documents import Question
from floyd.english import patterns
from floyd.errors import VendorError
from floyd.lifecycle.before_the_call import QuestionAsked
from floyd.store import Store

log = logging.getLogger(__name__)

_PAYMENT = patterns("answers")["payment_data"]


async def ask_in_call(
    uid: str, rid: str, name: str, question: Question, *, number: str, store: Store, carrier: Carrier, from_: str
) -> None:
    """Put what the callee wants to know to the person, into the app and by text. Safe to repeat."""
    facts = await store.facts(uid, datetime.now(UTC))
    question = asked_by_callee(question, (fact.key for fact in facts if fact.share == "never"))
    moved = await store.move(uid, rid, QuestionAsked(question.attempt, name, question))
    if moved.ignored is None:
        await ask_by_text(rid, [(name, question)], number=number, store=store, carrier=carrier, from_=from_)


def asked_by_callee(question: Question, never: Iterable[str]) -> Question:
    """The question as the person sees it: marked as a stranger's, with a warning of what should not be told.

    `never`: keys of facts that may never be told.
    """
    said = question.text.casefold()
    words = set(re.findall(r"[a-z0-9]+", said))
    private = [key.replace("_", " ") for key in never if set(re.findall(r"[a-z0-9]+", key.casefold())) <= words]
    who = "They ask"
    if private:
        who = f"Careful, they ask for what you never share ({', '.join(private)})"
    elif _PAYMENT.search(said):
        who = "Careful, they ask for payment data"
    elif question.text.startswith("They "):
        return question  # Code's own words about what the callee offers.
    quoted = question.text.replace('"', "'")
    key = fact_key(question) if question.kind == "fact" else question.key
    return question.model_copy(update={"text": f'{who}: "{quoted}"', "key": key})


async def ask_by_text(
    rid: str, asked: Sequence[tuple[str, Question]], *, number: str, store: Store, carrier: Carrier, from_: str
) -> bool:
    """Text these open questions of one request to the person's verified number; False when they cannot be texted.

    Empty numbers and people who replied STOP are never texted. A text that fails is not sent again: Twilio may have
    sent it, and the question is open in the app.
    """
    if not asked or not number or not from_ or (await store.callee_at(number)).no_texts:
        return False
    questions = [question for _, question in asked]
    if len(asked) > 1:
        await store.note_asked(number, [f"{rid}/{name}" for name, _ in asked])
    body = texting.question(questions[0]) if len(asked) == 1 else texting.numbered(questions)
    try:
        return await carrier.send_text(to=number, from_=from_, body=body)
    except VendorError as error:
        log.warning("a question could not be texted", extra={"rid": rid, "code": error.code})
        return False
