"""Texts from people: answers to Floyd's questions, wishes to be left alone, and strangers who ask who rang."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from floyd import texting
from floyd.documents import Question
from floyd.lifecycle.before_the_call import QuestionAnswered
from floyd.store import Store, name_of
from functions.live_calls import pass_on
from functions.parts import Parts

Open = tuple[str, str, Question]
# What the person is told of an answer that did not count.
_IN_VAIN = {"closed": texting.CLOSED, "needs_app": texting.APP_NEEDED, "card_number": texting.NO_CARDS}


async def receive_text(form: Mapping[str, str], parts: Parts) -> str:
    """Act on one text; the reply, empty for none. A copy of a text changes nothing and is not replied to."""
    number, sid = form.get("From", ""), form.get("MessageSid", "")
    delivery = f"text-{name_of(sid)}"
    if not number or not sid or not await parts.store.first_delivery(delivery, parts.now):
        return ""
    try:
        return await _reply(number, form.get("Body", ""), "OptOutType" in form, parts)
    except Exception:
        # Not acted on: the carrier's next delivery must count as the first.
        await parts.store.delete(f"deliveries/{delivery}")
        raise


async def who_rang_last(number: str, store: Store) -> str | None:
    """The name of the person for whom this number was called last; empty if they gave none, None if it never was."""
    callee = await store.callee_at(number)
    return None if callee.last_uid is None else (await store.person(callee.last_uid)).name


async def _reply(number: str, body: str, carrier_replies: bool, parts: Parts) -> str:
    """`carrier_replies`: the carrier has confirmed a stop or start itself, a second confirmation would be noise."""
    meant, known = texting.read(body), await parts.store.person_by_number(number)
    if not isinstance(meant, texting.Words):
        words = await _command(meant, number, known is not None, parts)
        return "" if carrier_replies and meant != "help" else words
    if known is None:
        return texting.stranger(await who_rang_last(number, parts.store))
    uid = known[0]
    still_open = await parts.store.open_questions(uid)
    if len(still_open) == 1:
        return await _answer(uid, still_open[0], meant.text, parts)
    return await _pick(uid, number, meant, still_open, parts)


async def _command(meant: texting.Command, number: str, is_user: bool, parts: Parts) -> str:
    """A person who uses Floyd stops or starts its texts; a stranger stops or allows calls as well."""
    if meant == "help":
        return texting.HELP if is_user else texting.HELP_STRANGER
    stop = meant == "stop"
    if is_user:
        await parts.store.set_no_texts(number, stop)
        return texting.STOPPED if stop else texting.STARTED
    await parts.store.set_do_not_call(number, stop, parts.now)
    return texting.STOPPED_STRANGER if stop else texting.STARTED


async def _pick(uid: str, number: str, meant: texting.Words, still_open: Sequence[Open], parts: Parts) -> str:
    """Several questions are open, or none: the number in front says which of the list texted last is answered.

    Numbers refer to that list, never to what is open at this moment, so an answer cannot slip to another question.
    """
    asked = (await parts.store.callee_at(number)).asked
    if meant.number is not None and 1 <= meant.number <= len(asked):
        wanted = asked[meant.number - 1]
        found = next((each for each in still_open if f"{each[0]}/{each[1]}" == wanted), None)
        return texting.CLOSED if found is None else await _answer(uid, found, meant.rest, parts)
    if not still_open:
        return texting.NOTHING_OPEN
    await parts.store.note_asked(number, [f"{rid}/{name}" for rid, name, _ in still_open])
    return texting.numbered([question for _, _, question in still_open])


async def _answer(uid: str, asked: Open, said: str, parts: Parts) -> str:
    """Settle one question. What money may be allowed by text is decided with every other rule of the request."""
    rid, name, question = asked
    answer = texting.chosen_answer(question, said)
    if not answer:
        return texting.question(question)
    moved = await parts.store.move(uid, rid, QuestionAnswered(name, answer, "sms"), parts.now)
    if moved.answer == "live":
        await pass_on(moved.errand, name, answer, parts)
    return _IN_VAIN.get(moved.answer or "", texting.ANSWERED)
