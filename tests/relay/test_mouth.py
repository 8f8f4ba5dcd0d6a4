"""The mouth: where a segment's sound comes from, and what happens when it does not come."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from floyd.errors import VendorError
from floyd.lines import FILLERS, speech_name
from floyd.store import Speech, Store
from relay import mouth as mouth_module
from relay.core import dtmf
from relay.core.events import SegmentFailed, SegmentSent, SegmentStarted
from relay.media_stream import Outbound
from relay.mouth import Mouth, RenderedLines
from relay.pacer import Pacer, Playout

SOUND = b"\x11" * 160
AWAY = VendorError("voice", "away", retryable=True)
REFUSED = VendorError("voice", "refused", retryable=False)


class ScriptedVoice:
    """A synthesiser that does what a test wrote down, one script per text."""

    name = "voice"

    def __init__(self, *scripts: Sequence[bytes | Exception]) -> None:
        self._scripts = list(scripts)
        self.asked: list[str] = []

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        self.asked.append(text)
        for step in self._scripts.pop(0):
            if isinstance(step, Exception):
                raise step
            yield step

    def warm(self) -> None: ...


class Ear:
    """The far end, and what was reported."""

    def __init__(
        self,
        *scripts: Sequence[bytes | Exception],
        rendered: dict[str, bytes] | None = None,
        voice: ScriptedVoice | None = None,
    ) -> None:
        self.heard = b""
        self.events: list[SegmentStarted | SegmentSent | SegmentFailed] = []
        self.gives_up = False
        """Whether the conversation wants no other segment either when one has failed."""
        self._changed = asyncio.Event()
        self.voice = voice or ScriptedVoice(*scripts)
        pacer = Pacer()
        self.playout = Playout(Outbound("MZ1"), self._take, self._report, lambda sound: None)
        self.mouth = Mouth(self.voice, self.playout, pacer, rendered or {}, self._report)

    def _take(self, message: str) -> None:
        document = json.loads(message)
        if document["event"] == "media":
            self.heard += base64.b64decode(document["media"]["payload"])

    def _report(self, event: SegmentStarted | SegmentSent | SegmentFailed) -> None:
        self.events.append(event)
        if isinstance(event, SegmentFailed) and self.gives_up:
            self.mouth.cancel()
        self._changed.set()

    async def until(self, event: SegmentStarted | SegmentSent | SegmentFailed) -> None:
        async with asyncio.timeout(5):
            while event not in self.events:
                self._changed.clear()
                await self._changed.wait()


async def test_prepared_lines_need_no_vendor() -> None:
    """Fails if the first word of a call waited for a synthesiser."""
    ear = Ear(rendered={"Hello.": SOUND})
    ear.mouth.speak("a", "Hello.")
    assert ear.heard == SOUND
    assert ear.events == [SegmentStarted("a"), SegmentSent("a", 0.02)]
    assert list(ear.playout.ready_at) == ["a"]
    assert ear.voice.asked == []


async def test_segments_are_synthesised_side_by_side_and_heard_in_order() -> None:
    """Fails if sentences changed places, or their characters were not counted."""
    ear = Ear([SOUND], [b"\x22" * 160])
    ear.mouth.speak("a", "One.")
    ear.mouth.speak("b", "Two.")
    await ear.until(SegmentSent("b", 0.02))
    assert ear.heard == SOUND + b"\x22" * 160
    assert ear.mouth.characters == 8


async def test_keys_are_tones() -> None:
    """Fails if a menu could not hear our keys."""
    ear = Ear()
    ear.mouth.press("k", "1")
    await ear.until(SegmentSent("k", len(dtmf.render("1")) / 8000))
    assert ear.heard == dtmf.render("1")


async def test_a_failure_before_the_first_sound_is_tried_once_more() -> None:
    """Fails if one lost request silenced a sentence."""
    ear = Ear([AWAY], [SOUND])
    ear.mouth.speak("a", "Hello.")
    await ear.until(SegmentSent("a", 0.02))
    assert ear.voice.asked == ["Hello.", "Hello."]


async def test_what_fails_for_good_or_breaks_off_is_reported() -> None:
    """Fails if the conversation waited for ever for a sentence, or the callee heard one twice."""
    scripts: list[list[bytes | Exception]] = [[REFUSED], [SOUND, AWAY]]
    for script in scripts:
        ear = Ear(script)
        ear.mouth.speak("a", "Hello.")
        failure = next(str(step) for step in script if isinstance(step, Exception))
        await ear.until(SegmentFailed("a", failure))
        assert ear.voice.asked == ["Hello."]
    silent = Ear([], [])
    silent.mouth.speak("a", "Hello.")
    await silent.until(SegmentFailed("a", "voice: no sound at all"))


async def test_nothing_follows_a_failure_before_it_was_reported() -> None:
    """Fails if the callee heard the first sound of a sentence that the failure before it made void."""
    ear = Ear([REFUSED], rendered={"Two.": SOUND})
    ear.gives_up = True
    ear.mouth.speak("a", "One.")
    ear.mouth.speak("b", "Two.")
    await ear.until(SegmentFailed("a", str(REFUSED)))
    await ear.mouth.close()
    assert ear.heard == b""


class LateVoice(ScriptedVoice):
    """Says nothing until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_speak = asyncio.Event()

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        await self.may_speak.wait()
        yield SOUND


