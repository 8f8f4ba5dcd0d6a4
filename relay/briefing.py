"""From the documents of an errand to what the conversation is told about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from floyd import documents, lines
from floyd.documents import Question
from floyd.facts import filled
from floyd.mandate import Mandate
from floyd.money import Money
from relay.admission import Admitted
from relay.core.actions import AskPerson, QuestionKind
from relay.core.brief import Brief
from relay.core.policy import Policy
from relay.core.transcript import Speaker, Turn
from relay.prompt import RULES

EARLIER_TURNS = 12
"""Of an earlier call the model is told the end: where this one goes on."""


def brief_for(admitted: Admitted) -> Brief:
    """The brief of an admitted call."""
    request, person = admitted.errand.request, admitted.person
    plan = request.plan
    assert plan is not None  # no request is dialled without a plan
    plan = filled(plan, request.release)
    mandate = Mandate.from_json(request.mandate.model_dump()) if request.mandate else Mandate.nothing()

    return Brief(
        goal=plan.goal,
        on_behalf_of=lines.caller(person.name),
        opening=(*lines.disclosure(person.name), plan.opening),
        mandate=mandate,
        callee=plan.callee.name,
        release={fact.key: fact.value for fact in request.release},
        steps=tuple(plan.steps),
        done_when=tuple(plan.done_when),
        questions=tuple(plan.questions),
        voicemail=plan.voicemail,
        confidential=(RULES,),
        heard_before=tuple(
            turn.heard
            for _, turn in admitted.turns
            if turn.call < admitted.key.attempt and turn.speaker == "callee" and turn.heard
        ),
        notes=(*_answers(question for _, question in admitted.questions), *_earlier(admitted)),
        prior=prior_turns(admitted),
        line=admitted.errand.call.line if admitted.errand.call and admitted.epoch > 1 else "unknown",
        asked=_asked(admitted, mandate),
    )


def first_seq(admitted: Admitted) -> int:
    """How many turns earlier calls of the request left; numbers go on from there."""
    return max((seq for seq, turn in admitted.turns if turn.call < admitted.key.attempt), default=0)


def prior_turns(admitted: Admitted) -> tuple[Turn, ...]:
    """What this very call has said before it came to this relay."""
    first = first_seq(admitted)
    own = [(seq, turn) for seq, turn in admitted.turns if turn.call == admitted.key.attempt]
    return tuple(_turn(number, turn) for number, (seq, turn) in enumerate(own, 1) if seq > first)


def local_time(zone: str) -> str:
    """Now, in the person's zone, RFC 3339; UTC when the zone is unknown here."""
    now = datetime.now(UTC)
    with suppress(ZoneInfoNotFoundError, ValueError):
        now = now.astimezone(ZoneInfo(zone))
    return now.isoformat(timespec="seconds")


def _turn(seq: int, turn: documents.Turn) -> Turn:
    return Turn(
        seq=seq,
        speaker=Speaker(turn.speaker),
        heard=turn.heard,
        start_ms=turn.start_ms,
        end_ms=turn.end_ms,
        planned=turn.planned or "",
        sent=turn.sent or "",
        cut=turn.cut,
    )


def _asked(admitted: Admitted, mandate: Mandate) -> AskPerson | None:
    """The question of this very call that is still open: the relay that asked it is gone."""
    for name, question in admitted.questions:
        if question.attempt == admitted.key.attempt and question.status == "open":
            amount = Money.of(question.offer, mandate.max_amount.currency) if question.offer else None
            kind = QuestionKind(question.kind)
            return AskPerson(name, question.text, tuple(question.choices), kind, amount, Policy().answer_s)
    return None


def _answers(questions: Iterable[Question]) -> list[str]:
    return [
        f'your person answered "{question.answer}" to "{question.text}"'
        for question in questions
        if question.status == "answered" and question.answer
    ]


def _earlier(admitted: Admitted) -> list[str]:
    said: Sequence[documents.Turn] = [turn for _, turn in admitted.turns if turn.call < admitted.key.attempt]
    if not said:
        return []
    talk = " / ".join(f"{turn.speaker}: {turn.heard}" for turn in said[-EARLIER_TURNS:] if turn.heard)
    return [f"earlier call said: {talk}"]
