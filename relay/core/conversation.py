"""The pure turn-taking core of one call: events in, actions out, one next deadline.

The law for whoever drives it: feed one event (or let the due deadlines act), execute all of `actions()` in order,
re-arm the one timer from `next_deadline()`, then wait. There is no clock in here, no I/O and no logging; the trace is
the list of (now, event) that went in, and it replays exactly.

Four small machines make up the state (`state.py`): the phase of the call, the floor, the callee's voice, and the
ledger of our own speech. What happens is said by two tables: `TRANSITIONS`, looked up by where we are and what came,
where a missing row means that the event is too late, impossible or somebody's nonsense, and is ignored and counted; and
`SETTLING`, rules that are applied after every input until none applies any more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from relay.core import asking, closing, deadlines, line_rules, listening, opening, replies, silence, speech
from relay.core.actions import (
    Action,
    AskPerson,
    CancelReply,
    CancelSpeech,
    ClearPlayout,
    HandOver,
    HangUp,
    PausePlayout,
    PrepareSpeech,
    PressKeys,
    RecordOptOut,
    RestEars,
    ResumePlayout,
    SaveTranscript,
    Speak,
    StartReply,
    WakeEars,
)
from relay.core.brief import Brief
from relay.core.deadlines import Deadline
from relay.core.events import (
    AskRequested,
    CallStarted,
    DigitPressed,
    DrainRequested,
    EarLost,
    EarRestored,
    EndCallRequested,
    Event,
    FactNoted,
    FinalHeard,
    HangUpRequested,
    InterimHeard,
    KeysRequested,
    LineClassified,
    MarkReached,
    PersonAnswered,
    ReplyFailed,
    ReplyFinished,
    ReplyText,
    SegmentFailed,
    SegmentSent,
    SegmentStarted,
    StreamStopped,
    VoiceStarted,
    VoiceStopped,
)
from relay.core.hearing import Hearing
from relay.core.log import Log
from relay.core.phrases import same_meaning
from relay.core.playout import Ledger, Progress
from relay.core.policy import Policy
from relay.core.progress import NoProgress
from relay.core.state import Floor, Opening, Phase, State
from relay.core.transcript import Transcript


class Place(Enum):
    """Where a conversation is: its phase, and while it lives the floor."""

    CONNECTING = auto()
    LISTENING = auto()
    ENDPOINTING = auto()
    THINKING = auto()
    SPEAKING = auto()
    CLOSED = auto()


CONNECTING, CLOSED = Place.CONNECTING, Place.CLOSED
LISTENING, ENDPOINTING, THINKING, SPEAKING = Place.LISTENING, Place.ENDPOINTING, Place.THINKING, Place.SPEAKING
LIVE = (LISTENING, ENDPOINTING, THINKING, SPEAKING)
WORDS = (InterimHeard, FinalHeard, DigitPressed)
REPLY = (ReplyText, ReplyFinished, ReplyFailed, EndCallRequested, KeysRequested, AskRequested, FactNoted)


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: in any of these places, on any of these triggers, `then` decides."""

    places: tuple[Place, ...]
    triggers: tuple[type[Any] | Deadline, ...]
    then: Callable[..., None]
    """(state, event, now) for an event, (state, now) for a deadline."""
    becomes: tuple[Place, ...]
    """Where it may lead."""
    emits: tuple[type[Any], ...] = ()
    """Every action it may emit; which of them, `then` knows."""
    stays: bool = False
    """It may also lead nowhere."""


_INTERRUPT = (CancelReply, CancelSpeech, ClearPlayout)
_CLOSE = (CancelReply, Speak, SaveTranscript)
_OPT_OUT = (RecordOptOut, WakeEars, *_INTERRUPT, *_CLOSE)
_LINE = (RestEars, WakeEars, *_INTERRUPT, *_CLOSE)
_ANSWER = (StartReply, *_OPT_OUT)
_REPEAT = (CancelSpeech, PressKeys, *_CLOSE)
_KEYS = (PressKeys, AskPerson, *_CLOSE)
_FINISH = (*_INTERRUPT, SaveTranscript, HangUp, HandOver)
_HEAR = listening.words_heard

