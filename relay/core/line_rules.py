"""What follows from who is on the line: machines are heard out, held, answered or left a message; people converse.

A machine is known from its words as they come, or from a sound. That a person has taken over is known when words come
that no machine says; whoever takes over from a machine has not heard the opening, whatever was said before.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from itertools import takewhile

from floyd import lines
from relay.core import asking, closing, line_words
from relay.core.actions import RestEars, WakeEars
from relay.core.events import LineClassified
from relay.core.hearing import HeardTurn
from relay.core.line_kinds import Line, LineKind
from relay.core.log import SpokenTurn
from relay.core.outcome import Outcome
from relay.core.phrases import asks_to_hold
from relay.core.state import Floor, Opening, Phase, State

_ENOUGH = {LineKind.UNKNOWN: 0.7, LineKind.PERSON: 0.9}
"""How much must prove a machine: more once a person has spoken, less from one machine to the next."""
_ENOUGH_OF_ANOTHER = 0.5
_SUSPECT = 0.3
NOTE_MENU = (
    "a telephone menu is on the line, not a person. Choose what leads to the errand: call press_keys, or say nothing "
    "but the words it asks for."
)
NOTE_BACK = "the callee had put you on hold and is back."


# By words


def words_are_news(state: State) -> bool:
    pending = state.phase is Phase.ACTIVE and state.hearing.pending_text
    return bool(pending) and pending != state.line.judged


def judge_words(state: State, now: float) -> None:
    """The words so far may show a machine. A greeting in pieces counts as one until we have spoken."""
    line, pending = state.line, state.hearing.pending_text
    line.judged = pending
    text = " ".join((*(turn.text for turn in _heard_since_we_spoke(state) if line.converses), pending))
    kind, proof = line_words.machine(text)
    line.suspect = proof >= _SUSPECT and line.converses
    line.tone_due = line.tone_due or (not line.converses and line_words.tone_due(pending))
    enough = _ENOUGH.get(line.kind, _ENOUGH_OF_ANOTHER)
    if line.kind is LineKind.MENU and kind is LineKind.HOLD and _menu(state):
        enough = 1.0  # "or stay on the line" is one of its options
    if kind is line.kind or proof < enough or line.kind is LineKind.VOICEMAIL:
        return  # what a mailbox offers besides is not for us
    if kind is LineKind.TONE:
        if line.kind is LineKind.UNKNOWN:
            _tone(state, "intercept", now)
    elif proof > 1.0 or kind in (LineKind.SCREENING, LineKind.VOICEMAIL) or not line_words.addresses_us(pending):
        _become(state, kind, now)
        state.line.tone_due = line_words.tone_due(text)


def first_words(state: State, text: str, now: float) -> None:
    """Whoever greets us like a person is one until the contrary is heard."""
    if state.line.kind is LineKind.UNKNOWN and (not state.line.suspect or line_words.addresses_us(text)):
        _become(state, LineKind.PERSON, now)


def handled(state: State, turn: HeardTurn, now: float) -> bool:
    """Whether a turn of the callee needs no conversation, because a machine said it."""
    if state.closing:
        return False
    # Other words show one only by the pause after them, since machines pause in mid-sentence.
    tape = state.line.kind in (LineKind.TONE, LineKind.VOICEMAIL)
    addressed = line_words.addresses_us(line_words.after_machine(turn.text))
    person = line_words.picks_up(turn.text) if tape else addressed
    if person and not state.line.converses:
        _hand_over(state, turn.text, now)
    line = state.line
    if person or (line.converses and not (line.suspect and state.opening is not Opening.DONE)):
        line.suspect = False
        first_words(state, turn.text, now)
        state.line.undecided.clear()
        return False
    line.undecided.append(turn.text)
    if line.kind is LineKind.VOICEMAIL and line_words.mailbox_is_full(turn.text):
        closing.close(state, Outcome.VOICEMAIL_NO_MESSAGE, None, now)
    if line.kind is LineKind.SCREENING and line_words.machine(turn.text)[0] is LineKind.SCREENING:
        line.asked = min(line.answers + 1, state.policy.screening_answers)
    state.stages = None
    state.quiet_since = now
    return True


def _decide(state: State, now: float) -> bool:
    """Quiet after words that showed nothing: no machine says them, so a person did, who now waits for us."""
    line, turn, text = state.line, state.log.last_heard_turn, " ".join(state.line.undecided)
    line.undecided.clear()
    waits = asks_to_hold(turn.latest if turn else text)
    if not line.converses:
        known = line.kind is LineKind.HOLD and state.opening is Opening.DONE
        machine = line_words.machine(text)[1] >= _ENOUGH_OF_ANOTHER or line_words.announces(text)
        if machine or (waits and not known):
            return False
        _hand_over(state, text, now)
    elif state.opening is not Opening.DONE:
        _become(state, LineKind.PERSON, now)
        state.opening = Opening.WAITING
    state.holding = waits
    state.reply_due = state.opening is Opening.DONE and not waits
    return True


def _hand_over(state: State, text: str, now: float) -> None:
    """A person has turned up."""
    held = state.line.kind is LineKind.HOLD
    _become(state, LineKind.PERSON, now)
    if held and state.opening is Opening.DONE and not line_words.introduces(text):
        state.log.note(NOTE_BACK)
    else:
        state.opening, state.opening_cuts, state.opening_segments = Opening.WAITING, 0, []


def yields_to(state: State, over: str) -> bool:
    """Whether words said over our speech may take the floor: a person's only."""
    return state.line.converses or (state.line.kind is LineKind.VOICEMAIL and line_words.picks_up(over))


