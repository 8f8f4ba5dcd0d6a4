"""Texts to Floyd, through the signed route: each acts once, on the question that it means."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import count

from floyd import texting
from floyd.documents import Call, Person, Question, Status
from floyd.store import request_path
from tests.functions.conftest import FLOYD, Stage
from tests.functions.test_carrier import send

TOM, STRANGER = "+13125550188", "+13125550177"
SIDS = count()


async def text(stage: Stage, body: str, *, from_: str = TOM, sid: str = "", **more: str) -> str:
    """What the network would send to whoever texted: the reply's TwiML."""
    form = {"From": from_, "To": FLOYD, "Body": body, "MessageSid": sid or f"SM{next(SIDS)}"} | more
    answer = await send(stage, "/sms", form)
    assert answer.status == 200
    return answer.body


async def ask(
    stage: Stage, rid: str, words: str, *, kind: str = "fact", choices: tuple[str, ...] = (), offer: str | None = None
) -> None:
    """A request that waits for Tom's answer."""
    await stage.store.put("users/tom", Person(name="Tom Baker", number=TOM))
    await stage.ready(rid, stage.number(0), status=Status.WAITING, open_questions=["q1"])
    question = Question.model_validate(
        {
            "text": words,
            "kind": kind,
            "choices": list(choices),
            "offer": offer,
            "deadline": stage.now + timedelta(days=7),
            "created_at": stage.now,
        }
    )
    await stage.store.put(f"{request_path('tom', rid)}/questions/q1", question)


async def answer_to(stage: Stage, rid: str) -> str | None:
    question = await stage.store.question("tom", rid, "q1")
    assert question is not None
    return question.answer


async def test_the_one_open_question_is_answered_once(stage: Stage) -> None:
    """Fails if an answer by text is lost, or copies of it answer something else."""
    await ask(stage, "r1", "Which school?")
    replies = await asyncio.gather(*(text(stage, "Lincoln Elementary", sid="SM-same") for _ in range(5)))
    assert sum(texting.ANSWERED in reply for reply in replies) == 1
    assert sum("<Message" in reply for reply in replies) == 1
    question = await stage.store.question("tom", "r1", "q1")
    assert question is not None
    assert (question.status, question.answer, question.via) == ("answered", "Lincoln Elementary", "sms")
    request = (await stage.errand("r1")).request
    assert (request.status, request.attempt) == (Status.PLANNING, 2)
    assert texting.NOTHING_OPEN in await text(stage, "Lincoln Elementary")


async def test_a_choice_may_be_a_number(stage: Stage) -> None:
    """Fails if "2" reaches the errand as a number instead of the choice."""
    await ask(stage, "r1", "Red or white?", choices=("red", "white"))
    await text(stage, "2")
    assert await answer_to(stage, "r1") == "white"


async def test_a_card_number_goes_nowhere(stage: Stage) -> None:
    """Fails if a person can be talked into having Floyd read their card to a stranger."""
    await ask(stage, "r1", "What is the card number?")
    assert texting.NO_CARDS in await text(stage, "it is 4111 1111 1111 1111")
    assert (await stage.errand("r1")).request.release == []
    assert await answer_to(stage, "r1") is None


async def test_several_questions_are_told_apart_by_the_list_that_was_sent(stage: Stage) -> None:
    """Fails if an answer slips to another question because one was closed in the meantime."""
    for rid, words in (("r1", "Which school?"), ("r2", "Which dentist?"), ("r3", "Which florist?")):
        await ask(stage, rid, words)
    listed = await text(stage, "Lincoln")
    numbers = {rid: listed.index(words) for rid, words in (("r1", "school"), ("r2", "dentist"), ("r3", "florist"))}
    order = sorted(numbers, key=lambda rid: numbers[rid])
    assert await answer_to(stage, "r1") is None
    assert texting.ANSWERED in await text(stage, "2 Smith")
    assert await answer_to(stage, order[1]) == "Smith"
    assert texting.CLOSED in await text(stage, "2: Miller")
    assert await answer_to(stage, order[1]) == "Smith"
    await text(stage, "1. Jones")
    assert await answer_to(stage, order[0]) == "Jones"
    assert "Which question" not in await text(stage, "Baker"), "one is left, so no number is needed"
    assert await answer_to(stage, order[2]) == "Baker"


async def test_a_text_alone_does_not_allow_more_money(stage: Stage) -> None:
    """Fails if whoever can forge a sender's number can spend the person's money."""
    await ask(stage, "r1", "They ask 560 dollars. Is that all right?", kind="mandate", offer="560")
    assert "app" in await text(stage, "yes")
    assert await answer_to(stage, "r1") is None
    assert (await stage.errand("r1")).request.status is Status.WAITING
    assert texting.ANSWERED in await text(stage, "no")


async def test_an_answer_during_the_call_reaches_its_relay(stage: Stage) -> None:
    """Fails if the callee waits on the line for an answer that was given."""
    await ask(stage, "r1", "Which teacher?")
    request = (await stage.errand("r1")).request.model_copy(update={"status": Status.TALKING})
    fields = {"to": stage.number(0), "from": FLOYD, "status": "in-progress", "relay_url": stage.relays[0].url}
    call = Call.model_validate(fields)
    await stage.store.put(request_path("tom", "r1"), request)
    await stage.store.put(f"{request_path('tom', 'r1')}/calls/1", call)
    await text(stage, "Mrs. Reed")
    [(_, command)] = await stage.store.inbox(stage.relays[0].url)
    assert (command.kind, command.question, command.answer) == ("answer", "q1", "Mrs. Reed")


async def test_strangers_learn_who_rang_and_can_stop_it_for_ever(stage: Stage) -> None:
    """Fails if a callee's STOP does not keep every person's calls away, or START does not undo it."""
    number = stage.number(1)
    await stage.store.put("users/tom", Person(name="Tom Baker", number=TOM))
    await stage.store.note_ring(number, "tom", stage.now)
    assert "for Tom Baker" in await text(stage, "who is this?", from_=number)
    assert "no record" in await text(stage, "who is this?", from_=STRANGER)
    assert "STOP" in await text(stage, "HELP", from_=number)
    assert "never be called" in await text(stage, "Stop.", from_=number)
    await stage.ring("r1", number)
    outcome = (await stage.errand("r1")).request.outcome
    assert outcome is not None
    assert outcome.category == "do_not_call"
    assert "<Message" not in await text(stage, "START", from_=number, OptOutType="START"), "the carrier has replied"
    assert await stage.ring("r2", number) == "rings"


async def test_a_persons_stop_ends_texts_and_nothing_else(stage: Stage) -> None:
    """Fails if STOP from somebody who uses Floyd answers a question or cancels an errand."""
    await ask(stage, "r1", "Shall I cancel the appointment?")
    assert texting.STOPPED in await text(stage, "CANCEL")
    known = await stage.store.callee_at(TOM)
    assert known.no_texts
    assert not known.do_not_call
    assert await answer_to(stage, "r1") is None
    assert texting.STARTED in await text(stage, "start")
    assert not (await stage.store.callee_at(TOM)).no_texts


async def test_texts_without_words_or_sender(stage: Stage) -> None:
    """Fails if an empty text or picture answers a question, or crashes the function."""
    await ask(stage, "r1", "Which school?")
    assert "Which school" in await text(stage, "  ")
    assert await answer_to(stage, "r1") is None
    assert "<Message" not in await text(stage, "hello", from_="")