TRANSITIONS: tuple[Transition, ...] = (
    # The line
    Transition((CONNECTING,), (CallStarted,), opening.call_started, (LISTENING, SPEAKING), (Speak,)),
    Transition((CONNECTING, *LIVE), (StreamStopped,), closing.stream_stopped, (CLOSED,), (*_INTERRUPT, SaveTranscript)),
    # The callee
    Transition((LISTENING, ENDPOINTING), (VoiceStarted,), listening.voice_started, (LISTENING,)),
    Transition((THINKING, SPEAKING), (VoiceStarted,), listening.voice_started, (), stays=True),
    Transition((LISTENING,), (VoiceStopped,), listening.voice_stopped, (ENDPOINTING,), stays=True),
    Transition((ENDPOINTING, THINKING, SPEAKING), (VoiceStopped,), listening.voice_stopped, (), stays=True),
    Transition((LISTENING, ENDPOINTING), WORDS, _HEAR, (LISTENING, ENDPOINTING, SPEAKING), _ANSWER, stays=True),
    Transition((THINKING,), WORDS, _HEAR, (LISTENING, ENDPOINTING, SPEAKING), _ANSWER, stays=True),
    Transition((SPEAKING,), WORDS, _HEAR, (LISTENING, ENDPOINTING), _OPT_OUT, stays=True),
    Transition((LISTENING, ENDPOINTING), (Deadline.OPENING,), opening.due, (SPEAKING,), _OPT_OUT),
    Transition((ENDPOINTING,), (Deadline.ENDPOINTING,), listening.commit, (LISTENING, THINKING, SPEAKING), _ANSWER),
    Transition((ENDPOINTING,), (Deadline.SPECULATE,), listening.think_ahead, (), (StartReply, CancelReply), stays=True),
    Transition((SPEAKING,), (Deadline.PAUSE,), listening.pause, (), (PausePlayout,), stays=True),
    Transition((SPEAKING,), (Deadline.RESUME,), listening.resume, (), (ResumePlayout,), stays=True),
    Transition(
        (SPEAKING,),
        (Deadline.BARGE_IN,),
        listening.voice_holds,
        (LISTENING,),
        (ResumePlayout, *_INTERRUPT, SaveTranscript),
        stays=True,
    ),
    Transition((LISTENING,), (Deadline.VOICE,), listening.voice_is_noise, (ENDPOINTING,), stays=True),
    Transition((LISTENING,), (Deadline.NO_INPUT,), silence.prompt, (SPEAKING,), _CLOSE),
    Transition((LISTENING,), (EarLost,), silence.ear_lost, (ENDPOINTING,), stays=True),
    Transition((ENDPOINTING, THINKING, SPEAKING), (EarLost,), silence.ear_lost, (), stays=True),
    Transition(LIVE, (EarRestored,), silence.ear_restored, (), stays=True),
    Transition(LIVE, (Deadline.EAR,), silence.deaf_too_long, (SPEAKING,), _CLOSE),
    # Machines
    Transition(LIVE, (LineClassified,), line_rules.classified, (LISTENING, ENDPOINTING, SPEAKING), _LINE, stays=True),
    Transition(
        (LISTENING,), (Deadline.LINE,), line_rules.due, (THINKING, SPEAKING), (*_ANSWER, *_LINE, PressKeys), stays=True
    ),
    # The model
    Transition((LISTENING, ENDPOINTING), REPLY, replies.ahead, (), (PrepareSpeech, CancelReply), stays=True),
    Transition((THINKING,), (ReplyText,), replies.text, (SPEAKING,), (*_CLOSE, AskPerson), stays=True),
    Transition((SPEAKING,), (ReplyText,), replies.text, (), (*_CLOSE, AskPerson), stays=True),
    Transition((THINKING,), (Deadline.HELD,), replies.release_held, (SPEAKING,), (*_CLOSE, AskPerson)),
    Transition((THINKING,), (ReplyFinished, ReplyFailed), replies.ended, (LISTENING, SPEAKING), _ANSWER, stays=True),
    Transition((SPEAKING,), (ReplyFinished, ReplyFailed), replies.ended, (LISTENING, ENDPOINTING), _ANSWER, stays=True),
    Transition((THINKING,), (Deadline.REPLY,), replies.overdue, (LISTENING, SPEAKING), _ANSWER, stays=True),
    Transition((SPEAKING,), (Deadline.REPLY,), replies.overdue, (LISTENING, ENDPOINTING), _ANSWER, stays=True),
    Transition((THINKING,), (Deadline.FILLER,), replies.filler, (SPEAKING,), (Speak,)),
    Transition((THINKING, SPEAKING), (EndCallRequested,), replies.end_call_requested, (), _CLOSE, stays=True),
    Transition((THINKING, SPEAKING), (KeysRequested,), replies.keys_requested, (SPEAKING,), _KEYS, stays=True),
    Transition(
        (THINKING, SPEAKING), (AskRequested,), replies.ask_requested, (SPEAKING,), (*_CLOSE, AskPerson), stays=True
    ),
    Transition((THINKING, SPEAKING), (FactNoted,), replies.fact_noted, (), stays=True),
    # Our voice
    Transition((SPEAKING,), (SegmentStarted,), speech.started, (), stays=True),
    Transition((SPEAKING,), (SegmentSent,), speech.sent, (), stays=True),
    Transition((SPEAKING,), (MarkReached,), speech.reached, (LISTENING, ENDPOINTING, THINKING), stays=True),
    Transition((SPEAKING,), (SegmentFailed,), speech.failed, (LISTENING, ENDPOINTING, THINKING), _REPEAT, stays=True),
    Transition(
        (SPEAKING,), (Deadline.SPEECH,), speech.overdue, (LISTENING, ENDPOINTING, THINKING), _REPEAT, stays=True
    ),
    Transition((SPEAKING,), (Deadline.PLAY_OUT,), speech.mark_overdue, (LISTENING, ENDPOINTING, THINKING), stays=True),
    # The person
    Transition(LIVE, (PersonAnswered,), asking.person_answered, (), (CancelReply,), stays=True),
    Transition((LISTENING,), (Deadline.COMPANY,), asking.keep_company, (SPEAKING,), (Speak,)),
    Transition(LIVE, (Deadline.ANSWER,), asking.no_answer, (SPEAKING,), _CLOSE),
    # The end
    Transition(LIVE, (HangUpRequested,), closing.hang_up_requested, (SPEAKING,), _OPT_OUT, stays=True),
    Transition(LIVE, (DrainRequested,), closing.drain_requested, (LISTENING, ENDPOINTING), _CLOSE, stays=True),
    Transition(LIVE, (Deadline.CALL_LIMIT,), closing.time_is_up, (SPEAKING,), _CLOSE),
    Transition((LISTENING, ENDPOINTING), (Deadline.QUIET,), closing.hang_up, (CLOSED,), _FINISH),
    Transition(LIVE, (Deadline.CLOSING,), closing.hang_up, (CLOSED,), _FINISH),
)
"""Event-triggered moves. A missing row means: ignored."""

