"""From the documents of an errand to what the conversation is told about it."""

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from floyd import lines
from floyd.carrier import talk_limit_s
from floyd.facts import filled
from floyd.mandate import Mandate
from floyd.money import Money
from relay.admission import Admitted
from relay.core.actions import AskPerson, QuestionKind
from relay.core.brief import LIMIT_S, Brief
from relay.core.policy import Policy
from relay.prompt import RULES

EARLIER_TURNS = 12  # of an earlier call the model is told the end: where this one goes on


def brief_for(admitted: Admitted, lasted_s: float = 0.0) -> Brief:
    """The brief of an admitted call that other relays held for `lasted_s` so far."""
    request, person = admitted.errand.request, admitted.person
    plan = request.plan
    assert plan is not None  # no request is dialled without a plan
    plan = filled(plan, request.release)
    mandate = Mandate.from_json(request.mandate.model_dump()) if request.mandate else Mandate()
    earlier = admitted.earlier_turns
    talk = " / ".join(f"{turn.speaker}: {turn.heard}" for turn in earlier[-EARLIER_TURNS:] if turn.heard)
    answers = [
        f'your person answered "{question.answer}" to "{question.text}"'
        for _, question in admitted.questions
        if question.status == "answered" and question.answer
    ]
    line_s = max(0.0, talk_limit_s(person) - lasted_s)
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
        heard_before=tuple(turn.heard for turn in earlier if turn.speaker == "callee" and turn.heard),
        notes=(*answers, *([f"earlier call said: {talk}"] if earlier else [])),
        prior=admitted.prior_turns,
        line=admitted.call.line if admitted.epoch > 1 else "unknown",
        held_s=admitted.call.held_s if admitted.epoch > 1 else 0.0,
        asked=_asked(admitted, mandate),
        line_s=line_s,
        limit_s=line_s if "call_minutes" in person.limits else LIMIT_S,
    )


def local_time(zone: str) -> str:
    """Now, in the person's zone, RFC 3339; UTC when the zone is unknown here."""
    now = datetime.now(UTC)
    with suppress(ZoneInfoNotFoundError, ValueError):
        now = now.astimezone(ZoneInfo(zone))
    return now.isoformat(timespec="seconds")


def _asked(admitted: Admitted, mandate: Mandate) -> AskPerson | None:
    """The question of this very call that is still open: the relay that asked it is gone."""
    for name, question in admitted.questions:
        if question.attempt == admitted.key.attempt and question.status == "open":
            amount = Money.of(question.offer, mandate.max_amount.currency) if question.offer else None
            kind = QuestionKind(question.kind)
            return AskPerson(name, question.text, tuple(question.choices), kind, amount, Policy().answer_s)
    return None
