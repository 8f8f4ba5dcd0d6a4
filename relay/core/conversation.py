"""The pure turn-taking core of one call: events in, actions out, one next deadline.

The law for whoever drives it: feed one event (or let the due deadlines act), execute all of `actions()` in order,
re-arm the one timer from `next_deadline()`, then wait. There is no clock in here, no I/O and no logging; the trace is
the list of (now, event) that went in, and it replays exactly.

Four small machines make up the state (`state.py`): the phase of the call, the floor, the callee's voice, and the
ledger of our own speech. What happens is said by two tables: `TRANSITIONS`, looked up by the floor and what came,
where a missing row means that the event is too late, impossible or somebody's nonsense, and is ignored; and
`SETTLING`, rules that are applied after every input until none applies any more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from relay.core import actions as act
from relay.core import asking, closing, deadlines, line_rules, listening, opening, replies, speech
from relay.core import events as ev
from relay.core.brief import Brief
from relay.core.deadlines import Deadline
from relay.core.hearing import Hearing
from relay.core.log import Log
from relay.core.phrases import same_meaning
from relay.core.playout import Ledger, Progress
from relay.core.policy import Policy
from relay.core.progress import NoProgress
from relay.core.state import Floor, Opening, Phase, State
from relay.core.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: on any of these floors, on any of these triggers, `then` decides."""

    floors: tuple[Floor, ...]
    triggers: tuple[type[Any] | Deadline, ...]
    then: Callable[..., None]  # (state, event, now) for an event, (state, now) for a deadline
    becomes: tuple[Floor, ...]  # where it may lead
    emits: tuple[type[Any], ...] = ()  # every action it may emit; which of them, `then` knows
    stays: bool = False  # it may also lead nowhere


CONNECTING, LISTENING, ENDPOINTING, THINKING, SPEAKING, CLOSED = Floor
THEIRS, OURS = (LISTENING, ENDPOINTING), (THINKING, SPEAKING)
LIVE = (*THEIRS, *OURS)
QUIET = (*THEIRS, THINKING)
_WORDS = (ev.InterimHeard, ev.FinalHeard, ev.DigitPressed)
_ENDED = (ev.ReplyFinished, ev.ReplyFailed)

_INTERRUPT = (act.CancelReply, act.CancelSpeech, act.ClearPlayout)
_CLOSE = (act.CancelReply, act.Speak, act.SaveTranscript)
_OPT_OUT = (act.RecordOptOut, act.WakeEars, *_INTERRUPT, *_CLOSE)
_LINE = (act.RestEars, act.WakeEars, *_INTERRUPT, *_CLOSE)
_ANSWER = (act.StartReply, *_OPT_OUT)
_DUE = (*_ANSWER, *_LINE, act.PressKeys, act.AskPerson)
_REPEAT = (act.CancelSpeech, act.PressKeys, *_CLOSE)
_ASK = (*_CLOSE, act.AskPerson)
_KEYS = (act.PressKeys, act.AskPerson, *_CLOSE)
_CATCH_UP = (*_ANSWER, act.PressKeys, act.AskPerson)
_BARGE_IN = (act.ResumePlayout, *_INTERRUPT, act.SaveTranscript)
_STOP = (*_INTERRUPT, act.SaveTranscript)
_FINISH = (*_STOP, act.HangUp, act.HandOver)
_AHEAD = (act.StartReply, act.CancelReply)
_ANSWERED = (act.CancelReply, act.SaveTranscript)
_PREPARE = (act.PrepareSpeech, act.CancelReply)

