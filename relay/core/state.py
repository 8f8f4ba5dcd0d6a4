"""The state of one conversation, and the few moves that everything else is made of.

Rules of this file: nothing here knows events or decides anything; the floor is computed from what is true (who has
words pending, what of ours is outstanding, which reply is open) and never stored, so it cannot disagree with it.
"""

from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any, Literal

from floyd.mandate import Mandate
from floyd.money import Money
from relay.core import actions as act
from relay.core import events as ev
from relay.core.brief import Brief
from relay.core.hearing import HeardTurn, Hearing
from relay.core.line_kinds import Line
from relay.core.log import Log
from relay.core.offers import Table
from relay.core.outcome import Outcome
from relay.core.phrases import same_meaning, words
from relay.core.playout import Ledger, Segment
from relay.core.policy import Policy
from relay.core.progress import NoProgress
from relay.core.transcript import Speculations, Stages, Transcript

ECHO_MS = 1000  # an echo comes back within this; lines by satellite take 0.6 s there and back (ITU-T G.114)


class Phase(Enum):
    """The life of the call."""

    CONNECTING = auto()
    ACTIVE = auto()
    CLOSING = auto()
    CLOSED = auto()


class Floor(Enum):
    """Who has the right to speak now; before and after the call, nobody."""

    CONNECTING = auto()
    LISTENING = auto()  # the callee may speak; nothing of ours is queued
    ENDPOINTING = auto()  # we hold words of the callee and hear no voice: is the turn over?
    THINKING = auto()  # a reply is asked for and has not said anything; nothing of ours is outstanding
    SPEAKING = auto()  # something of ours is neither heard nor cleared, or the reply that spoke is still open
    CLOSED = auto()


class Opening(Enum):
    WAITING = auto()  # for the callee's first words, or for silence to last
    SAID = auto()  # queued, perhaps still playing; cut or heard is in the ledger
    DONE = auto()


@dataclass(slots=True)
class Reply:
    """The one model stream that is open."""

    reply_id: int
    waiting_since: float  # it was asked for, or its last text came
    answers: str = ""  # the callee's words, as far as known, that it was asked for ahead of their end
    asked_at: float = 0.0
    early: list[ev.FromMind] = field(default_factory=list)  # what came of it before we may speak, in order
    first_text_at: float | None = None
    said: int = 0  # segments of it that were queued
    text: str = ""  # what it said so far
    held_since: float = 0.0
    refused: bool = False  # a fixed line replaced a segment; further ones that are refused are dropped
    noted: int = 0
    acted: bool = False  # it pressed keys or asked the person: it need not speak
    ends_call: bool = False


@dataclass(slots=True)
class Closing:
    until: float  # hang up then, regardless
    quiet_s: float  # quiet to wait for after our last word
    reopenable: bool = False  # a goodbye that the callee may take back
    spoke: bool = False  # something was said since, a farewell or the like


