"""What follows from who is on the line: machines are heard out, held, answered or left a message; people converse.

A machine is known from its words as they come, or from a sound. That a person has taken over is known when words come
that no machine says; whoever takes over from a machine has not heard the opening, whatever was said before.
"""

import re
from collections.abc import Callable

from floyd import lines
from relay.core import closing, line_words, turns
from relay.core.actions import RestEars, WakeEars
from relay.core.events import LineClassified
from relay.core.hearing import HeardTurn
from relay.core.line_kinds import LineKind
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
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")


# By words


def words_are_news(state: State) -> bool:
    pending = state.phase is Phase.ACTIVE and state.hearing.pending_text
    return bool(pending) and pending != state.line.judged


def judge_words(state: State, now: float) -> None:
    """The words so far may show a machine. A greeting in pieces counts as one until we have spoken."""
    line, pending = state.line, state.hearing.pending_text
    line.judged = pending
    before = (turn.text for turn in _heard_since_we_spoke(state)) if line.converses else ()
    text = " ".join((*before, pending))
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
        line.tone_due = line_words.tone_due(text)


def first_words(state: State, text: str, now: float) -> None:
    """Whoever greets us like a person is one until the contrary is heard."""
    if state.line.kind is LineKind.UNKNOWN and (not state.line.suspect or line_words.addresses_us(text)):
        _become(state, LineKind.PERSON, now)


def handled(state: State, turn: HeardTurn, now: float) -> bool:
    """Whether a turn of the callee needs no conversation, because a machine said it."""
    line = state.line
    if state.closing:
        return False
    person = _is_person(state, turn.text)
    if person and not line.converses:
        _hand_over(state, turn.text, now)
    if person or (line.converses and not (line.suspect and state.opening is not Opening.DONE)):
        line.suspect = False
        first_words(state, turn.text, now)
        line.undecided.clear()
        return False
    line.undecided.append(turn.text)
    if line.kind is LineKind.VOICEMAIL and line_words.mailbox_is_full(turn.text):
        closing.close(state, Outcome.VOICEMAIL_NO_MESSAGE, None, now)
    if line.kind is LineKind.SCREENING and line_words.machine(turn.text)[0] is LineKind.SCREENING:
        line.asked = min(line.answers + 1, state.policy.screening_answers)
    state.stages = None
    state.quiet_since = now
    return True


def _is_person(state: State, text: str) -> bool:
    """Whether these words alone show one; otherwise a pause must come first, since machines pause in mid-sentence."""
    if state.line.kind in (LineKind.TONE, LineKind.VOICEMAIL):
        return line_words.picks_up(text)
    return line_words.addresses_us(line_words.after_machine(text))


def _decide(state: State, now: float) -> bool:
    """Quiet after words that showed nothing: no machine says them, so a person did, who now waits for us."""
    line = state.line
    text = " ".join(line.undecided)
    line.undecided.clear()
    if not line.converses:
        if line_words.machine(text)[1] >= _ENOUGH_OF_ANOTHER or line_words.announces(text):
            return False
        _hand_over(state, text, now)
    elif state.opening is not Opening.DONE:
        _become(state, LineKind.PERSON, now)
        state.opening = Opening.WAITING
    state.reply_due = state.opening is Opening.DONE
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
    heard = []
    for entry in reversed(state.log.entries):
        if isinstance(entry, SpokenTurn) and entry.heard:
            break
        if isinstance(entry, HeardTurn):
            heard.append(entry)
    return heard[::-1]


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
                    turns.close_turn(state, now)  # the last words before the music
                _become(state, LineKind.HOLD, now)
        case LineKind.VOICEMAIL if line.kind is LineKind.SCREENING and line.answers < line.asked:
            _answer_screening(state, now)
        case LineKind.VOICEMAIL if line.kind in (LineKind.VOICEMAIL, LineKind.UNKNOWN) or line.suspect:
            if line.kind is not LineKind.VOICEMAIL:
                _become(state, LineKind.VOICEMAIL, now)
            if line.messages < state.policy.messages:
                state.cut_speech(now)  # the mailbox records only from here
                _leave_message(state, now)
        case _:
            pass


def _tone(state: State, evidence: str, now: float) -> None:
    talked = state.line.kind is LineKind.PERSON
    _become(state, LineKind.TONE, now)
    if talked:
        outcome = Outcome.CALLEE_HUNG_UP
    else:
        outcome = {"fax": Outcome.WRONG_NUMBER, "intercept": Outcome.NUMBER_INVALID}.get(evidence, Outcome.BUSY)
    closing.close(state, outcome, None, now)


# By time


def due_at(state: State) -> float:
    """When a quiet machine is acted on."""
    return _next(state)[0]


def due(state: State, now: float) -> None:
    """A machine has been quiet for long enough, or a hold has lasted too long."""
    _next(state)[1](state, now)


def _next(state: State) -> tuple[float, Callable[[State, float], object]]:
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
            return line.since + policy.hold_limit_s - line.held_s, _give_up
        case LineKind.MENU:
            return quiet_at + policy.machine_quiet_s, _put_through
        case _:
            return quiet_at + policy.machine_quiet_s, _give_up


def _give_up(state: State, now: float) -> None:
    held = state.line.kind is LineKind.HOLD
    closing.close(state, Outcome.HOLD_LIMIT if held else Outcome.NO_ANSWER, None, now)


def _put_through(state: State, now: float) -> None:
    """The menu has done so without a word."""
    _become(state, LineKind.HOLD, now)


def _menu(state: State) -> list[HeardTurn]:
    """What the menu has said and we have not reacted to."""
    return [turn for turn in _heard_since_we_spoke(state) if (turn.seq, turn.text) not in state.line.reacted]


def _choose(state: State, now: float) -> None:
    """The menu has been heard out: the model chooses; one that comes again and again gets the operator's key."""
    line, policy = state.line, state.policy
    if line.undecided and _decide(state, now):
        return
    heard = _menu(state)
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
    if state.ledger.outstanding:
        return
    state.line.answers += 1
    for sentence in state.brief.opening:
        state.say(sentence, now, protected=True)


def message(state: State) -> list[str]:
    """The approved message, without any sentence that gives a released fact away: anybody may play a tape."""
    brief = state.brief
    public = f"{brief.on_behalf_of} {brief.callee}".lower()
    private = [value for each in brief.release.values() if (value := each.lower()) not in public]
    sentences = [found.strip() for found in _SENTENCE.findall(brief.voicemail)]
    kept = [each for each in sentences if each and not any(_tells(each.lower(), value) for value in private)]
    if kept and not re.search(r"\bAI\b", " ".join(kept)):
        kept.insert(0, brief.opening[0])
    return kept


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
    if kind not in (LineKind.HOLD, LineKind.MENU, LineKind.SCREENING):
        return False
    _become(state, kind, now)
    return True


def _become(state: State, kind: LineKind, now: float) -> None:
    line = state.line
    if line.kind is LineKind.HOLD:
        line.held_s += now - line.since
        state.actions.append(WakeEars())
    talked = line.converses
    line.kind, line.since, line.suspect, line.tone_due = kind, now, False, False
    line.asked, line.answers, line.messages = 1, 0, 0
    line.undecided.clear()
    if not line.converses:
        state.cancel_reply()
        if talked:
            state.cut_speech(now)
        state.thinking_since = state.stages = None
        state.prompts, state.holding, state.reply_due = 0, False, False
    if kind is LineKind.HOLD:
        state.actions.append(RestEars())
    if not (talked and line.converses):
        state.save()
