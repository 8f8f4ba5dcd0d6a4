"""What the model says and does in a reply, and what happens when it does not."""

from collections.abc import Callable
from dataclasses import replace

from floyd import lines
from floyd.money import find_amounts
from relay.core import asking, closing
from relay.core.actions import PrepareSpeech, QuestionKind
from relay.core.events import (
    AskRequested,
    EndCallRequested,
    FactNoted,
    KeysRequested,
    ReplyFailed,
    ReplyFinished,
    ReplyText,
)
from relay.core.guards import Ask, Pass, Replace, Setting, guard, keys_allowed
from relay.core.outcome import Outcome
from relay.core.phrases import says_goodbye
from relay.core.state import Phase, Reply, State

ReplyEvent = ReplyText | ReplyFinished | ReplyFailed | EndCallRequested | KeysRequested | AskRequested | FactNoted


def _open_reply(state: State, event: ReplyEvent, now: float) -> Reply | None:
    """The open reply if the event is about it; a stale event changes nothing."""
    reply = state.reply
    if reply is None or reply.reply_id != event.reply_id or reply.finished:
        return None
    reply.waiting_since = now
    return reply


def ahead(state: State, event: ReplyEvent, now: float) -> None:
    """What comes of a reply while the callee's turn is not over is kept; its first clause is made ready to be said."""
    reply = state.speculation
    if reply is None or reply.reply_id != event.reply_id:
        return
    if isinstance(event, ReplyFailed):
        state.drop_speculation()
        return
    if isinstance(event, ReplyText) and reply.first_text_at is None:
        reply.first_text_at = now
        if isinstance(guard(event.text, setting(state, reply)), Pass):
            state.actions.append(PrepareSpeech(event.text))
    reply.early.append(event)


def catch_up(state: State, now: float) -> None:
    """The turn is over and the reply is the one we thought ahead: it has all been said just now."""
    assert state.reply is not None
    early, state.reply.early = state.reply.early, []
    for event in early:
        _TAKES[type(event)](state, event, now)


def text(state: State, event: ReplyText, now: float) -> None:
    """One segment. While the callee makes a sound, a reply that has not begun is held back."""
    reply = _open_reply(state, event, now)
    if reply is None:
        return
    _note_first_text(state, now)
    if reply.held or (state.voice_since is not None and not reply.said and not state.ledger.outstanding):
        reply.held_since = reply.held_since if reply.held else now
        reply.held.append(event.text)
    else:
        _say(state, reply, event.text, now)


def _note_first_text(state: State, now: float) -> None:
    if state.stages:
        state.stages = replace(state.stages, first_text=state.stages.first_text or now)
    elif (turn := state.log.last_spoken_turn) and turn.stages:
        turn.stages = replace(turn.stages, first_text=turn.stages.first_text or now)


def release_held(state: State, now: float) -> None:
    """The callee is quiet, or their voice brought no words."""
    reply = state.reply
    assert reply is not None
    held, reply.held = reply.held, []
    for segment in held:
        if state.reply is reply:
            _say(state, reply, segment, now)
    if state.reply is reply and reply.finished:
        _conclude(state, reply, now)


def _say(state: State, reply: Reply, segment: str, now: float) -> None:
    """The guards have the last word."""
    if reply.said >= state.policy.reply_segments:
        state.cancel_reply()
        return
    verdict = guard(segment, setting(state, reply))
    match verdict:
        case Pass():
            reply.text = f"{reply.text} {segment}".strip()
            state.say(segment, now, protected=reply.ends_call, reply=reply)
        case Replace(line, drops_rest):
            if not reply.refused:
                reply.refused = True
                state.say(line, now, reply=reply)
            if drops_rest:
                state.cancel_reply()
        case Ask(line, question, kind, amount):
            state.say(line, now, reply=reply)
            state.cancel_reply()
            asking.ask(state, question, now, kind=kind, amount=amount)


def setting(state: State, reply: Reply) -> Setting:
    """What this reply's segments are judged against, as things stand now."""
    return Setting(
        brief=state.brief,
        mandate=state.mandate,
        table=state.table.while_hearing(state.hearing.pending_text, state.mandate),
        heard=(*state.brief.heard_before, *state.log.callee_texts(), state.hearing.pending_text),
        answers=tuple(state.answers),
        said_before=reply.text,
        declined=tuple(state.declined),
    )


