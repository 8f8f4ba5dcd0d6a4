"""The driver alone, with a scripted conversation: order, one timer, cancellation, and an end whatever happens."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import pytest

from floyd.lines import FILLERS
from floyd.mulaw import SILENT_FRAME
from relay import session as session_module
from relay.core.actions import (
    Action,
    AskPerson,
    CancelSpeech,
    ClearPlayout,
    HandOver,
    HangUp,
    RestEars,
    SaveTranscript,
    Speak,
    StartReply,
    WakeEars,
)
from relay.core.conversation import Conversation
from relay.core.events import (
    CallStarted,
    Event,
    LineClassified,
    SegmentSent,
    SegmentStarted,
    StreamStopped,
    VoiceStarted,
    VoiceStopped,
)
from relay.core.outcome import Outcome
from relay.core.transcript import Transcript
from relay.ears import Result, Sound
from relay.media_stream import Outbound
from relay.mind import Delta, Prompt, Thought, Usage
from relay.pacer import Pacer
from relay.replying import Breaker
from relay.session import Session, Tools
from relay.turns import CallRecord
from relay.watchdog import Watchdog
from standins.phone_network.sounds import sound
from standins.tones import encode

SOUND = b"\x11" * 160
STARTED = CallStarted("CA1", "MZ1")


class ScriptedConversation(Conversation):
    """Answers inputs with what a test wrote down."""

    def __init__(self, answers: dict[type[Event] | None, list[list[Action]]]) -> None:
        self._answers = answers
        self._actions: list[Action] = []
        self.inputs: list[tuple[Event | None, float]] = []
        self.deadline: float | None = float("inf")
        self.broken = False
        self.line = "unknown"
        self.changed = asyncio.Event()

    def receive(self, event: Event, now: float) -> None:
        if self.broken:
            raise AssertionError("a fault of ours")
        self._take(event, now)

    def handle_timer(self, now: float) -> None:
        self.deadline = float("inf")
        self._take(None, now)

    def _take(self, event: Event | None, now: float) -> None:
        assert self._actions == [], "the driver fed an input before it had drained the actions"
        self.inputs.append((event, now))
        prepared = self._answers.get(None if event is None else type(event), [])
        self._actions = prepared.pop(0) if prepared else []
        self.changed.set()

    def actions(self) -> list[Action]:
        drained, self._actions = self._actions, []
        return drained

    def next_deadline(self) -> float | None:
        return self.deadline

    def transcript(self) -> Transcript:
        return Transcript(line=self.line)

    def kinds(self) -> list[str]:
        return ["timer" if event is None else type(event).__name__ for event, _ in self.inputs]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


class Vendors:
    """Recogniser, mind and voice that need no network."""

    name = "voice"
    lifetime_s = 300.0

    def __init__(self) -> None:
        self.heard = b""
        self.streams: list[str] = []

    async def recognise(
        self, chunks: AsyncIterator[bytes], *, sound: Sound, language: str, report: Callable[[Result], None]
    ) -> None:
        self.streams.append("open")
        try:
            async for chunk in chunks:
                self.heard += chunk
        finally:
            self.streams.append("closed")

    def warm(self) -> None: ...

    async def think(self, prompt: Prompt, *, model: str) -> AsyncGenerator[Thought, None]:
        yield Delta("Hello.")
        yield Usage(model, 1, 0, 1)

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        yield SOUND


class Record(CallRecord):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.saved: list[Transcript] = []
        self.asked: list[AskPerson] = []

    def save(self, snapshot: Transcript) -> None:
        self.saved.append(snapshot)

    def ask(self, action: AskPerson) -> None:
        self.asked.append(action)

    def opt_out(self) -> None:
        raise AssertionError("nobody opted out")


class Stage:
    """A session on a scripted conversation, and everything around it."""

    def __init__(self, answers: dict[type[Event] | None, list[list[Action]]] | None = None) -> None:
        self.conversation = ScriptedConversation(answers or {})
        self.vendors = Vendors()
        self.record = Record()
        self.sent: list[str] = []
        self.monitored: list[int] = []
        self.session = Session(
            self.conversation,
            Tools(self.vendors, self.vendors, self.vendors, Pacer(), Breaker("m")),
            self.record,
            outbound=Outbound("MZ1"),
            send=self._send,
            prompt=Prompt("rules", (), "key", "person"),
            rendered={"Hi.": SOUND, FILLERS[0]: SOUND},
            language="en-US",
            monitor=lambda track, sound: self.monitored.append(track),
            tape=lambda now, event, actions: None,
        )

    def _send(self, message: str) -> None:
        document = json.loads(message)
        self.sent.append(document["event"])
        if document["event"] == "media":
            assert base64.b64decode(document["media"]["payload"]) == SOUND

    def begin(self) -> None:
        self.session.begin(STARTED, asyncio.get_running_loop().time())


async def settle() -> None:
    """The recogniser takes what it has been sent."""
    for _ in range(4):
        await asyncio.sleep(0)


async def test_what_an_action_causes_at_once_is_taken_after_all_its_siblings() -> None:
    """Fails if an input could slip in between the actions of another."""
    transcript = Transcript()
    stage = Stage({CallStarted: [[Speak("s1", "Hi."), SaveTranscript(transcript)]]})
    stage.begin()
    assert stage.conversation.kinds() == ["CallStarted", "SegmentStarted", "SegmentSent"]
    assert stage.record.saved == [transcript]
    assert stage.sent == ["media", "mark"]
    await stage.session.close()


async def test_the_one_timer_fires_at_the_deadline_and_is_moved_with_it() -> None:
    """Fails if a deadline were missed, or an old one still fired."""
    stage = Stage()
    stage.begin()
    loop = asyncio.get_running_loop()
    stage.conversation.deadline = loop.time() + 3600
    stage.session.feed(VoiceStarted(0))
    stage.conversation.deadline = due = loop.time() + 0.01
    stage.session.feed(VoiceStopped(0))
    await stage.conversation.until(lambda: "timer" in stage.conversation.kinds())
    assert stage.conversation.kinds().count("timer") == 1
    assert stage.conversation.inputs[-1][1] >= due
    await stage.session.close()


async def test_a_reply_becomes_segments_and_the_end_is_told() -> None:
    """Fails if the model's words did not reach the conversation."""
    stage = Stage({CallStarted: [[StartReply(1, ())]]})
    stage.begin()
    await stage.conversation.until(lambda: "ReplyFinished" in stage.conversation.kinds())
    assert stage.conversation.kinds() == ["CallStarted", "ReplyText", "ReplyFinished"]
    await stage.session.close()


