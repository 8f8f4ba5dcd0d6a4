"""The person is asked while the callee is kept company."""

from floyd import lines
from floyd.english import patterns
from floyd.money import Money, find_amounts
from relay.core import closing
from relay.core.actions import AskPerson, QuestionKind
from relay.core.events import PersonAnswered
from relay.core.outcome import Outcome
from relay.core.phrases import lowered
from relay.core.state import Phase, State

_SAYS = patterns("answers")


def ask(
    state: State,
    question: str,
    now: float,
    *,
    kind: QuestionKind,
    choices: tuple[str, ...] = (),
    amount: Money | None = None,
) -> None:
    """Put a question to the person. One at a time: while one is open, others wait to be asked again."""
    if state.inquiry or state.phase is not Phase.ACTIVE:
        return
    state.questions += 1
    if state.questions > state.policy.questions:
        no_answer(state, now)
        return
    question_id = f"{state.log.next_seq}-{state.questions}"
    state.inquiry = AskPerson(question_id, question, choices, kind, amount, state.policy.answer_s)
    state.asked_at = now
    state.actions.append(state.inquiry)


def ask_to_wait(state: State, now: float, limit_s: float) -> None:
    """The time on hold that the person allowed, `limit_s`, is nearly over. They see it, and may allow as much again."""
    state.line.count_hold(now)
    question = lines.go_on_waiting(state.brief.held_s + state.line.held_s, limit_s)
    state.line.question = f"{lines.WAITING}{state.log.next_seq}-{state.line.extensions}"
    about = (("yes", "no"), QuestionKind.APPROVAL, None, state.policy.answer_s)
    state.actions.append(AskPerson(state.line.question, question, *about))
    state.save()


def _wait_answered(state: State, answer: str, now: float) -> None:
    state.line.question = ""
    if _SAYS["keeps_waiting"].search(lowered(answer.strip())):
        state.line.extensions += 1
    else:
        closing.close(state, Outcome.HOLD_LIMIT, None, now)


def person_answered(state: State, event: PersonAnswered, now: float) -> None:
    """The model goes on with the answer at the next gap. An answer after the bail is for the next call."""
    inquiry = state.inquiry
    if event.question_id == state.line.question and state.phase is Phase.ACTIVE:
        _wait_answered(state, event.answer, now)
    if inquiry is None or inquiry.question_id != event.question_id or state.phase is not Phase.ACTIVE:
        return
    state.inquiry = None
    state.company = 0
    state.answers.append(event.answer)
    state.log.note(f'your person answered "{event.answer}" to "{inquiry.question}"')
    if inquiry.kind is QuestionKind.MANDATE and inquiry.amount:
        allowed = allowed_amount(event.answer, inquiry.amount)
        if allowed is None or allowed.amount < inquiry.amount.amount:
            state.declined.append(inquiry.amount)
        if allowed and (state.mandate.max_amount.amount < allowed.amount):
            state.mandate = state.mandate.with_amount(allowed)
    state.reply_due = True
    state.drop_speculation()  # it was thought without this answer
    state.fillers = state.attempts = 0


def allowed_amount(answer: str, asked: Money) -> Money | None:
    """How much the person allows, asked whether `asked` is all right; None: nothing was allowed.

    "Yes" allows what was asked, "up to 100" and "no more than 100" allow 100, "no" nothing.
    """
    said = lowered(answer)
    declined = bool(_SAYS["declines"].search(said))
    amounts = find_amounts(answer, currency=asked.currency, price_context=True)
    named = [amount.largest for amount in amounts if amount.largest.currency == asked.currency]
    if named and (_SAYS["limit"].search(said) or not declined):
        return min(named, key=lambda money: money.amount)
    return None if declined else asked


def keep_company(state: State, now: float) -> None:
    """A short line, never the same twice in a row, so that the wait does not sound like a dead line."""
    state.say(lines.COMPANY[state.company % len(lines.COMPANY)], now)
    state.company += 1


def no_answer(state: State, now: float) -> None:
    """Long enough: promise to call back, which a late answer will bring about."""
    closing.close(state, Outcome.NEEDS_ANSWER, lines.BAIL, now)