_BY_TRIGGER = {(place, trigger): row for row in TRANSITIONS for place in row.places for trigger in row.triggers}


@dataclass(frozen=True, slots=True)
class Settling:
    """One state-triggered rule: when it holds, then this; afterwards it must not hold any more."""

    name: str
    when: Callable[[State], bool]
    then: Callable[[State, float], None]


def _our_turn_is_over(state: State) -> bool:
    return state.speaking and not state.ledger.outstanding and not (state.reply and state.reply.said)


def _record_our_turn(state: State, now: float) -> None:
    state.end_spoken_turn(now)
    heard = all(segment.progress is Progress.HEARD for segment in state.opening_segments)
    if state.opening is Opening.SAID and heard:
        state.opening = Opening.DONE
    state.save()


def _speculation_is_stale(state: State) -> bool:
    ahead, turn_is_theirs = state.speculation, state.floor in (Floor.LISTENING, Floor.ENDPOINTING)
    if ahead is None or (turn_is_theirs and state.considered == state.hearing.pending_text and not state.closing):
        return False
    same = same_meaning(ahead.answers, state.hearing.pending_text)
    return not (same and turn_is_theirs and state.phase is Phase.ACTIVE and state.line.converses)


def _drop_speculation(state: State, now: float) -> None:
    state.drop_speculation()


def _pause_is_pointless(state: State) -> bool:
    return state.ledger.paused_at is not None and not state.ledger.outstanding


def _reply_came_early(state: State) -> bool:
    return bool(state.reply and state.reply.early)


def _reply_is_held_in_quiet(state: State) -> bool:
    return bool(state.reply and state.reply.held) and state.voice_since is None