async def test_marks_name_their_segment_unless_a_clear_came_between() -> None:
    """Fails if cut words counted as heard."""
    stage = Stage({CallStarted: [[Speak("s1", "Hi.")]], VoiceStarted: [[CancelSpeech(), ClearPlayout()]]})
    stage.begin()
    stage.session.mark("s1.0")
    assert stage.conversation.kinds()[-1] == "MarkReached"
    stage.session.feed(VoiceStarted(0))
    stage.session.mark("s1.0")
    assert stage.conversation.kinds()[-1] == "VoiceStarted"
    assert stage.sent[-1] == "clear"
    await stage.session.close()


async def test_sound_is_cut_into_frames_for_detector_and_recogniser() -> None:
    """Fails if sound of another size were lost, or voice not noticed."""
    stage = Stage()
    stage.begin()
    for _ in range(10):
        stage.session.hear(b"\x00" * 400)
    await settle()
    assert stage.vendors.heard == b"\x00" * 3840  # all but half a chunk of the recogniser's
    assert stage.conversation.kinds() == ["CallStarted", "VoiceStarted"]
    assert stage.monitored == [0] * 25
    await stage.session.close()


async def test_ears_rest_through_music_and_wake_for_a_voice() -> None:
    """Fails if hold music were recognised at a price, or whoever comes back were not heard."""
    stage = Stage({LineClassified: [[RestEars()]], StreamStopped: [[WakeEars()]]})
    stage.begin()
    for part in (
        sound("music", 12, -20),
        SILENT_FRAME * 400,
        encode("hello this is the school how may i help you"),
        SILENT_FRAME * 250,
    ):
        for start in range(0, len(part) - 159, 160):
            stage.session.hear(part[start : start + 160])
            await settle()
    assert stage.conversation.kinds().count("LineClassified") >= 1
    assert stage.vendors.streams[:3] == ["open", "closed", "open"]
    assert stage.vendors.streams[-1] == "closed"
    stage.session.feed(StreamStopped("stop"))
    await settle()
    assert stage.vendors.streams[-1] == "open"
    await stage.session.close()


