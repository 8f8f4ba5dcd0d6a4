"""How a person follows somebody else's turns by sound alone. Pure: time is an argument."""

from standins.phone_network.sound import FRAME_S

AUDIBLE_S = 0.1
"""Shorter sounds are clicks, not a turn."""

MISSED_QUIET_S = 0.25
"""Quiet after which it is worth making out the words, so that they are known when the turn is over."""


class Ear:
    """What the ear noticed since the listener last took its own turn."""

    def __init__(self) -> None:
        self.talked_s = 0.0
        """How much sound there was."""
        self.turn_started: float | None = None
        self._since = 0.0
        self._last_loud: float | None = None

    def hear(self, loud: bool, now: float) -> None:
        """20 ms went by."""
        if loud:
            self.talked_s += FRAME_S
            self._last_loud = now
            if self.turn_started is None:
                self.turn_started = now

    def new_turn(self, now: float) -> None:
        """Forget what was said so far: it has been answered."""
        self.talked_s, self.turn_started, self._last_loud, self._since = 0.0, None, None, now

    @property
    def audible(self) -> bool:
        """Whether the other party has said something."""
        return self.talked_s >= AUDIBLE_S

    def quiet_s(self, now: float) -> float:
        """How long there has been no sound."""
        return now - (self._since if self._last_loud is None else self._last_loud)
