"""What the model says and does in a reply, and what happens when it does not."""

import re
from dataclasses import replace

from floyd import lines
from floyd.money import find_amounts
from relay.core import asking, closing
from relay.core import events as ev
from relay.core.actions import PrepareSpeech, QuestionKind
from relay.core.guards import Ask, Pass, Replace, Setting, Verdict, guard, keys_allowed
from relay.core.outcome import Outcome
from relay.core.phrases import says_goodbye
from relay.core.state import Phase, Reply, State


def ahead(state: State, event: ev.FromMind, now: float) -> None:
    """What comes of a reply while the callee's turn is not over is kept; its first clause is made ready to be said."""
    reply = state.speculation
    if reply is None or reply.reply_id != event.reply_id:
        return
    if isinstance(event, ev.ReplyFailed):
        state.drop_speculation()
        return
    if isinstance(event, ev.ReplyText) and reply.first_text_at is None:
        reply.first_text_at = now
        if isinstance(guard(event.text, setting(state, reply)), Pass):
            state.actions.append(PrepareSpeech(event.text))
    reply.early.append(event)


def take(state: State, event: ev.FromMind, now: float) -> None:
    """What comes of the open reply. Anything of another one is stale and changes nothing."""
    reply = state.reply
    if reply is None or reply.reply_id != event.reply_id:
        return
    reply.waiting_since = now
    begins = isinstance(event, ev.ReplyText) and not reply.said and not state.ledger.outstanding
    if isinstance(event, ev.ReplyText):
        state.reached("first_text", now)
    if reply.early or (begins and state.voice_since is not None):
        # We do not begin to talk over somebody: all of it waits for quiet.
        reply.held_since = reply.held_since if reply.early else now
        reply.early.append(event)
    else:
        _carry_out(state, reply, event, now)


def catch_up(state: State, now: float) -> None:
    """The turn has ended as we had thought, the callee is quiet, or their voice brought no words."""
    reply = state.reply
    assert reply is not None
    early, reply.early = reply.early, []
    for event in early:
        if state.reply is reply:
            _carry_out(state, reply, event, now)


def _carry_out(state: State, reply: Reply, event: ev.FromMind, now: float) -> None:
    match event:
        case ev.ReplyText():
            _say(state, reply, event.text, now)
        case ev.ReplyFinished() | ev.ReplyFailed():
            _conclude(state, reply, now)
        case ev.EndCallRequested():
            # Its farewell may still follow, so the reply stays open; the closing deadline bounds it.
            reply.ends_call = True
            closing.close(state, Outcome.DONE, None, now, reopenable=True, keep_reply=True)
        case ev.FactNoted():
            reply.noted += 1
            state.progress.noted()
            if (event.key, event.value) not in state.noted:
                state.noted.append((event.key, event.value))
                state.log.note(f"you noted {event.key}.")
        case ev.KeysRequested() if state.phase is Phase.ACTIVE:
            if keys_allowed(event.digits, setting(state, reply)) and _another_tool_round(state):
                reply.acted = True
                state.press(event.digits, reply, now)
            else:
                reply.noted += 1
                state.log.note(f"the keys {event.digits} were refused: they may not be pressed here.")
        case ev.AskRequested() if state.phase is Phase.ACTIVE:
            reply.acted = True
            if not reply.said:
                state.say(lines.LET_ME_CHECK, now, reply=reply)
            named = [each.largest for each in find_amounts(event.question, currency=state.mandate.max_amount.currency)]
            beyond = [amount for amount in named if not state.mandate.allows(amount)]
            # Only a question about this very amount lets a yes widen the mandate.
            most = max(beyond, key=lambda amount: amount.amount, default=None)
            kind = QuestionKind.MANDATE if most else QuestionKind.APPROVAL if event.choices else QuestionKind.FACT
            asking.ask(state, event.question, now, kind=kind, choices=event.choices, amount=most)


def _say(state: State, reply: Reply, segment: str, now: float) -> None:
    """The guards have the last word."""
    if reply.said >= state.policy.reply_segments:
        state.cancel_reply()
        return
    match _judged(segment, setting(state, reply)):
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


def _judged(segment: str, here: Setting) -> Verdict:
    """Also as the end of its sentence: what may not be said in one piece may not be said in two."""
    begun = re.split(r"(?<=[.!?])\s+", here.said_before)[-1]
    verdict = guard(segment, here)
    if isinstance(verdict, Pass) and begun and not begun.endswith((".", "!", "?")):
        return guard(f"{begun} {segment}", replace(here, said_before=here.said_before.removesuffix(begun)))
    return verdict


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
        _try_again(state, now)


def _another_tool_round(state: State) -> bool:
    state.tool_rounds += 1
    state.tool_rounds_in_call += 1
    few = state.tool_rounds_in_call <= state.policy.tool_rounds_per_call
    return few and state.tool_rounds <= state.policy.tool_rounds_per_turn


def _try_again(state: State, now: float) -> None:
    """Nothing came of the reply: think again, and in the end apologise."""
    state.attempts += 1
    if not state.line.converses:
        state.thinking_since = None  # a menu that offers nothing of use is answered by silence
    elif state.attempts < state.policy.reply_attempts:
        state.start_reply(now)
    else:
        closing.close(state, Outcome.VENDOR_FAILED, lines.APOLOGY, now)


def overdue(state: State, now: float) -> None:
    """The model has been silent too long. What it said, it said."""
    reply = state.reply
    assert reply is not None
    state.cancel_reply()
    _conclude(state, reply, now)


def filler(state: State, now: float) -> None:
    """The callee waits in silence."""
    state.say(lines.FILLERS[state.fillers % len(lines.FILLERS)], now)
    state.fillers += 1
