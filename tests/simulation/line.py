"""Our voice, the carrier's buffer and the ear at its end: what is spoken takes time, and what is cut is cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay.core import events as ev

if TYPE_CHECKING:
    from tests.simulation.world import World

SECONDS_PER_WORD = 0.28
AHEAD_S = 0.2
"""How far the pacer runs ahead of the ear."""
RETURN_S = 0.03
"""From the ear back to us."""


@dataclass(slots=True, eq=False)
class Sound:
    """One segment on its way to the ear."""

    segment_id: str
    text: str
    left: float
    """Seconds that the ear has not had when it begins, or goes on after a pause."""
    start: float = 0.0
    end: float = 0.0
    begun: bool = False
    sent: bool = False
    whole: bool = False
    """The ear got all of it."""
    over: bool = False
    """Cut, or its mark has come back."""
    version: int = 0
    """Of its times; what was arranged for an older one does not happen."""
    breaks_off: bool = False


class Line:
    def __init__(self, world: World) -> None:
        self.world = world
        self.sounds: list[Sound] = []
        self.free_at = 0.0
        self.stalled = False
        self.paused = False

    def speak(self, segment_id: str, text: str, seconds: float | None = None) -> None:
        world = self.world
        first = 0.05 + 0.25 * world.random.random()
        if self.stalled or world.strikes("voice stalls", 0.3):
            self.stalled = True
            return
        if world.strikes("voice slow", 0.3):
            first += 6.0 * world.random.random()
        if world.strikes("voice fails", 0.3):
            self.free_at = max(world.now + first, self.free_at)  # what follows waits for it
            world.at(self.free_at, world.feed, ev.SegmentFailed(segment_id, "broke"))
            return
        sound = Sound(segment_id, text, seconds or SECONDS_PER_WORD * (text.count(" ") + 1))
        self.stalled = sound.breaks_off = world.strikes("voice breaks off", 0.2)
        self.sounds.append(sound)
        if not self.paused:
            self._arrange(sound, world.now + first)

    def _arrange(self, sound: Sound, earliest: float) -> None:
        world, begin = self.world, max(earliest, self.free_at)
        self.free_at = sound.end = begin + sound.left
        if not sound.begun:
            sound.start = begin
            world.at(begin, self._start, sound, sound.version)
        if not sound.breaks_off:
            world.at(max(begin, sound.end - AHEAD_S), self._send, sound, sound.version)
            world.at(sound.end, self._end, sound, sound.version)

    def cancel(self) -> None:
        """Nothing more of what is not wholly sent leaves us; what the carrier has still plays."""
        self.stalled = self.paused = False
        self.free_at = self.world.now
        for sound in self._outstanding():
            if sound.sent:
                self.free_at = sound.end
            else:
                sound.over = True
                sound.version += 1

    def clear(self) -> None:
        """The carrier drops what it has and returns the marks it holds, played or not."""
        world = self.world
        for sound in self._outstanding():
            sound.over = True
            sound.version += 1
            if world.random.random() < 0.5:
                world.later(RETURN_S, world.feed, ev.MarkReached(sound.segment_id))
        self.free_at = world.now
        world.callee.floyd_fell_silent()

    def pause(self) -> None:
        """Silence at once; what the ear has not had is kept, and marks on their way back are void."""
        self.paused = True
        for sound in self._outstanding():
            sound.left = max(0.0, sound.end - max(sound.start, self.world.now)) if sound.end else sound.left
            sound.version += 1
            sound.sent = False
            if sound.whole and self.world.random.random() < 0.3:  # its mark was taken in before the pause
                self.world.later(0.0, self._return, sound, sound.version)

    def resume(self) -> None:
        """Go on shortly before where the ear was."""
        self.paused = False
        self.free_at = self.world.now
        for sound in self._outstanding():
            if sound.whole:  # only its mark is sent again
                sound.left = 0.0
                self.world.later(0.0, self._send, sound, sound.version)
                self.world.later(RETURN_S, self._return, sound, sound.version)
            else:
                sound.left += 0.3 * self.world.random.random() * sound.begun
                self._arrange(sound, self.world.now)

    def _outstanding(self) -> list[Sound]:
        return [sound for sound in self.sounds if not sound.over]

    def _start(self, sound: Sound, version: int) -> None:
        if version == sound.version:
            sound.begun = True
            self.world.feed(ev.SegmentStarted(sound.segment_id))
            self.world.callee.floyd_began(sound)

    def _send(self, sound: Sound, version: int) -> None:
        if version == sound.version:
            sound.sent = True
            self.world.feed(ev.SegmentSent(sound.segment_id, sound.left))

    def _end(self, sound: Sound, version: int) -> None:
        if version != sound.version:
            return
        world = self.world
        sound.whole = True
        if not world.strikes("mark lost", 0.3):
            late = 1.0 + 3.0 * world.random.random() if world.strikes("mark late", 0.3) else RETURN_S
            world.later(late, self._return, sound, version)
        world.callee.floyd_said(sound)
        if self.free_at <= world.now:
            world.callee.floyd_fell_silent()

    def _return(self, sound: Sound, version: int) -> None:
        if version == sound.version:
            sound.over = True
            self.world.feed(ev.MarkReached(sound.segment_id))