TRANSITIONS: tuple[Transition, ...] = (
    # The line
    Transition((CONNECTING,), (ev.CallStarted,), opening.call_started, (LISTENING, SPEAKING), (act.Speak,)),
    Transition((CONNECTING, *LIVE), (ev.StreamStopped,), closing.stream_stopped, (CLOSED,), _STOP),
    # The callee
    Transition(THEIRS, (ev.VoiceStarted,), listening.voice_started, (LISTENING,)),
    Transition(OURS, (ev.VoiceStarted,), listening.voice_started, (), stays=True),
    Transition((LISTENING,), (ev.VoiceStopped,), listening.voice_stopped, (ENDPOINTING,), stays=True),
    Transition((ENDPOINTING, *OURS), (ev.VoiceStopped,), listening.voice_stopped, (), stays=True),
    Transition(QUIET, _WORDS, listening.words_heard, (*THEIRS, SPEAKING), _ANSWER, stays=True),
    Transition((SPEAKING,), _WORDS, listening.words_heard, THEIRS, _OPT_OUT, stays=True),
    Transition(THEIRS, (Deadline.OPENING,), opening.due, (SPEAKING,), _OPT_OUT),
    Transition((ENDPOINTING,), (Deadline.ENDPOINTING,), listening.commit, (LISTENING, *OURS), _ANSWER),
    Transition((ENDPOINTING,), (Deadline.SPECULATE,), listening.think_ahead, (), _AHEAD, stays=True),
    Transition((SPEAKING,), (Deadline.PAUSE,), listening.pause, (), (act.PausePlayout,), stays=True),
    Transition((SPEAKING,), (Deadline.RESUME,), listening.resume, (), (act.ResumePlayout,), stays=True),
    Transition((SPEAKING,), (Deadline.BARGE_IN,), listening.voice_holds, (LISTENING,), _BARGE_IN, stays=True),
    Transition((LISTENING,), (Deadline.VOICE,), listening.voice_is_noise, (ENDPOINTING,), stays=True),
    Transition((LISTENING,), (Deadline.NO_INPUT,), listening.prompt, (SPEAKING,), _CLOSE),
    Transition((LISTENING,), (ev.EarLost,), listening.ear_lost, (ENDPOINTING,), stays=True),
    Transition((ENDPOINTING, *OURS), (ev.EarLost,), listening.ear_lost, (), stays=True),
    Transition(LIVE, (ev.EarRestored,), listening.ear_restored, (), stays=True),
    Transition(LIVE, (Deadline.EAR,), listening.deaf_too_long, (SPEAKING,), _CLOSE, stays=True),
    # Machines
    Transition(LIVE, (ev.LineClassified,), line_rules.classified, (*THEIRS, SPEAKING), _LINE, stays=True),
    Transition((LISTENING,), (Deadline.LINE,), line_rules.due, OURS, _DUE, stays=True),
    # The model
    Transition(THEIRS, get_args(ev.FromMind), replies.ahead, (), _PREPARE, stays=True),
    Transition((THINKING,), (ev.ReplyText,), replies.take, (SPEAKING,), _ASK, stays=True),
    Transition((SPEAKING,), (ev.ReplyText,), replies.take, (), _ASK, stays=True),
    Transition((THINKING,), (Deadline.HELD,), replies.catch_up, (SPEAKING,), _CATCH_UP),
    Transition((THINKING,), _ENDED, replies.take, (LISTENING, SPEAKING), _ANSWER, stays=True),
    Transition((SPEAKING,), _ENDED, replies.take, THEIRS, _ANSWER, stays=True),
    Transition((THINKING,), (Deadline.REPLY,), replies.overdue, (LISTENING, SPEAKING), _ANSWER, stays=True),
    Transition((SPEAKING,), (Deadline.REPLY,), replies.overdue, THEIRS, _ANSWER, stays=True),
    Transition((THINKING,), (Deadline.FILLER,), replies.filler, (SPEAKING,), (act.Speak,)),
    Transition(OURS, (ev.EndCallRequested,), replies.take, (), _CLOSE, stays=True),
    Transition(OURS, (ev.KeysRequested,), replies.take, (SPEAKING,), _KEYS, stays=True),
    Transition(OURS, (ev.AskRequested,), replies.take, (SPEAKING,), _ASK, stays=True),
    Transition(OURS, (ev.FactNoted,), replies.take, (), stays=True),
    # Our voice
    Transition((SPEAKING,), (ev.SegmentStarted, ev.SegmentSent), speech.reported, (), stays=True),
    Transition((SPEAKING,), (ev.MarkReached,), speech.reported, QUIET, stays=True),
    Transition((SPEAKING,), (ev.SegmentFailed,), speech.reported, QUIET, _REPEAT, stays=True),
    Transition((SPEAKING,), (Deadline.SPEECH,), speech.broke_down, QUIET, _REPEAT, stays=True),
    Transition((SPEAKING,), (Deadline.PLAY_OUT,), speech.mark_overdue, QUIET, stays=True),
    # The person
    Transition(
        LIVE, (ev.PersonAnswered,), asking.person_answered, (), (act.CancelReply, act.SaveTranscript), stays=True
    ),
    Transition((LISTENING,), (Deadline.COMPANY,), asking.keep_company, (SPEAKING,), (act.Speak,)),
    Transition(LIVE, (Deadline.ANSWER,), asking.no_answer, (SPEAKING,), _CLOSE, stays=True),
    # The end
    Transition(LIVE, (ev.HangUpRequested,), closing.hang_up_requested, (SPEAKING,), _OPT_OUT, stays=True),
    Transition(LIVE, (ev.DrainRequested,), closing.drain_requested, THEIRS, _CLOSE, stays=True),
    Transition(LIVE, (Deadline.CALL_LIMIT,), closing.time_is_up, (SPEAKING,), _CLOSE, stays=True),
    Transition(THEIRS, (Deadline.QUIET,), closing.hang_up, (CLOSED,), _FINISH),
    Transition(LIVE, (Deadline.CLOSING,), closing.hang_up, (CLOSED,), _FINISH),
)
"""Event-triggered moves. A missing row means: ignored."""