@pytest.mark.parametrize(
    ("voice_s", "line", "quiet_s", "hears"),
    [(2, "person", 1.9, True), (2, "person", 1.5, False), (0.6, "person", 5, False), (2, "menu", 5, False)],
)
async def test_whoever_talks_to_a_deaf_recogniser_soon_hears_something(
    voice_s: float, line: str, quiet_s: float, hears: bool
) -> None:
    """Fails if a callee who waits for an answer were left in silence, or noises and machines were talked to."""
    stage = Stage()
    stage.conversation.line = line
    stage.begin()
    now = stage.session.started_at
    for frame in [*[b"\x00" * 160] * round(50 * voice_s), *[SILENT_FRAME] * round(50 * quiet_s)]:
        now += 0.02
        stage.session._hear_frame(frame, now)
    await stage.session.close()
    assert stage.conversation.kinds().count("SegmentStarted") == hears


async def test_dead_air_is_broken_and_then_ended() -> None:
    """Fails if a conversation that is stuck left the callee in silence."""
    stage = Stage()
    stage.begin()
    stage.session.watchdog = Watchdog(stage.session.started_at - 20)
    stage.session.check_line()
    await stage.conversation.until(lambda: "SegmentSent" in stage.conversation.kinds())
    assert stage.sent == ["clear", "media", "mark"]
    stage.session.watchdog = Watchdog(stage.session.started_at - 60)
    for _ in range(3):
        stage.session.check_line()
    assert stage.session.outcome is Outcome.VENDOR_FAILED
    await stage.session.close()


async def test_missing_sound_is_filled_in_and_a_dead_line_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails if the recogniser's clock fell behind, or a dead socket held its place for ever."""
    stage = Stage()
    stage.begin()
    monkeypatch.setattr(session_module, "LATE_S", -1.0)
    stage.session._frame_at -= 1.0
    stage.session.check_line()
    await settle()
    assert stage.vendors.heard == SILENT_FRAME * 50
    monkeypatch.setattr(session_module, "DEAD_S", -1.0)
    stage.session.check_line()
    assert stage.conversation.inputs[-1][0] == StreamStopped("no sound from the line", Outcome.LINE_FAILED)
    await stage.session.close()


@pytest.mark.parametrize(
    ("action", "outcome"), [(HangUp(Outcome.DONE), Outcome.DONE), (HandOver(), Outcome.HANDED_OVER)]
)
async def test_the_last_action_ends_the_session(action: Action, outcome: Outcome) -> None:
    """Fails if a finished conversation kept its line, or took further inputs."""
    stage = Stage({VoiceStarted: [[action]]})
    stage.begin()
    stage.session.feed(VoiceStarted(0))
    assert stage.session.ended.is_set()
    assert stage.session.outcome is outcome
    stage.session.feed(VoiceStopped(0))
    assert stage.conversation.kinds() == ["CallStarted", "VoiceStarted"]
    await settle()
    await stage.session.close()
    assert stage.vendors.streams == ["open", "closed"]


async def test_a_conversation_without_a_deadline_is_over() -> None:
    """Fails if a call whose line went away were held for ever."""
    stage = Stage()
    stage.begin()
    stage.conversation.deadline = None
    stage.session.feed(StreamStopped("stop"))
    assert stage.session.ended.is_set()
    await stage.session.close()


async def test_a_fault_of_ours_hands_the_call_over(caplog: pytest.LogCaptureFixture) -> None:
    """Fails if a bug left the callee in silence, or ended an errand that another relay could finish."""
    stage = Stage()
    stage.begin()
    stage.conversation.broken = True
    stage.session.feed(VoiceStarted(0))
    assert stage.session.outcome is Outcome.LINE_FAILED
    assert "the conversation failed" in caplog.text
    await stage.session.close()


async def test_stage_times_are_noted() -> None:
    """Fails if nobody could tell where a turn's time went."""
    stage = Stage({CallStarted: [[StartReply(1, ()), Speak("s1", "Hi.")]]})
    stage.begin()
    await stage.conversation.until(lambda: "ReplyFinished" in stage.conversation.kinds())
    assert set(stage.session.replies.first_token_at) == {1}
    started = next(now for event, now in stage.conversation.inputs if isinstance(event, SegmentStarted))
    assert set(stage.session.sound_at) == {started}
    assert isinstance(stage.conversation.inputs[2][0], SegmentSent)
    await stage.session.close()
