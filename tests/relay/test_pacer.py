"""Play-out: what leaves when, in which order, and what a clear makes void."""

from __future__ import annotations

import base64
import json

from floyd.mulaw import FRAME_SAMPLES
from relay.core.events import SegmentSent, SegmentStarted
from relay.media_stream import Outbound
from relay.pacer import AHEAD_S, Playout, Segment

SECOND = b"\x11" * 8000


class Ear:
    """The far end of one play-out: collects what arrives."""

    def __init__(self) -> None:
        self.messages: list[dict[str, object]] = []
        self.events: list[SegmentStarted | SegmentSent] = []
        self.monitored = b""
        self.segments: dict[str, Segment] = {}
        self.playout = Playout(Outbound("MZ1"), self._take, self.events.append, self._monitor)

    def begin(self, name: str) -> None:
        self.segments[name] = Segment(name)
        self.playout.queue(self.segments[name])

    def add(self, name: str, sound: bytes) -> None:
        self.segments[name].sound += sound

    def complete(self, name: str) -> None:
        self.segments[name].end()

    def _take(self, message: str) -> None:
        self.messages.append(json.loads(message))

    def _monitor(self, sound: bytes) -> None:
        self.monitored += sound

    def sound(self) -> bytes:
        media = [message["media"] for message in self.messages if message["event"] == "media"]
        return b"".join(base64.b64decode(each["payload"]) for each in media if isinstance(each, dict))

    def marks(self) -> list[str]:
        marks = [message["mark"] for message in self.messages if message["event"] == "mark"]
        return [str(each["name"]) for each in marks if isinstance(each, dict)]

    def run(self, since: float, seconds: float) -> float:
        """Pump every 20 ms; the most sound that was ever on its way, in seconds."""
        most = 0.0
        for tick in range(int(seconds / 0.02) + 1):
            self.playout.pump(since + tick * 0.02)
            most = max(most, len(self.sound()) / 8000 - tick * 0.02)
        return most


def test_sound_is_never_further_ahead_of_the_ear_than_allowed_and_never_dry() -> None:
    """Fails if a barge-in would throw away more than a fifth of a second, or the callee would hear holes."""
    ear = Ear()
    ear.begin("a")
    ear.add("a", SECOND * 3)
    ear.complete("a")
    assert ear.run(100.0, 3.0) <= AHEAD_S + 1e-6
    assert ear.sound() == SECOND * 3
    assert ear.playout.starved == 0
    assert ear.events == [SegmentStarted("a"), SegmentSent("a", 3.0)]
    assert ear.marks() == ["a.0"]
    assert ear.monitored == ear.sound()


def test_the_first_sound_leaves_at_once() -> None:
    """Fails if the first frame waited for a whole piece or a tick."""
    ear = Ear()
    ear.begin("a")
    ear.add("a", b"\x11" * FRAME_SAMPLES)
    ear.playout.pump(5.0)
    assert len(ear.sound()) == FRAME_SAMPLES
    assert ear.events == [SegmentStarted("a")]


def test_segments_never_overtake_each_other() -> None:
    """Fails if a sentence whose sound came early were heard before the one in front of it."""
    ear = Ear()
    ear.begin("a")
    ear.begin("b")
    ear.add("b", b"\x22" * FRAME_SAMPLES)
    ear.complete("b")
    ear.playout.pump(1.0)
    assert ear.messages == []
    ear.add("a", b"\x11" * FRAME_SAMPLES)
    ear.complete("a")
    ear.playout.pump(1.0)
    assert ear.sound() == b"\x11" * FRAME_SAMPLES + b"\x22" * FRAME_SAMPLES
    assert ear.marks() == ["a.0", "b.0"]


def test_whole_frames_leave_and_the_last_one_is_filled_up() -> None:
    """Fails if half a frame left in the middle of a sentence, or its end were lost."""
    ear = Ear()
    ear.begin("a")
    ear.add("a", b"\x11" * (FRAME_SAMPLES + 50))
    ear.playout.pump(1.0)
    assert len(ear.sound()) == FRAME_SAMPLES
    ear.complete("a")
    ear.playout.pump(1.0)
    assert ear.sound() == b"\x11" * (FRAME_SAMPLES + 50) + b"\xff" * (FRAME_SAMPLES - 50)


