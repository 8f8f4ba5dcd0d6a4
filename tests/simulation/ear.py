"""The recogniser: turns what the callee says into voice events, interims and finals, as badly as it may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relay.core import events as ev

if TYPE_CHECKING:
    from tests.simulation.world import World

DETECTED_S, HANGOVER_S = 0.12, 0.2
"""Of our own voice detector: it needs some frames to believe a voice, and some to believe its end."""
SECONDS_PER_WORD = 0.25


class Ear:
    def __init__(self, world: World) -> None:
        self.world = world
        self.deaf_until = 0.0
        self._final_at = 0.0

    def hear(self, text: str, pause_after: int = 0, pause_s: float = 0.0) -> float:
        """The callee begins to say this now, with a pause after so many words; when it will be over."""
        world = self.world
        words = text.split()
        start = world.now
        stretches = [words[:pause_after], words[pause_after:]] if 0 < pause_after < len(words) else [words]
        begin, said = start, 0
        deaf = start < self.deaf_until
        for stretch in stretches:
            end = begin + SECONDS_PER_WORD * len(stretch)
            self.voice(begin, end)
            if not deaf:
                for position in range(2, len(stretch) + 1, 2):
                    self._interim(words[: said + position], start, begin + SECONDS_PER_WORD * position)
            said += len(stretch)
            begin = end + pause_s
        if not deaf:
            self.understand(words, start, end)
        return end

    def voice(self, start: float, end: float) -> None:
        """A sound that the detector takes for a voice."""
        world, ms = self.world, self.world.ms
        if not world.strikes("voice start lost", 0.3):
            world.at(start + DETECTED_S, world.feed, ev.VoiceStarted(ms(start)))
        if not world.strikes("voice stop lost", 0.3):
            world.at(end + HANGOVER_S, world.feed, ev.VoiceStopped(ms(end)))

    def _interim(self, words: list[str], start: float, end: float) -> None:
        world = self.world
        if world.strikes("interims lost", 0.7):
            return
        if world.strikes("interims wrong", 0.5):
            words = [*words[:-1], "noses"]
        heard = ev.InterimHeard(" ".join(words), 0.5, world.ms(start), world.ms(end))
        world.at(end + 0.1 + 0.05 * world.random.random(), world.feed, heard)  # before its final

    def understand(self, words: list[str], start: float, end: float) -> None:
        """One final, or one for each half: in order and after the one before unless that is the fault."""
        world, ms = self.world, self.world.ms
        if world.strikes("finals lost", 0.3):
            return
        half = len(words) // 2 if len(words) > 3 and world.strikes("finals split", 0.5) else 0
        middle = start + SECONDS_PER_WORD * half
        parts = [(words[:half], start, middle), (words[half:], middle, end)] if half else [(words, start, end)]
        for part, part_start, part_end in parts:
            final = ev.FinalHeard(" ".join(part), 0.9, ms(part_start), ms(part_end))
            at = part_end + 0.15 + 0.3 * world.random.random()
            if world.strikes("finals late", 0.4):
                at += 4.0 * world.random.random()
            if half or not world.strikes("finals out of order", 0.3):  # halves keep their order
                at = self._final_at = max(at, self._final_at)
            world.at(at, world.feed, final)
            if world.strikes("finals twice", 0.3):
                world.at(at + 2.0 * world.random.random(), world.feed, final)

    def lose(self, seconds: float) -> None:
        world = self.world
        self.deaf_until = world.now + seconds
        world.feed(ev.EarLost("gone"))
        world.later(seconds, world.feed, ev.EarRestored())