def _heard_since_we_spoke(state: State) -> list[HeardTurn]:
    since = takewhile(lambda entry: not (isinstance(entry, SpokenTurn) and entry.heard), reversed(state.log.entries))
    return [entry for entry in since if isinstance(entry, HeardTurn)][::-1]


# By sound


def classified(state: State, event: LineClassified, now: float) -> None:
    """A sound counts where it makes sense: music while we talk may be in the callee's room, a beep may be anything."""
    line = state.line
    away = state.holding or asks_to_hold(state.hearing.pending_text)
    talking = line.kind is LineKind.PERSON and not away and now - state.words_at < state.policy.words_prove_s
    if state.closing or (talking and event.kind in (LineKind.HOLD, LineKind.TONE)):
        return
    match event.kind:
        case LineKind.TONE:
            _tone(state, event.evidence, now)
        case LineKind.HOLD if line.kind not in (LineKind.HOLD, LineKind.VOICEMAIL):
            if line.kind is not LineKind.PERSON or state.floor in (Floor.LISTENING, Floor.ENDPOINTING):
                if state.hearing.pending:
                    state.close_turn(now)  # the last words before the music
                _become(state, LineKind.HOLD, now)
        case LineKind.VOICEMAIL if line.kind is LineKind.SCREENING and line.answers < line.asked:
            _answer_screening(state, now)
        case LineKind.VOICEMAIL if line.kind in (LineKind.VOICEMAIL, LineKind.UNKNOWN) or line.suspect:
            if line.kind is not LineKind.VOICEMAIL:
                _become(state, LineKind.VOICEMAIL, now)
            if state.line.messages < state.policy.messages:
                state.cut_speech(now)  # the mailbox records only from here
                _leave_message(state, now)
        case _:
            pass


def _tone(state: State, evidence: str, now: float) -> None:
    by_evidence = {"fax": Outcome.WRONG_NUMBER, "intercept": Outcome.NUMBER_INVALID}
    talked = state.line.kind is LineKind.PERSON
    _become(state, LineKind.TONE, now)
    closing.close(state, Outcome.CALLEE_HUNG_UP if talked else by_evidence.get(evidence, Outcome.BUSY), None, now)


# By time