def test_after_a_cancel_nothing_leaves_and_after_a_clear_old_marks_are_void() -> None:
    """Fails if cut speech went on, or the marks that a clear returns counted as heard."""
    ear = Ear()
    ear.begin("a")
    ear.add("a", SECOND)
    ear.complete("a")
    ear.begin("b")
    ear.playout.pump(1.0)
    sent = len(ear.sound())
    ear.playout.cancel()
    ear.playout.clear(1.1)
    ear.add("a", SECOND)
    ear.playout.pump(2.0)
    assert len(ear.sound()) == sent
    assert ear.messages[-1] == {"event": "clear", "streamSid": "MZ1"}
    assert ear.playout.segment_of("a.0") is None
    ear.begin("c")
    ear.add("c", b"\x33" * FRAME_SAMPLES)
    ear.complete("c")
    ear.playout.pump(2.0)
    assert ear.playout.segment_of(ear.marks()[-1]) == "c"
    assert ear.playout.segment_of("somebody else's") is None


def test_a_hole_in_the_sound_is_counted_once() -> None:
    """Fails if a callee could hear our speech break off without a trace in the log."""
    ear = Ear()
    ear.begin("a")
    ear.add("a", b"\x11" * FRAME_SAMPLES)
    ear.run(1.0, 0.5)
    ear.add("a", b"\x11" * FRAME_SAMPLES)
    ear.complete("a")
    ear.run(2.0, 0.1)
    assert ear.playout.starved == 1


def test_a_dropped_segment_makes_room_without_a_mark() -> None:
    """Fails if a sentence that could not be synthesised blocked all later ones, or counted as heard."""
    ear = Ear()
    ear.begin("a")
    ear.begin("b")
    ear.add("b", b"\x22" * FRAME_SAMPLES)
    ear.complete("b")
    ear.playout.drop(ear.segments["a"])
    ear.playout.pump(1.0)
    assert ear.marks() == ["b.0"]


def test_whoever_is_told_may_cancel_at_once() -> None:
    """Fails if cancelling from within a report broke the pump."""
    ear = Ear()
    ear.playout = Playout(Outbound("MZ1"), ear._take, lambda event: ear.playout.cancel(), lambda sound: None)
    ear.begin("a")
    ear.add("a", SECOND)
    ear.playout.pump(1.0)
    assert ear.playout.idle


def loud_and_quiet() -> bytes:
    """Half a second of voice, a breath of 40 ms, then voice again."""
    return b"\x11" * 4000 + b"\xf0" * 320 + b"\x12" * 8000


def test_a_pause_is_silence_at_once_and_what_was_not_heard_is_sent_again() -> None:
    """Fails if a cough made Floyd skip words, or stutter."""
    ear = Ear()
    sound = loud_and_quiet()
    for name in ("a", "b"):
        ear.begin(name)
        ear.add(name, sound)
        ear.complete(name)
    ear.run(1.0, 0.7)
    ear.playout.pause(1.7)
    sent = len(ear.sound())
    assert ear.messages[-1]["event"] == "clear"
    assert ear.playout.idle
    ear.run(1.7, 1.0)
    assert len(ear.sound()) == sent
    ear.playout.resume()
    ear.run(3.0, 5.0)
    assert ear.sound()[sent:].startswith(sound[4160:]), "from the breath before the place where the ear was"
    assert ear.marks() == ["a.1", "b.1"]
    assert ear.events[0] == SegmentStarted("a")
    assert ear.events[1:] == [
        SegmentSent("a", (len(sound) - 4160) / 8000),
        SegmentStarted("b"),
        SegmentSent("b", len(sound) / 8000),
    ]


def test_a_sentence_that_was_sent_but_not_heard_out_counts_only_after_the_pause() -> None:
    """Fails if the end of a sentence that a pause swallowed counted as heard, or its mark never came."""
    ear = Ear()
    ear.begin("a")
    ear.add("a", SECOND)
    ear.complete("a")
    ear.run(1.0, 0.9)
    assert ear.marks() == ["a.0"]
    ear.playout.pause(1.9)
    assert ear.playout.segment_of("a.0") is None
    ear.playout.resume()
    ear.run(2.5, 0.8)
    assert ear.marks() == ["a.0", "a.1"]
    assert ear.playout.segment_of("a.1") == "a"


def test_what_the_ear_had_is_known() -> None:
    """Fails if an echo were sought in sound that nobody has heard yet, or at the wrong moment."""
    ear = Ear()
    ear.begin("a")
    ear.add("a", SECOND)
    ear.complete("a")
    ear.run(1.0, 0.5)
    assert ear.playout.played(1.5) == b"\xff" * 4000 + b"\x11" * 4000
    ear.run(1.5, 1.5)
    assert ear.playout.played(2.5) == b"\x11" * 4000 + b"\xff" * 4000
    assert ear.playout.silent(3.1)
