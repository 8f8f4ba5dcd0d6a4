"""One call: hands what happens to the conversation and carries out what the conversation wants.

The law: one input, then all its actions in order, then the one timer, then wait. Inputs come from one queue, so there
are no locks. The session decides nothing about the talk, and sound does not pass through the conversation: frames go
from the socket to detector and recogniser, and from the synthesiser to the play-out.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from floyd.documents import Gap
from floyd.lines import APOLOGY, FILLERS
from relay.breaker import Breaker
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
from relay.core.echo import EchoGate
from relay.core.events import CallStarted, Event, MarkReached, SegmentStarted, StreamStopped
from relay.core.line_gate import EarGate
from relay.core.outcome import Outcome
from relay.core.sounds import SoundDetector
from relay.core.transcript import Transcript
from relay.core.voice_activity import VoiceDetector
from relay.ears import Ears, EarsMaker, EarsUsage, Heard, Sound
from relay.gaps import gaps
from relay.media_stream import BYTES_PER_MS, FRAME_BYTES, SILENCE, Outbound
from relay.mind import Mind, Prompt, Usage
from relay.mouth import Mouth
from relay.pacer import Pacer, Playout
from relay.replying import Replies
from relay.voice import Voice
from relay.watchdog import Alarm, Watchdog

logger = logging.getLogger(__name__)

FRAME_MS = FRAME_BYTES // BYTES_PER_MS
LATE_S = 0.5
"""Frames come every 20 ms; after so long without one the silence is filled in, since recognisers end silent streams."""
DEAD_S = 10.0
"""Without a frame for so long the line is dead, whatever the socket says: 500 frames are missing."""


class Conversation(Protocol):
    """The pure core, as far as a session needs it."""

    def receive(self, event: Event, now: float) -> None: ...
    def handle_timer(self, now: float) -> None: ...
    def actions(self) -> list[Action]: ...
    def next_deadline(self) -> float | None: ...
    def transcript(self) -> Transcript: ...


class Record(Protocol):
    """Where a call leaves its traces. Nothing here waits: the record keeps what it is given and writes it in time."""

    def save(self, snapshot: Transcript) -> None:
        """The conversation so far."""

    def ask(self, action: AskPerson) -> None:
        """Put a question to the person."""

    def opt_out(self, words: str) -> None:
        """The callee does not want calls from us."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What all calls of a process share."""

    ears: EarsMaker
    mind: Mind
    voice: Voice
    pacer: Pacer
    breaker: Breaker
    models: tuple[str, ...]
    """In the order in which they are tried."""


