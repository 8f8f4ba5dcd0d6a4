"""Lines on their way out of a mouth, 20 ms at a time. Pure: time is an argument."""

from collections import deque

from standins.phone_network.person import Said
from standins.phone_network.sound import QUIET, Clip, Frame, frame_of

NOISE = tuple(
    frame_of(bytes(0xFC + (7 * place * place + 13 * start) % 4 for place in range(160))) for start in range(8)
)
"""Faint noise, about -75 dBFS: the four smallest mu-law steps in no order that the ear would notice."""


class Mouth:
    """Speaks one clip after another."""

    def __init__(self, noise: bool = False) -> None:
        self.said: list[Said] = []
        self._clips: deque[Clip] = deque()
        self._clip: Clip | None = None
        self._at = 0
        self._idle = NOISE if noise else (QUIET,)
        self._ticks = 0

    @property
    def speaking(self) -> bool:
        """Whether a clip is under way or waits."""
        return self._clip is not None or bool(self._clips)

    def say(self, clip: Clip) -> None:
        """Queue it; a clip without sound is nothing said."""
        if clip.frames:
            self._clips.append(clip)

    def tick(self, now: float) -> Frame:
        """The next 20 ms."""
        if self._clip is None and self._clips:
            self._clip, self._at = self._clips.popleft(), 0
            self.said.append(Said(self._clip.text, now))
        if self._clip is None:
            self._ticks += 1
            return self._idle[self._ticks % len(self._idle)]
        frame = self._clip.frames[self._at]
        self._at += 1
        if self._at == len(self._clip.frames):
            self._clip = None
            self.said[-1].end = now
        return frame