_BY_TRIGGER = {(floor, trigger): row for row in TRANSITIONS for floor in row.floors for trigger in row.triggers}


@dataclass(frozen=True, slots=True)
class Settling:
    """One state-triggered rule: when it holds, then this; afterwards it must not hold any more."""

    name: str
    when: Callable[[State], object]
    then: Callable[[State, float], None]


def _speculation_is_stale(state: State) -> bool:
    ahead, turn_is_theirs = state.speculation, state.floor in THEIRS
    if ahead is None or (turn_is_theirs and state.considered == state.hearing.pending_text and not state.closing):
        return False
    same = same_meaning(ahead.answers, state.hearing.pending_text)
    return not (same and turn_is_theirs and state.phase is Phase.ACTIVE and state.line.converses)


def _our_turn_is_over(state: State) -> bool:
    return state.speaking and not state.ledger.outstanding and not (state.reply and state.reply.said)


def _record_our_turn(state: State, now: float) -> None:
    state.end_spoken_turn(now)
    heard = all(segment.progress is Progress.HEARD for segment in state.opening_segments)
    if state.opening is Opening.SAID and heard:
        state.opening = Opening.DONE
    state.save()


def _gap(state: State) -> bool:
    """A moment in which nobody speaks and nothing is waited for."""
    quiet = state.floor is LISTENING and state.voice_since is None
    return quiet and state.phase is Phase.ACTIVE and state.opening is not Opening.WAITING and state.line.converses


SETTLING: tuple[Settling, ...] = (
    Settling("new words: judge who says them", line_rules.words_are_news, line_rules.judge_words),
    Settling(
        "the words are not those we thought ahead on: drop it",
        _speculation_is_stale,
        lambda state, now: state.drop_speculation(),
    ),
    Settling(
        "nothing is left that a pause keeps back: end it",
        lambda state: state.ledger.paused_at is not None and not state.ledger.outstanding,
        listening.resume,
    ),
    Settling("nothing of ours is outstanding: our turn is over", _our_turn_is_over, _record_our_turn),
    Settling("a voicemail has its message: hang up", line_rules.message_is_left, line_rules.hang_up),
    Settling(
        "a reply was kept back and the callee is quiet: say it",
        lambda state: state.reply and state.reply.early and state.voice_since is None,
        replies.catch_up,
    ),
    Settling(
        "a reply is due and there is a gap: think",
        lambda state: state.reply_due and _gap(state),
        lambda state, now: state.start_reply(now),
    ),
    Settling(
        "the ear was lost or restored and there is a gap: say so",
        lambda state: state.ear_line_due and _gap(state),
        listening.ear_line,
    ),
)
"""State-triggered moves, applied after every input until none applies."""

_MOST_STEPS = 100  # more moves than any single input can cause: beyond it the tables contradict each other


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
            log=Log(list(plan.prior)),
            progress=NoProgress(policy),
        )
        for text in (*plan.heard_before, *self._state.log.callee_texts()):
            self._state.table = self._state.table.after(text, plan.mandate)

    def receive(self, event: ev.Event, now: float) -> None:
        """Take one event. Never raises on anything a peer can do; drain `actions()` afterwards."""
        if row := _BY_TRIGGER.get((self.floor, type(event))):
            self._move(row, event, now)
            self._settle(now)

    def handle_timer(self, now: float) -> None:
        """Act on every deadline that is due, in the order of their moments; drain `actions()` afterwards."""
        for _ in range(_MOST_STEPS):
            due = min(deadlines.armed(self._state), key=lambda armed: armed[1], default=None)
            if due is None or due[1] > now:
                return
            self._move(_BY_TRIGGER[self.floor, due[0]], now)
            self._settle(now)
        raise AssertionError(f"deadlines keep coming due: {due}")

    def actions(self) -> list[act.Action]:
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
    def floor(self) -> Floor:
        return self._state.floor

    def _move(self, row: Transition | Settling, *input_: Any) -> None:
        row.then(self._state, *input_)

    def _settle(self, now: float) -> None:
        for _ in range(_MOST_STEPS):
            rule = next((rule for rule in SETTLING if rule.when(self._state)), None)
            if rule is None:
                return
            self._move(rule, now)
        raise AssertionError("the settling rules never rest")