def next_move(state: State) -> tuple[float, Callable[[State, float], object]]:
    """When a quiet machine is acted on, or a hold has lasted too long; and how."""
    line, policy = state.line, state.policy
    quiet_at = max(state.evidence_at, state.our_end_at, line.since)
    match line.kind:
        case LineKind.MENU if _menu(state):
            return quiet_at + policy.menu_pause_s, _choose
        case LineKind.VOICEMAIL:
            return quiet_at + policy.beep_wait_s, _leave_message
        case LineKind.SCREENING if line.answers < line.asked:
            return quiet_at + (policy.beep_wait_s if line.tone_due else policy.screening_pause_s), _answer_screening
        case _ if line.undecided:
            return quiet_at + policy.suspect_pause_s, _decide
        case LineKind.HOLD:
            # At whatever relay: once the policy's time, and again for each yes of the person.
            limit_s = policy.hold_limit_s * (1 + line.extensions + state.brief.held_s // policy.hold_limit_s)
            ends_at = line.since + limit_s - state.brief.held_s - line.held_s
            if line.question or state.inquiry:
                return ends_at, _give_up
            return ends_at - policy.answer_s, partial(asking.ask_to_wait, limit_s=limit_s)
        case LineKind.MENU:  # it has put us through without a word
            return quiet_at + policy.machine_quiet_s, lambda state, now: _become(state, LineKind.HOLD, now)
        case _:
            return quiet_at + policy.machine_quiet_s, _give_up


def due(state: State, now: float) -> None:
    next_move(state)[1](state, now)


def _give_up(state: State, now: float) -> None:
    held = state.line.kind is LineKind.HOLD
    closing.close(state, Outcome.HOLD_LIMIT if held else Outcome.NO_ANSWER, None, now)


def _menu(state: State) -> list[HeardTurn]:
    """What the menu has said and we have not reacted to."""
    return [turn for turn in _heard_since_we_spoke(state) if (turn.seq, turn.text) not in state.line.reacted]


def _choose(state: State, now: float) -> None:
    """The menu has been heard out: the model chooses; one that comes again and again gets the operator's key."""
    if state.line.undecided and _decide(state, now):
        return
    line, policy, heard = state.line, state.policy, _menu(state)
    line.reacted.update((turn.seq, turn.text) for turn in heard)
    menu = line_words.menu_words(" ".join(turn.text for turn in heard))
    repeats = sum(line_words.same_menu(menu, earlier) for earlier in line.menus)
    line.menus.append(menu)
    if repeats > policy.menu_repeats + 1 or len(line.menus) > policy.menus:
        closing.close(state, Outcome.NO_PROGRESS, None, now)
    elif repeats > policy.menu_repeats:
        state.say(lines.OPERATOR, now)
    elif repeats == policy.menu_repeats:
        state.press("0", None, now)
    else:
        state.attempts = state.tool_rounds = 0
        state.log.note(NOTE_MENU)
        state.start_reply(now)


def _answer_screening(state: State, now: float) -> None:
    """Who calls, for whom and why: the approved opening."""
    if not state.ledger.outstanding:
        state.line.answers += 1
        _say(state, state.brief.opening, now)


def message(state: State) -> list[str]:
    """The approved message, without any sentence that gives a released fact away: anybody may play a tape."""
    brief = state.brief
    public = f"{brief.on_behalf_of} {brief.callee}".lower()
    private = [value for each in brief.release.values() if (value := each.lower()) not in public]
    sentences = [found.strip() for found in re.findall(r"[^.!?]+[.!?]*", brief.voicemail)]
    kept = [each for each in sentences if each and not any(_tells(each.lower(), value) for value in private)]
    named = not kept or re.search(r"\bAI\b", " ".join(kept))
    return kept if named else [brief.opening[0], *kept]


def _tells(sentence: str, value: str) -> bool:
    """Also a number that is written in another way."""
    said, digits = (re.sub(r"\D", "", text) for text in (sentence, value))
    return bool(re.search(rf"\b{re.escape(value)}\b", sentence)) or (len(digits) >= 4 and digits[-4:] in said)


def _leave_message(state: State, now: float) -> None:
    sentences = message(state)
    if not sentences or state.line.messages >= state.policy.messages:
        closing.close(state, Outcome.VOICEMAIL_NO_MESSAGE, None, now)
        return
    state.line.messages += 1
    _say(state, sentences, now)


def _say(state: State, sentences: Iterable[str], now: float) -> None:
    for sentence in sentences:
        state.say(sentence, now, protected=True)


def message_is_left(state: State) -> bool:
    if state.line.kind is not LineKind.VOICEMAIL or not state.line.messages or state.phase is not Phase.ACTIVE:
        return False
    turn = state.log.last_spoken_turn
    return state.floor is Floor.LISTENING and not state.speaking and turn is not None and not turn.cut


def hang_up(state: State, now: float) -> None:
    closing.close(state, Outcome.VOICEMAIL_LEFT, None, now)


# Moves


def resume(state: State, now: float) -> bool:
    """Another relay held this call, and nobody was there to be told that it changed hands."""
    kind = LineKind(state.brief.line)
    asked = state.inquiry.question_id if state.inquiry and lines.WAITING in state.inquiry.question_id else ""
    if asked:
        state.inquiry = None
    if kind not in (LineKind.HOLD, LineKind.MENU, LineKind.SCREENING):
        return False
    _become(state, kind, now)
    state.line.question = asked if kind is LineKind.HOLD else ""
    return True


def _become(state: State, kind: LineKind, now: float) -> None:
    was = state.line
    was.count_hold(now)
    if was.kind is LineKind.HOLD:
        state.actions.append(WakeEars())
    line = Line(kind, now, was.judged, held_s=was.held_s, menus=was.menus, reacted=was.reacted)
    line.extensions, state.line = was.extensions, line
    if not line.converses:
        state.cancel_reply()
        if was.converses:
            state.cut_speech(now)
        state.thinking_since = state.stages = None
        state.prompts, state.holding, state.reply_due = 0, False, False
    if kind is LineKind.HOLD:
        state.actions.append(RestEars())
    if not (was.converses and line.converses):
        state.save()
