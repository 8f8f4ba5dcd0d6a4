"""A whole session in virtual time: real detectors, play-out, ears and mouth, on a telephone line that is arithmetic.

The event loop's clock jumps to the next timer as soon as nothing is left to do, so an hour on hold takes seconds and
every run of a test is the same. Vendors are written down by the test; callee and Floyd speak in audible code.
"""

from __future__ import annotations

import asyncio
import base64
import json
import selectors
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from floyd import lines
from floyd.errors import VendorError
from relay.core.actions import AskPerson
from relay.core.brief import Brief
from relay.core.conversation import Conversation
from relay.core.events import CallStarted, Event, PersonAnswered
from relay.core.policy import Policy
from relay.core.transcript import Transcript
from relay.ears import Result, Sound
from relay.media_stream import Outbound
from relay.mind import Delta, Prompt, Thought, ToolCall, Usage
from relay.pacer import Pacer
from relay.replying import Breaker
from relay.session import Session, Tools
from relay.turns import CallRecord
from relay.voice import PunctualVoice
from standins import tones
from standins.listener import Ears, Final, Interim, Listener
from standins.phone_network.line import QUIET, PlayOut
from standins.phone_network.script import Script
from standins.phone_network.sounds import Room
from tests.relay.core.play import brief

FRAME = 160
FRAME_S = 0.02
RETURN_S = 0.03
"""From the ear back to us, for a mark."""
EARS = Ears([], "tones")


class _Selector(selectors.DefaultSelector):
    """Never waits: lets the clock jump over the time in which nothing would happen."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everybody waits and nothing will ever happen")
        if not ready and timeout and timeout > 0:
            self.loop.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is its own."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.now = 1000.0
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def play(call: Coroutine[Any, Any, Any]) -> Any:
    """Run this in virtual time to its end; nothing of it may be left running."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(call)


class Recogniser:
    """Hears audible code at the pace of the sound."""

    lifetime_s = 300.0

    def __init__(self) -> None:
        self.streams = 0

    async def recognise(
        self, chunks: AsyncIterator[bytes], *, sound: Sound, language: str, report: Callable[[Result], None]
    ) -> None:
        self.streams += 1
        listener = Listener(EARS)
        async for chunk in chunks:
            for heard in await listener.feed(chunk):
                _tell(heard, report)
        for heard in await listener.finish():
            _tell(heard, report)

    def warm(self) -> None: ...


def _tell(heard: object, report: Callable[[Result], None]) -> None:
    match heard:
        case Interim(text, end_ms, stability):
            report(Result(text, False, stability, round(end_ms)))
        case Final(text, _, end_ms, confidence):
            report(Result(text, True, confidence, round(end_ms)))


Step = str | float | ToolCall | VendorError
"""Of a reply: text, seconds to wait, a tool, or the end by a fault."""
Replies = Callable[[int, Prompt], Sequence[Step]]


def says(*texts: str) -> Replies:
    """These replies one after the other, then the last one again and again."""
    return lambda number, prompt: [0.3, texts[min(number, len(texts) - 1)]]


class Mind:
    """Thinks what `replies` say; a word is a token, 20 ms apart."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self.asked: list[tuple[float, str]] = []
        """When, and which model."""

    async def think(self, prompt: Prompt, *, model: str) -> AsyncGenerator[Thought, None]:
        loop = asyncio.get_running_loop()
        self.asked.append((loop.time(), model))
        for step in self._replies(len(self.asked) - 1, prompt):
            match step:
                case str():
                    for word in step.split():
                        await asyncio.sleep(0.02)
                        yield Delta(f"{word} ")
                case ToolCall():
                    yield step
                case VendorError():
                    raise step
                case _:
                    await asyncio.sleep(step)
        yield Usage(model, 100, 0, 10)

    async def warm(self) -> None: ...


class Voice:
    """Speaks in audible code, twice as fast as it is heard; `fault` may have a text fail, hang or break off."""

    name = "voice"

    def __init__(self, fault: Callable[[int, str, bytes], tuple[float, bytes | VendorError]] | None = None) -> None:
        self._fault = fault
        self._asked = count()

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        delay_s, sound = 0.1, tones.encode(text)
        if self._fault:
            delay_s, given = self._fault(next(self._asked), text, sound)
            if isinstance(given, VendorError):
                await asyncio.sleep(delay_s)
                raise given
            sound = given
        await asyncio.sleep(delay_s)
        for at in range(0, len(sound), 10 * FRAME):
            yield sound[at : at + 10 * FRAME]
            await asyncio.sleep(0.1)

    def warm(self) -> None: ...


class Record(CallRecord):
    """Keeps what a store would; the person answers what `answers` say."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.asked: list[AskPerson] = []
        self.opted_out = 0
        self.tell: Callable[[Event], None] = lambda event: None
        self._answers = answers

    def save(self, snapshot: Transcript) -> None: ...

    def ask(self, action: AskPerson) -> None:
        self.asked.append(action)
        for part, answer in self._answers.items():
            if part in action.question:
                event = PersonAnswered(action.question_id, answer)
                asyncio.get_running_loop().call_later(5.0, self.tell, event)

    def opt_out(self) -> None:
        self.opted_out += 1