def _gap(state: State) -> bool:
    """A moment in which nobody speaks and nothing is waited for."""
    quiet = state.floor is Floor.LISTENING and state.voice_since is None
    return quiet and state.phase is Phase.ACTIVE and state.opening is not Opening.WAITING and state.line.converses


def _reply_fits(state: State) -> bool:
    return state.reply_due and _gap(state)


def _owed_reply(state: State, now: float) -> None:
    state.start_reply(now)


def _ear_line_fits(state: State) -> bool:
    return bool(state.ear_line_due) and _gap(state)


SETTLING: tuple[Settling, ...] = (
    Settling("new words: judge who says them", line_rules.words_are_news, line_rules.judge_words),
    Settling("the words are not those we thought ahead on: drop it", _speculation_is_stale, _drop_speculation),
    Settling("the turn ended as we had thought: say the reply", _reply_came_early, replies.catch_up),
    Settling("nothing is left that a pause keeps back: end it", _pause_is_pointless, listening.resume),
    Settling("nothing of ours is outstanding: our turn is over", _our_turn_is_over, _record_our_turn),
    Settling("a voicemail has its message: hang up", line_rules.message_is_left, line_rules.hang_up),
    Settling("a reply was held back and the callee is quiet: say it", _reply_is_held_in_quiet, replies.release_held),
    Settling("a reply is due and there is a gap: think", _reply_fits, _owed_reply),
    Settling("the ear was lost or restored and there is a gap: say so", _ear_line_fits, silence.ear_line),
)
"""State-triggered moves, applied after every input until none applies."""

_MOST_STEPS = 100
"""More moves than any single input can cause: beyond it the tables contradict each other, a bug of ours."""


class Conversation:
    """One call. Methods that take `now` want seconds of one monotonic clock, never going back."""

    def __init__(self, plan: Brief, policy: Policy | None = None) -> None:
        policy = policy or Policy()
        self._state = State(
            brief=plan,
            policy=policy,
            mandate=plan.mandate,
            hearing=Hearing(policy.straddle_ms),
            ledger=Ledger(policy),
            log=Log(plan.prior),
            progress=NoProgress(policy),
        )
        for text in (*plan.heard_before, *self._state.log.callee_texts()):
            self._state.table = self._state.table.after(text, plan.mandate)
        self.ignored = 0
        """Events that came too late or were impossible."""

    def receive(self, event: Event, now: float) -> None:
        """Take one event. Never raises on anything a peer can do; drain `actions()` afterwards."""
        row = _BY_TRIGGER.get((self.place, type(event)))
        if row is None:
            self.ignored += 1
            return
        self._move(row, event, now)
        self._settle(now)

    def handle_timer(self, now: float) -> None:
        """Act on every deadline that is due, in the order of their moments; drain `actions()` afterwards."""
        for _ in range(_MOST_STEPS):
            due = min(deadlines.armed(self._state), key=lambda armed: armed[1], default=None)
            if due is None or due[1] > now:
                return
            self._move(_BY_TRIGGER[self.place, due[0]], now)
            self._settle(now)
        raise AssertionError(f"deadlines keep coming due: {due}")

    def actions(self) -> list[Action]:
        """What is to be done now, in this order. Drains."""
        drained, self._state.actions = self._state.actions, []
        return drained

    def next_deadline(self) -> float | None:
        """When `handle_timer` wants to be called; None before the call has started and once it is CLOSED."""
        return min((at for _, at in deadlines.armed(self._state)), default=None)

    def transcript(self) -> Transcript:
        """Everything said so far."""
        return self._state.transcript()

    @property
    def phase(self) -> Phase:
        return self._state.phase

    @property
    def place(self) -> Place:
        """The row of the table we are in."""
        match self._state.phase:
            case Phase.CONNECTING:
                return CONNECTING
            case Phase.CLOSED:
                return CLOSED
            case _:
                return Place[self._state.floor.name]

    def _move(self, row: Transition | Settling, *input_: Any) -> None:
        row.then(self._state, *input_)

    def _settle(self, now: float) -> None:
        for _ in range(_MOST_STEPS):
            rule = next((rule for rule in SETTLING if rule.when(self._state)), None)
            if rule is None:
                return
            self._move(rule, now)
        raise AssertionError("the settling rules never rest")
