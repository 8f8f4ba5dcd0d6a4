"""Texts from people: answers to Floyd's questions, wishes to be left alone, and strangers who ask who rang."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from floyd import texting
from floyd.documents import Question
from floyd.lifecycle.events import QuestionAnswered
from floyd.store import Store, name_of
from functions.live_calls import pass_on

Open = tuple[str, str, Question]


async def receive_text(form: Mapping[str, str], *, store: Store, now: datetime) -> str:
    """Act on one text; the reply, empty for none. A copy of a text changes nothing and is not replied to."""
    number, sid = form.get("From", ""), form.get("MessageSid", "")
    delivery = f"text-{name_of(sid)}"
    if not number or not sid or not await store.first_delivery(delivery, now):
        return ""
    try:
        return await _reply(number, form.get("Body", ""), "OptOutType" in form, store, now)
    except Exception:
        # Not acted on: the carrier's next delivery must count as the first.
        await store.delete(f"deliveries/{delivery}")
        raise


async def who_rang_last(number: str, store: Store) -> str | None:
    """The name of the person for whom this number was called last; empty if they gave none, None if it never was."""
    callee = await store.callee_at(number)
    return None if callee.last_uid is None else (await store.person(callee.last_uid)).name


async def _reply(number: str, body: str, carrier_replies: bool, store: Store, now: datetime) -> str:
    """`carrier_replies`: the carrier has confirmed a stop or start itself, a second confirmation would be noise."""
    meant, known = texting.read(body), await store.person_by_number(number)
    if isinstance(meant, texting.Command):
        words = await _command(meant, number, known is not None, store, now)
        return "" if carrier_replies and meant.word != "help" else words
    if known is None:
        return texting.stranger(await who_rang_last(number, store))
    uid = known[0]
    still_open = await store.open_questions(uid)
    if len(still_open) == 1:
        return await _answer(uid, still_open[0], meant.text, store, now)
    return await _pick(uid, number, meant, still_open, store=store, now=now)


async def _command(meant: texting.Command, number: str, is_user: bool, store: Store, now: datetime) -> str:
    """A person who uses Floyd stops or starts its texts; a stranger stops or allows calls as well."""
    if meant.word == "help":
        return texting.HELP if is_user else texting.HELP_STRANGER
    stop = meant.word == "stop"
    if is_user:
        await store.set_no_texts(number, stop)
        return texting.STOPPED if stop else texting.STARTED
    await store.set_do_not_call(number, stop, now)
    return texting.STOPPED_STRANGER if stop else texting.STARTED


async def _pick(
    uid: str, number: str, meant: texting.Words, still_open: Sequence[Open], *, store: Store, now: datetime
) -> str:
    """Several questions are open, or none: the number in front says which of the list texted last is answered.

    Numbers refer to that list, never to what is open at this moment, so an answer cannot slip to another question.
    """
    asked = (await store.callee_at(number)).asked
    if meant.number is not None and 1 <= meant.number <= len(asked):
        wanted = asked[meant.number - 1]
        found = next((each for each in still_open if f"{each[0]}/{each[1]}" == wanted), None)
        return texting.CLOSED if found is None else await _answer(uid, found, meant.rest, store, now)
    if not still_open:
        return texting.NOTHING_OPEN
    await store.note_asked(number, [f"{rid}/{name}" for rid, name, _ in still_open])
    return texting.numbered([question for _, _, question in still_open])


async def _answer(uid: str, asked: Open, said: str, store: Store, now: datetime) -> str:
    """Settle one question. What money may be allowed by text is decided with every other rule of the request."""
    rid, name, question = asked
    answer = texting.chosen_answer(question, said)
    if not answer:
        return texting.question(question)
    moved = await store.move(uid, rid, QuestionAnswered(name, answer, "sms"), now)
    if moved.decision.answer == "closed":
        return texting.CLOSED
    if moved.decision.answer == "needs_app":
        return texting.APP_NEEDED
    if moved.decision.answer == "card_number":
        return texting.NO_CARDS
    if moved.decision.answer == "live":
        await pass_on(moved.errand, name, answer, store=store, now=now)
    return texting.ANSWERED
