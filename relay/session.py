"""One call: hands what happens to the conversation and carries out what the conversation wants.

The law: one input, then all its actions in order, then the one timer, then wait. Inputs come from one queue, so there
are no locks. The session decides nothing about the talk, and sound does not pass through the conversation: frames go
from the socket to detector and recogniser, and from the synthesiser to the play-out.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, MutableMapping
from dataclasses import InitVar, dataclass
from functools import partial

from floyd.documents import Gap
from floyd.lines import APOLOGY, FILLERS
from floyd.mulaw import FRAME_MS, FRAME_SAMPLES, SILENT_FRAME
from relay.core import actions as act
from relay.core.conversation import Conversation
from relay.core.echo import EchoGate
from relay.core.events import CallStarted, Event, MarkReached, SegmentStarted, StreamStopped
from relay.core.line_kinds import LineKind
from relay.core.outcome import Outcome
from relay.core.sounds import SoundDetector
from relay.core.voice_activity import EarGate, VoiceDetector
from relay.ears import Recogniser, Sound
from relay.endless_ears import EndlessEars
from relay.measures import gaps
from relay.media_stream import Outbound
from relay.mind import Mind, Prompt
from relay.mouth import Mouth
from relay.pacer import Pacer, Playout
from relay.replying import Breaker, Replies
from relay.turns import CallRecord
from relay.voice import Voice
from relay.watchdog import Alarm, Unanswered, Watchdog

logger = logging.getLogger(__name__)

LATE_S = 0.5
"""Frames come every 20 ms; after so long without one the silence is filled in, since recognisers end silent streams."""
DEAD_S = 10.0  # without a frame for so long the line is dead, whatever the socket says: 500 frames are missing


@dataclass(frozen=True, slots=True)
class Tools:
    """What all calls of a process share."""

    recogniser: Recogniser
    mind: Mind
    voice: Voice
    pacer: Pacer
    breaker: Breaker


@dataclass(eq=False)
class Session:
    """Lives as long as one media stream. `ended` is set when the conversation wants no more."""

    conversation: Conversation
    tools: Tools
    record: CallRecord
    send: Callable[[str], None]  # takes a message for the socket, at once
    monitor: Callable[[int, bytes], None]  # is given (track, mu-law) of both parties: track 0 for the callee, 1 for us
    tape: Callable[[float, Event | None, list[act.Action]], None]
    """Is given each input of the conversation (None: a deadline) and its actions."""
    outbound: InitVar[Outbound]
    prompt: InitVar[Prompt]
    rendered: InitVar[MutableMapping[str, bytes]]
    language: InitVar[str]

    def __post_init__(
        self, outbound: Outbound, prompt: Prompt, rendered: MutableMapping[str, bytes], language: str
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._inputs: deque[Event | None] = deque()  # None: the timer
        self._driving = False
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: float | None = None
        self.ended = asyncio.Event()
        self.outcome: Outcome | None = None
        self.started_at = self._loop.time()
        self._ended_at: float | None = None
        self._frame_at = self._heard_at = self.started_at
        self._partial = b""
        self._detector = VoiceDetector()
        self._echo = EchoGate()
        self._sounds = SoundDetector()
        self._gate: EarGate | None = None
        self.watchdog = Watchdog(self.started_at)
        self._unanswered = Unanswered()
        self.playout = Playout(outbound, self.send, self.feed, self._said)
        self.mouth = Mouth(self.tools.voice, self.playout, self.tools.pacer, rendered, self.feed)
        self.replies = Replies(self.tools.mind, self.tools.breaker, prompt, self.feed)
        self.ears = EndlessEars(self.tools.recogniser, self.feed, sound=Sound.PHONE, language=language)
        self.sound_at: dict[float, float] = {}
        """When the sound of a segment began to be there, by when its first frame left."""

    # Inputs

    def begin(self, event: CallStarted, since: float) -> None:
        """The first event. `since` is when the callee's sound began, on the loop's clock: position 0 of all that is
        heard, including what waited in the socket while the call was being admitted."""
        self.started_at = self._frame_at = self._heard_at = since
        self._inputs.append(event)
        self._drive(since)

    def feed(self, event: Event) -> None:
        """Take one event. Returns when everything that follows from it has been set in motion."""
        self._inputs.append(event)
        self._drive()

    def hear(self, sound: bytes) -> None:
        """Take the callee's sound, mu-law of any length."""
        self._frame_at = self._heard_at = self._loop.time()
        if len(sound) != FRAME_SAMPLES or self._partial:
            sound = self._partial + sound
            whole = len(sound) - len(sound) % FRAME_SAMPLES
            self._partial = sound[whole:]
            for start in range(0, whole, FRAME_SAMPLES):
                self._hear_frame(sound[start : start + FRAME_SAMPLES], self._frame_at)
        else:
            self._hear_frame(sound, self._frame_at)

    def mark(self, name: str) -> None:
        """A mark came back. One that a clear returned is void; the conversation need not know of it."""
        segment_id = self.playout.segment_of(name)
        if segment_id is not None:
            self.feed(MarkReached(segment_id))

    def check_line(self) -> None:
        """Call about once a second: fills in missing sound, and gives up a line that brings none."""
        now = self._loop.time()
        if alarm := self.watchdog.look(now, lambda: self.conversation.transcript().silence_s):
            self._sound_alarm(alarm, now)
        silent_s = now - self._frame_at
        if now - self._heard_at > DEAD_S:  # not `silent_s`: what was filled in is no sound of theirs
            self.feed(StreamStopped("no sound from the line", Outcome.LINE_FAILED))
        elif silent_s > LATE_S:
            missing = int(silent_s * 1000) // FRAME_MS
            self._frame_at += missing * FRAME_MS / 1000
            for _ in range(missing):
                self._hear_frame(SILENT_FRAME, now)

    def stop(self, outcome: Outcome) -> None:
        """End now, in the middle of whatever is being said."""
        if not self.ended.is_set():
            self._end(outcome)

    async def close(self) -> None:
        """Stop everything that this call set going."""
        self.ended.set()
        if self._timer:
            self._timer.cancel()
        self.tools.pacer.forget(self.playout)
        await self.mouth.close()
        await self.replies.close()
        await self.ears.close()

    # What the call came to

    def gaps(self) -> list[Gap]:
        return gaps(self.conversation.transcript().turns, self.replies.first_token_at, self.sound_at)

    @property
    def age_s(self) -> float:
        """Since the stream started, until it ended."""
        return (self._ended_at or self._loop.time()) - self.started_at

    # The law

    def _drive(self, since: float | None = None) -> None:
        if self._driving:
            return  # an action reported something at once: the loop below takes it next
        self._driving = True
        try:
            while self._inputs and not self.ended.is_set():
                now, since = since or self._loop.time(), None
                self._step(self._inputs.popleft(), now)
        except Exception:
            # A fault of ours. The callee must not be left in silence: the carrier opens a fresh stream elsewhere.
            logger.exception("the conversation failed")
            self._end(Outcome.LINE_FAILED)
        finally:
            self._driving = False
        self._arm()

    def _step(self, event: Event | None, now: float) -> None:
        if event is None:
            now = max(now, self._deadline or now)
            self.conversation.handle_timer(now)
        else:
            if type(event) is SegmentStarted:
                self.sound_at[now] = self.playout.ready_at.pop(event.segment_id, now)
            self.conversation.receive(event, now)
        wanted = self.conversation.actions()
        self.tape(now, event, wanted)
        for action in wanted:
            self._act(action, now)

    def _act(self, action: act.Action, now: float) -> None:
        match action:
            case act.Speak(segment_id, text):
                self.mouth.speak(segment_id, text)
            case act.PrepareSpeech(text):
                self.mouth.prepare(text)
            case act.PausePlayout():
                self.playout.pause(now)
            case act.ResumePlayout():
                self.playout.resume()
                self.tools.pacer.wake(self.playout)
            case act.SaveTranscript(snapshot):
                self.record.save(snapshot)
            case act.StartReply():
                self.replies.start(action)
            case act.CancelReply(reply_id):
                self.replies.cancel(reply_id)
            case act.CancelSpeech():
                self.mouth.cancel()
            case act.ClearPlayout():
                self.playout.clear(now)
            case act.PressKeys(segment_id, digits):
                self.mouth.press(segment_id, digits)
            case act.AskPerson():
                self.record.ask(action)
            case act.RecordOptOut():
                self.record.opt_out()
            case act.RestEars():
                self._gate = EarGate()
            case act.WakeEars():
                self._gate = None
                self.ears.wake()
            case act.HangUp(outcome):
                self._end(outcome)
            case act.HandOver():
                self._end(Outcome.HANDED_OVER)

    def _end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self._ended_at = self._loop.time()
        self.ended.set()

    def _arm(self) -> None:
        deadline = None if self.ended.is_set() else self.conversation.next_deadline()
        if deadline is None and not self.ended.is_set():  # closed without a last action: the line went first
            self._end(self.conversation.transcript().outcome or Outcome.LINE_FAILED)
        if deadline == self._deadline and self._timer:
            return
        if self._timer:
            self._timer.cancel()
        self._deadline = deadline
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._time_out)

    def _time_out(self) -> None:
        self._timer = None
        self._inputs.append(None)
        self._drive()

    # Sound

    def _hear_frame(self, frame: bytes, now: float) -> None:
        played = None if self.playout.silent(now) else partial(self.playout.played, now)
        event = self._echo.receive(frame, self._detector.receive(frame), played)
        sound = self._sounds.receive(frame)
        voiced = self._detector.speaking
        self.ears.hear(frame, voiced=voiced)
        if voiced:
            self.watchdog.sounded(now)
        if self._gate:
            match self._gate.receive(voice=voiced and not self._sounds.musical):
                case True:
                    self.ears.wake()
                case False:
                    self.ears.rest()
        self.monitor(0, frame)
        if event:
            self._unanswered.heard(event, now)
            self.feed(event)
        if sound:
            self.feed(sound)
        if self._unanswered.due(now) and self.ears.doubtful and self.playout.idle:
            self._hold_the_line(now)

    def _said(self, sound: bytes) -> None:
        self.watchdog.sounded(self._loop.time())
        self.monitor(1, sound)

    def _hold_the_line(self, now: float) -> None:
        """Somebody waits for an answer to words that we may never hear: until that is certain, they hear something."""
        if self.conversation.transcript().line in (LineKind.PERSON, LineKind.UNKNOWN):
            self.mouth.speak(f"unanswered.{now}", FILLERS[0])

    def _sound_alarm(self, alarm: Alarm, now: float) -> None:
        """Nobody has made a sound for far too long: whatever should have spoken is stuck."""
        logger.error("dead air: %s", alarm.name)
        if alarm is Alarm.HANG_UP:
            self._end(Outcome.VENDOR_FAILED)
            return
        self.mouth.cancel()
        self.playout.clear(now)
        self.mouth.speak(f"watchdog.{alarm.name}", FILLERS[0] if alarm is Alarm.SPEAK else APOLOGY)