@pytest.mark.parametrize("greeted", [True, False])
async def test_a_voice_that_keeps_the_callee_waiting_is_covered(monkeypatch: pytest.MonkeyPatch, greeted: bool) -> None:
    """Fails if a slow voice were dead air, or the first words of a call were not the disclosure."""
    monkeypatch.setattr(mouth_module, "COVER_S", 0.03)
    filler, voice = b"\x33" * 160, LateVoice()
    ear = Ear(rendered={FILLERS[0]: filler, "Hello.": SOUND}, voice=voice)
    if greeted:
        ear.mouth.speak("greeting", "Hello.")
    ear.mouth.speak("a", "Yes, she is.")
    if greeted:
        await ear.until(SegmentStarted("a"))
        assert ear.heard.startswith(SOUND + filler)
    else:
        asyncio.get_running_loop().call_later(0.1, voice.may_speak.set)
    voice.may_speak.set() if greeted else await voice.may_speak.wait()
    await ear.until(SegmentSent("a", 0.34 if greeted else 0.02))
    assert ear.heard.endswith(SOUND)
    assert (filler in ear.heard) is greeted


async def test_nothing_leaves_after_a_cancel() -> None:
    """Fails if an interrupted sentence went on."""
    ear = Ear([SOUND])
    ear.mouth.speak("a", "Hello.")
    ear.mouth.cancel()
    await ear.mouth.close()
    assert ear.heard == b""
    assert ear.events == []


async def test_what_was_prepared_is_heard_at_once_and_only_when_it_is_said() -> None:
    """Fails if an answer thought ahead were spoken before its turn, or synthesised twice."""
    ear = Ear([SOUND, SOUND], [SOUND])
    ear.mouth.prepare("Thank you very much for telling me that.")
    await asyncio.gather(*ear.mouth._tasks)
    assert ear.heard == b""
    ear.mouth.speak("a", "Thank you very much for telling me that.")
    assert ear.heard == SOUND * 2
    assert ear.events == [SegmentStarted("a"), SegmentSent("a", 0.04)]
    assert list(ear.playout.ready_at) == ["a"]
    ear.mouth.prepare("Something that is never said after all.")
    ear.mouth.prepare("Hello.")
    await ear.mouth.close()
    assert not ear.mouth._tasks


async def test_preparing_that_failed_is_begun_again() -> None:
    """Fails if a hiccup before the turn was over silenced the answer."""
    ear = Ear([REFUSED], [SOUND])
    ear.mouth.prepare("Hello.")
    await asyncio.gather(*ear.mouth._tasks)
    ear.mouth.speak("a", "Hello.")
    await ear.until(SegmentSent("a", 0.02))


async def test_short_clauses_are_synthesised_once() -> None:
    """Fails if "Thank you." waited for a vendor every time it is said."""
    ear = Ear([SOUND])
    ear.mouth.speak("a", "Thank you.")
    await ear.until(SegmentSent("a", 0.02))
    ear.mouth.speak("b", "Thank you.")
    assert ear.events[-1] == SegmentSent("b", 0.02)
    assert ear.voice.asked == ["Thank you."]


async def keep(store: Store, voice: str, text: str) -> None:
    speech = Speech(audio=text.encode(), text=text, expires_at=datetime.now(UTC) + timedelta(hours=1))
    await store.keep_speech(speech_name(voice, text), speech)


async def test_lines_are_found_by_voice_and_text(store: Store) -> None:
    """Fails if the opening were synthesised again while the callee waits, or spoken in another voice."""
    await keep(store, "v1", "Hello.")
    for voice, found in (("v1", {"Hello.": b"Hello."}), ("v2", {})):
        lines = RenderedLines(store, voice)
        assert not await lines.load(["Hello.", "Unknown."])
        assert dict(lines) == found
        await keep(store, voice, "Unknown.")
        await keep(store, voice, "Hello.")
        assert await lines.load(["Hello.", "Unknown."]), "what was prepared meanwhile is found"


async def test_known_lines_need_no_store_and_the_oldest_are_forgotten(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fails if every call read all stock lines again, or a long-lived relay kept every opening it ever spoke."""
    monkeypatch.setattr(mouth_module, "KEPT", 2)
    lines = RenderedLines(store, "v")
    for text in ("a", "b", "c"):
        await keep(store, "v", text)
        assert await lines.load([text])
        assert lines[text] == text.encode()
    assert list(lines) == ["b", "c"]
    await store.delete(f"speech/{speech_name('v', 'c')}")
    assert await lines.load(["c"])