@dataclass(slots=True)
class State:
    """Everything a conversation remembers. Moments are seconds of the session's clock."""

    brief: Brief
    policy: Policy
    mandate: Mandate
    hearing: Hearing
    ledger: Ledger
    log: Log
    progress: NoProgress
    phase: Phase = Phase.CONNECTING
    outcome: Outcome | None = None
    actions: list[act.Action] = field(default_factory=list)
    started_at: float = 0.0
    line: Line = field(default_factory=Line)

    # The callee
    voice_since: float | None = None  # when the present stretch of voice began
    voice_stop_ms: int = 0
    words_at: float = 0.0  # when words or voice were last news; in LISTENING a voice without any for long is noise
    evidence_at: float = 0.0  # end of the callee's last sound as far as known: patience counts from here
    voice_began: float = 0.0  # when the last stretch of voice began, gaps shorter than a closure apart
    speculation: Reply | None = None  # asked for ahead
    considered: str = ""  # the pending words for which it was decided whether to think ahead
    ahead_in_turn: int = 0
    speculations: Speculations = field(default_factory=Speculations)
    hasty: int = 0  # times the callee went on after we took their turn for over
    quiet_since: float = 0.0  # the callee's or our last words, prompts aside: no-input counts from here
    first_final_at: float | None = None  # when the first final of the pending words came
    holding: bool = False  # the callee asked for a moment
    table: Table = field(default_factory=Table)
    ear_lost_at: float | None = None
    ear_line_due: str = ""

    # Us
    opening: Opening = Opening.WAITING
    opening_segments: list[Segment] = field(default_factory=list)
    opening_cuts: int = 0
    last_id: int = 0  # of replies and of lines of our own; segments are named after it
    reply: Reply | None = None
    speaking: bool = False  # a turn of ours is under way and not yet recorded as over
    our_end_at: float = 0.0  # when our last sound ended
    thinking_since: float | None = None  # since when the callee waits for an answer in silence
    attempts: int = 0
    fillers: int = 0
    tool_rounds: int = 0
    tool_rounds_in_call: int = 0
    stages: Stages | None = None  # of the answer that is being prepared
    prompts: int = 0  # prompts to a silent callee since their last words
    voice_failures: int = 0
    fruitless: list[float] = field(default_factory=list)  # when we last fell silent for a voice that brought no words
    cut_in: bool = False  # we began while the callee was still at it
    apologised: bool = False
    cut_by_voice: bool = False
    noted: list[tuple[str, str]] = field(default_factory=list)

    # The person
    inquiry: act.AskPerson | None = None  # a question that is with the person
    asked_at: float = 0.0
    questions: int = 0
    company: int = 0
    answers: list[str] = field(default_factory=list)
    reply_due: bool = False  # without new words: the person has answered, or the last ones fell on a dead line
    declined: list[Money] = field(default_factory=list)

    # The end
    closing: Closing | None = None
    reopened: int = 0

    @property
    def floor(self) -> Floor:
        if self.phase in (Phase.CONNECTING, Phase.CLOSED):
            return Floor[self.phase.name]
        if self.ledger.outstanding or (self.reply and self.reply.said):
            return Floor.SPEAKING
        if self.reply:
            return Floor.THINKING
        if self.hearing.pending and self.voice_since is None:
            return Floor.ENDPOINTING
        return Floor.LISTENING

    def position_ms(self, at: float) -> int:
        """A moment as a position in the call."""
        return max(0, round((at - self.started_at) * 1000))

    def moment(self, position_ms: int, now: float) -> float:
        """A position in the callee's audio as a moment; never in the future, never before the call."""
        return min(now, self.started_at + position_ms / 1000)

    def repeats_us(self, text: str, start_ms: int) -> bool:
        """Our own words coming back: nobody's voice was heard when they were recognised, and we had just said them."""
        voiced = self.voice_since is not None or self.voice_stop_ms > start_ms
        turn = self.log.last_spoken_turn
        late = not self.speaking and start_ms > self.position_ms(self.our_end_at) + ECHO_MS
        if voiced or turn is None or late:
            return False
        return f" {' '.join(words(text))} " in f" {' '.join(words(turn.planned))} "

    # Moves

    def reached(self, stage: Literal["first_final", "first_text"], now: float) -> None:
        """Note that the answer under way has come so far, if that is news."""
        answer = self if self.stages else self.log.last_spoken_turn
        if answer and answer.stages and getattr(answer.stages, stage) is None:
            moment: dict[str, Any] = {stage: now}
            answer.stages = replace(answer.stages, **moment)

    def press(self, digits: str, reply: Reply | None, now: float) -> None:
        """Queue key tones."""
        self.say(f"(pressed {digits})", now, protected=True, reply=reply, digits=digits)

    def say(
        self, text: str, now: float, *, protected: bool = False, reply: Reply | None = None, digits: str = ""
    ) -> Segment:
        """Queue one segment, of a reply or a line of our own, and have it spoken."""
        if reply:
            reply.said += 1
        else:
            self.last_id += 1
        segment_id = f"{reply.reply_id}.{reply.said}" if reply else f"{self.last_id}.1"
        segment = Segment(segment_id, text, protected, digits)
        turn = self.log.add_spoken(segment, self.position_ms(now))
        if self.stages:
            reply_id = self.reply.reply_id if self.reply else self.last_id
            turn.stages, self.stages = replace(self.stages, reply_id=reply_id), None
        self.speaking = True
        if self.closing:
            self.closing.spoke = True
        self.thinking_since = None
        self.ledger.queue(segment, now)
        self.actions.append(act.PressKeys(segment_id, digits) if digits else act.Speak(segment_id, text))
        return segment

    def start_reply(self, now: float) -> None:
        """Ask the model for an answer to everything so far."""
        assert self.reply is None
        self.reply_due = False
        if self.thinking_since is None:
            self.thinking_since = now
        ahead, turn = self.speculation, self.log.last_heard_turn
        if ahead and turn and same_meaning(ahead.answers, turn.text):
            self.reply, self.speculation = ahead, None
            self.reply.waiting_since = now
            self.speculations = replace(self.speculations, kept=self.speculations.kept + 1)
        else:
            self.drop_speculation()
            self.reply = self._ask(now)
        if self.stages:
            self.stages = replace(self.stages, asked=self.reply.asked_at, first_text=self.reply.first_text_at)

    def speculate(self, now: float) -> None:
        """Ask the model for an answer to the words so far, before the turn is over."""
        self.drop_speculation()
        self.speculation = self._ask(now, self.hearing.pending_text)
        self.ahead_in_turn += 1
        self.speculations = replace(self.speculations, started=self.speculations.started + 1)

    def drop_speculation(self) -> None:
        """The words mean something else now, or want no answer of the model's."""
        if self.speculation:
            self.actions.append(act.CancelReply(self.speculation.reply_id))
            self.speculation = None
            self.speculations = replace(self.speculations, wasted=self.speculations.wasted + 1)

    def _ask(self, now: float, ahead_of: str = "") -> Reply:
        self.last_id += 1
        messages = self.log.messages(self.brief.notes)
        if ahead_of:
            messages = (*messages, act.Message(act.Role.CALLEE, ahead_of))
        self.actions.append(act.StartReply(self.last_id, messages, bool(ahead_of)))
        return Reply(self.last_id, waiting_since=now, answers=ahead_of, asked_at=now)

    def cancel_reply(self) -> None:
        """Stop the open reply, if any; what it queued stays."""
        if self.reply:
            self.actions.append(act.CancelReply(self.reply.reply_id))
            self.reply = None

    def cut_speech(self, now: float) -> None:
        """Silence now: nothing outstanding will be heard."""
        if self.ledger.clear(now):
            self.actions += [act.CancelSpeech(), act.ClearPlayout()]
            self.end_spoken_turn(now)
            self.log.floor_taken = True  # what we say next is a new turn even if the callee's words never come

    def end_spoken_turn(self, now: float) -> None:
        """Nothing of ours is outstanding any more."""
        self.speaking = False
        self.our_end_at = now
        if not self.prompts:
            self.quiet_since = now
        if turn := self.log.last_spoken_turn:
            turn.end_ms = self.position_ms(now)

    def close_turn(self, now: float) -> HeardTurn:
        """Everything pending becomes a turn of the callee, and the answer's stages begin."""
        stop_ms = max(self.voice_stop_ms, self.hearing.pending_end_ms)
        turn = self.hearing.commit(self.log.next_seq, stop_ms)
        self.log.add_heard(turn)
        self.stages = Stages(self.last_id + 1, self.evidence_at, endpoint=now, first_final=self.first_final_at)
        self.first_final_at = None
        self.attempts = self.fillers = self.tool_rounds = self.ahead_in_turn = 0
        self.considered = ""
        self.holding = False
        self.put_on_table(turn)
        return turn

    def put_on_table(self, turn: HeardTurn) -> None:
        """Prices and times in the callee's words become open offers."""
        asked_price = any(word in self.log.last_spoken.lower() for word in ("how much", "price", "cost", "charge"))
        self.table = self.table.after(turn.text, self.mandate, price_context=asked_price)

    def save(self) -> None:
        self.actions.append(act.SaveTranscript(self.transcript()))

    def transcript(self) -> Transcript:
        return Transcript(
            self.log.turns(),
            self.hearing.pending_text,
            self.outcome,
            tuple(self.noted),
            self.speculations,
            line=self.line.kind.value,
            held_s=self.brief.held_s + self.line.held_s,
            silence_s=self.line.silence_s(asked_to_wait=self.holding),
        )