def ended(state: State, event: ReplyFinished | ReplyFailed, now: float) -> None:
    """The model is done, or broke off. What it said, it said; held segments are still to come."""
    reply = _open_reply(state, event, now)
    if reply is None:
        return
    reply.finished = True
    if not reply.held:
        _conclude(state, reply, now)


def _conclude(state: State, reply: Reply, now: float) -> None:
    """Every reply ends spoken, deliberately silent, or failed; there is no fourth."""
    state.reply = None
    if state.closing:
        if not reply.said:
            state.say(lines.FAREWELL, now, protected=True)
    elif reply.said:
        if says_goodbye(reply.text):
            closing.close(state, Outcome.DONE, None, now, reopenable=True)
    elif reply.acted:
        state.thinking_since = None
    elif reply.noted and _another_tool_round(state):
        state.start_reply(now)
    else:
        _failed(state, now)


def _another_tool_round(state: State) -> bool:
    state.tool_rounds += 1
    state.tool_rounds_in_call += 1
    return (
        state.tool_rounds <= state.policy.tool_rounds_per_turn
        and state.tool_rounds_in_call <= state.policy.tool_rounds_per_call
    )


def overdue(state: State, now: float) -> None:
    """The model has been silent too long. What it said, it said."""
    reply = state.reply
    assert reply is not None
    state.cancel_reply()
    _conclude(state, reply, now)


def _failed(state: State, now: float) -> None:
    """Nothing came of the reply: think again, and in the end apologise."""
    if state.closing:
        state.say(lines.FAREWELL, now, protected=True)
        return
    state.attempts += 1
    if not state.line.converses:
        state.thinking_since = None  # a menu that offers nothing of use is answered by silence
    elif state.attempts < state.policy.reply_attempts:
        state.start_reply(now)
    else:
        closing.close(state, Outcome.VENDOR_FAILED, lines.APOLOGY, now)


def filler(state: State, now: float) -> None:
    """The callee waits in silence."""
    state.say(lines.FILLERS[state.fillers % len(lines.FILLERS)], now)
    state.fillers += 1


# Tools


def end_call_requested(state: State, event: EndCallRequested, now: float) -> None:
    """Its farewell may still follow, so the reply stays open; the closing deadline bounds it."""
    if reply := _open_reply(state, event, now):
        reply.ends_call = True
        closing.close(state, Outcome.DONE, None, now, reopenable=True, keep_reply=True)


def keys_requested(state: State, event: KeysRequested, now: float) -> None:
    reply = _open_reply(state, event, now)
    if reply is None or state.phase is not Phase.ACTIVE:
        return
    if reply.held:
        release_held(state, now)  # what was said before the keys sounds before them
        if state.reply is not reply:
            return
    if keys_allowed(event.digits, setting(state, reply)) and _another_tool_round(state):
        reply.acted = True
        state.press(event.digits, reply, now)
    else:
        reply.noted += 1
        state.log.note(f"the keys {event.digits} were refused: they may not be pressed here.")


def ask_requested(state: State, event: AskRequested, now: float) -> None:
    reply = _open_reply(state, event, now)
    if reply is None or state.phase is not Phase.ACTIVE:
        return
    reply.acted = True
    if not reply.said and not reply.held:
        state.say(lines.LET_ME_CHECK, now, reply=reply)
    named = [found.largest for found in find_amounts(event.question, currency=state.mandate.max_amount.currency)]
    if beyond := [amount for amount in named if not state.mandate.allows(amount)]:
        # Only a question about this very amount lets a yes widen the mandate.
        most = max(beyond, key=lambda amount: amount.amount)
        asking.ask(state, event.question, now, kind=QuestionKind.MANDATE, choices=event.choices, amount=most)
        return
    kind = QuestionKind.APPROVAL if event.choices else QuestionKind.FACT
    asking.ask(state, event.question, now, kind=kind, choices=event.choices)


def fact_noted(state: State, event: FactNoted, now: float) -> None:
    reply = _open_reply(state, event, now)
    if reply is None:
        return
    reply.noted += 1
    state.progress.noted()
    if (event.key, event.value) not in state.noted:
        state.noted.append((event.key, event.value))
        state.log.note(f"you noted {event.key}.")


_TAKES: dict[type[object], Callable[..., None]] = {
    ReplyText: text,
    ReplyFinished: ended,
    EndCallRequested: end_call_requested,
    KeysRequested: keys_requested,
    AskRequested: ask_requested,
    FactNoted: fact_noted,
}