class Call:
    """One session and the line to it. What the callee says is queued by `say`; `ear` is what they have heard."""

    def __init__(
        self,
        replies: Replies | None = None,
        *,
        plan: Brief | None = None,
        policy: Policy | None = None,
        voice: Voice | None = None,
        room: Mapping[str, object] | None = None,
        answers: Mapping[str, str] | None = None,
        models: Sequence[str] = ("first", "fallback"),
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.plan = plan or brief()
        self.mind, self.recogniser, self.record = Mind(replies or says("I see.")), Recogniser(), Record(answers or {})
        self.ear, self.mouth = bytearray(), bytearray()
        self.clears = 0
        self.marks_lost = self.dead = False
        self.source: Callable[[], bytes | None] = lambda: None
        """The next frame of the callee where nothing is queued."""
        self.on_frame: Callable[[bytes], None] = lambda frame: None
        """Is given every frame that reaches the ear."""
        self._room = Room(Script.model_validate(dict(room or {})))
        self._playout, self._queue, self._ticks = PlayOut(), bytearray(), 0
        self._changed = asyncio.Event()
        stock = {text: tones.encode(text) for text in (*lines.stock(self.plan.on_behalf_of), *self.plan.opening)}
        tools = Tools(self.recogniser, self.mind, PunctualVoice(voice or Voice()), Pacer(), Breaker(*models))
        self.session = Session(
            Conversation(self.plan, policy or Policy()),
            tools,
            self.record,
            send=self._take,
            monitor=lambda track, sound: None,
            tape=lambda now, event, actions: None,
            outbound=Outbound("MZ1"),
            prompt=Prompt("rules", (), "key", "person"),
            rendered=stock,
            language="en-US",
        )
        self.record.tell = self.session.feed
        self.began = self.loop.time()
        self.session.begin(CallStarted("CA1", "MZ1"), self.began)
        self._timer = self.loop.call_at(self.began + FRAME_S, self._tick)

    # The callee

    def say(self, what: str | bytes) -> None:
        """After what is queued already."""
        sound = tones.encode(what) if isinstance(what, str) else what
        self._queue += sound.ljust(-(-len(sound) // FRAME) * FRAME, b"\xff")

    def quiet(self, seconds: float) -> None:
        self.say(b"\xff" * round(8000 * seconds))

    @property
    def talking(self) -> bool:
        return bool(self._queue)

    def words(self) -> str:
        """What reached the ear."""
        return tones.decode(bytes(self.ear))

    @property
    def transcript(self) -> Transcript:
        return self.session.conversation.transcript()

    # Time

    @property
    def age_s(self) -> float:
        return self.loop.time() - self.began

    @property
    def over(self) -> bool:
        return self.session.ended.is_set()

    async def until(self, condition: Callable[[], object], within_s: float = 120.0) -> None:
        """Wait until it holds; looked at with every frame."""
        async with asyncio.timeout(within_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def said(self) -> None:
        """Until the callee has said all that is queued."""
        await self.until(lambda: not self.talking, 1000.0)

    async def ended(self, within_s: float = 120.0) -> None:
        """Until the conversation wants no more."""
        await self.until(lambda: self.over, within_s)

    async def wait(self, seconds: float) -> None:
        at = self.loop.time() + seconds
        await self.until(lambda: self.loop.time() >= at, seconds + 10.0)

    async def heard(self, words: str, within_s: float = 120.0) -> None:
        """Until the ear has had these words, however long ago."""
        wanted = " ".join(tones.spoken_words(words))
        await self.until(lambda: self._ticks % 10 == 0 and wanted in self.words(), within_s)

    async def quiet_line(self, seconds: float = 1.0, within_s: float = 60.0) -> None:
        """Until nobody has made a sound for so long."""
        frames = round(8000 * seconds)
        await self.until(lambda: not self.talking and not self.ear[-frames:].strip(b"\xff"), within_s)

    async def hang_up(self, event: Event | None = None) -> None:
        """The line closes, with this event if any; everything that the call set going is over when this returns."""
        if event:
            self.session.feed(event)
        self._timer.cancel()
        await self.session.close()

    def _tick(self) -> None:
        self._ticks += 1
        frame, names = self._playout.take(self.loop.time())
        self._return(names)
        self.ear += frame or QUIET
        self.on_frame(frame or QUIET)
        made, self._queue = bytes(self._queue[:FRAME]) or self.source() or QUIET, self._queue[FRAME:]
        made = QUIET if made == QUIET else made
        self.mouth += made
        if not self.over:
            if not self.dead:
                self.session.hear(self._room.add(made, frame or QUIET))
            if self._ticks % 50 == 0:
                self.session.check_line()
        self._changed.set()
        self._timer = self.loop.call_at(self.began + (self._ticks + 1) * FRAME_S, self._tick)

    # The carrier

    def _take(self, message: str) -> None:
        document = json.loads(message)
        match document["event"]:
            case "media":
                self._playout.media(base64.b64decode(document["media"]["payload"]), self.loop.time())
            case "mark":
                name = document["mark"]["name"]
                if self._playout.mark(name):
                    self._return([name])
            case _:
                self.clears += 1
                self._return(self._playout.clear())

    def _return(self, names: Sequence[str]) -> None:
        for name in names if not self.marks_lost else ():
            self.loop.call_later(RETURN_S, self.session.mark, name)


def on_hold(plan: Brief, held_s: float) -> Brief:
    """This call as the next relay takes it up."""
    return replace(plan, line="hold", held_s=held_s)