class Session:
    """Lives as long as one media stream. `ended` is set when the conversation wants no more."""

    def __init__(
        self,
        conversation: Conversation,
        tools: Tools,
        record: Record,
        *,
        outbound: Outbound,
        send: Callable[[str], None],
        prompt: Prompt,
        rendered: MutableMapping[str, bytes],
        language: str,
        monitor: Callable[[int, bytes], None] = lambda track, sound: None,
        tape: Callable[[float, Event | None, list[Action]], None] = lambda now, event, actions: None,
    ) -> None:
        """`send` takes a message for the socket, at once. `monitor` is given (track, mu-law) of both parties: track 0
        for the callee, 1 for us. `tape` is given each input of the conversation (None: a deadline) and its actions."""
        self._loop = asyncio.get_running_loop()
        self._conversation = conversation
        self._record = record
        self._pacer = tools.pacer
        self._monitor = monitor
        self._tape = tape
        self._inputs: deque[Event | None] = deque()  # None: the timer
        self._driving = False
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: float | None = None
        self.ended = asyncio.Event()
        self.outcome: Outcome | None = None
        self.started_at = self._loop.time()
        self._ended_at: float | None = None
        self._frame_at = self.started_at
        self._partial = b""
        self._detector = VoiceDetector()
        self._echo = EchoGate()
        self._sounds = SoundDetector()
        self._gate: EarGate | None = None
        self.watchdog = Watchdog(self.started_at)
        self._playout = Playout(outbound, send, self.feed, self._said)
        self._mouth = Mouth(
            voice=tools.voice,
            playout=self._playout,
            pacer=tools.pacer,
            rendered=rendered,
            report=self.feed,
            first_sound=self._note_sound,
        )
        self._replies = Replies(
            mind=tools.mind,
            models=tools.models,
            breaker=tools.breaker,
            prompt=prompt,
            report=self.feed,
            first_token=self._note_token,
        )
        self._ears: Ears = tools.ears.open(self._heard, sound=Sound.PHONE, language=language)
        # Stage times that the conversation cannot know, on the same clock.
        self._token_at: dict[int, float] = {}
        self._ready_at: dict[str, float] = {}
        self._sound_at: dict[float, float] = {}

    # Inputs

    def begin(self, event: CallStarted, since: float) -> None:
        """The first event. `since` is when the callee's sound began, on the loop's clock: position 0 of all that is
        heard, including what waited in the socket while the call was being admitted."""
        self.started_at = self._frame_at = since
        self._inputs.append(event)
        self._drive(since)

    def feed(self, event: Event) -> None:
        """Take one event. Returns when everything that follows from it has been set in motion."""
        self._inputs.append(event)
        self._drive()

    def hear(self, sound: bytes) -> None:
        """Take the callee's sound, mu-law of any length."""
        self._frame_at = self._loop.time()
        if len(sound) != FRAME_BYTES or self._partial:
            sound = self._partial + sound
            whole = len(sound) - len(sound) % FRAME_BYTES
            self._partial = sound[whole:]
            for start in range(0, whole, FRAME_BYTES):
                self._hear_frame(sound[start : start + FRAME_BYTES])
        else:
            self._hear_frame(sound)

    def mark(self, name: str) -> None:
        """A mark came back. One that a clear returned is void; the conversation need not know of it."""
        segment_id = self._playout.segment_of(name)
        if segment_id is not None:
            self.feed(MarkReached(segment_id))

    def check_line(self) -> None:
        """Call about once a second: fills in missing sound, and gives up a line that brings none."""
        now = self._loop.time()
        if alarm := self.watchdog.look(now, lambda: self._conversation.transcript().silence_s):
            self._sound_alarm(alarm, now)
        silent_s = now - self._frame_at
        if silent_s > DEAD_S:
            self.feed(StreamStopped("no sound from the line", Outcome.LINE_FAILED))
        elif silent_s > LATE_S:
            missing = int(silent_s * 1000) // FRAME_MS
            self._frame_at += missing * FRAME_MS / 1000
            for _ in range(missing):
                self._hear_frame(SILENCE)

    # What the call came to

    def gaps(self) -> list[Gap]:
        return gaps(self._conversation.transcript().turns, self._token_at, self._sound_at)

    def transcript(self) -> Transcript:
        return self._conversation.transcript()

    @property
    def usages(self) -> list[Usage]:
        return self._replies.usages

    @property
    def characters(self) -> int:
        return self._mouth.characters

    @property
    def ears_usage(self) -> EarsUsage:
        return self._ears.usage

    @property
    def starved(self) -> int:
        return self._playout.starved

    @property
    def age_s(self) -> float:
        """Since the stream started, until it ended."""
        return (self._ended_at or self._loop.time()) - self.started_at

    def stop(self, outcome: Outcome) -> None:
        """End now, in the middle of whatever is being said."""
        if not self.ended.is_set():
            self._end(outcome)

    async def close(self) -> None:
        """Stop everything that this call set going."""
        self.ended.set()
        if self._timer:
            self._timer.cancel()
        self._pacer.forget(self._playout)
        await self._mouth.close()
        await self._replies.close()
        await self._ears.close()

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
            self._conversation.handle_timer(now)
        else:
            if type(event) is SegmentStarted:
                self._sound_at[now] = self._ready_at.pop(event.segment_id, now)
            self._conversation.receive(event, now)
        actions = self._conversation.actions()
        self._tape(now, event, actions)
        for action in actions:
            self._act(action, now)

    def _act(self, action: Action, now: float) -> None:
        match action:
            case Speak(segment_id, text):
                self._mouth.speak(segment_id, text)
            case PrepareSpeech(text):
                self._mouth.prepare(text)
            case PausePlayout():
                self._mouth.pause(now)
            case ResumePlayout():
                self._mouth.resume()
            case SaveTranscript(snapshot):
                self._record.save(snapshot)
            case StartReply():
                self._replies.start(action)
            case CancelReply(reply_id):
                self._replies.cancel(reply_id)
            case CancelSpeech():
                self._mouth.cancel()
            case ClearPlayout():
                self._playout.clear(now)
            case PressKeys(segment_id, digits):
                self._mouth.press(segment_id, digits)
            case AskPerson():
                self._record.ask(action)
            case RecordOptOut(text):
                self._record.opt_out(text)
            case RestEars():
                self._gate = EarGate()
            case WakeEars():
                self._gate = None
                self._ears.wake()
            case HangUp(outcome):
                self._end(outcome)
            case HandOver():
                self._end(Outcome.HANDED_OVER)

    def _end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self._ended_at = self._loop.time()
        self.ended.set()

    def _arm(self) -> None:
        deadline = None if self.ended.is_set() else self._conversation.next_deadline()
        if deadline is None and not self.ended.is_set():  # closed without a last action: the line went first
            self._end(self._conversation.transcript().outcome or Outcome.LINE_FAILED)
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

    # Sound in, and notes for the stage times

    def _hear_frame(self, frame: bytes) -> None:
        now = self._loop.time()
        played = None if self._playout.silent(now) else partial(self._playout.played, now)
        event = self._echo.receive(frame, self._detector.receive(frame), played)
        sound = self._sounds.receive(frame)
        voiced = self._detector.speaking
        self._ears.hear(frame, voiced=voiced)
        if voiced:
            self.watchdog.sounded(now)
        if self._gate:
            match self._gate.receive(voice=voiced and not self._sounds.musical):
                case True:
                    self._ears.wake()
                case False:
                    self._ears.rest()
        self._monitor(0, frame)
        if event:
            self.feed(event)
        if sound:
            self.feed(sound)

    def _said(self, sound: bytes) -> None:
        self.watchdog.sounded(self._loop.time())
        self._monitor(1, sound)

    def _sound_alarm(self, alarm: Alarm, now: float) -> None:
        """Nobody has made a sound for far too long: whatever should have spoken is stuck."""
        logger.error("dead air: %s", alarm.name)
        if alarm is Alarm.HANG_UP:
            self._end(Outcome.VENDOR_FAILED)
            return
        self._mouth.cancel()
        self._playout.clear(now)
        self._mouth.speak(f"watchdog.{alarm.name}", FILLERS[0] if alarm is Alarm.SPEAK else APOLOGY)

    def _heard(self, event: Heard) -> None:
        self.feed(event)

    def _note_token(self, reply_id: int) -> None:
        self._token_at[reply_id] = self._loop.time()

    def _note_sound(self, segment_id: str, at: float) -> None:
        self._ready_at[segment_id] = at
