"""When ears are worth their price on hold: while something like a voice sounds, and a little longer."""

from floyd.mulaw import FRAME_MS

WAKE_MS = 300
"""So much voice within a second wakes: shorter than a word of greeting, longer than a beat of the music."""
REST_MS = 4000
"""Quiet after which the recogniser has reported all it heard."""


class EarGate:
    """Feed every frame while nobody is on the line. Ears are awake at first, since words may be on their way."""

    def __init__(self) -> None:
        self._awake = True
        self._voice_ms = 0
        self._quiet_ms = 0

    def receive(self, *, voice: bool) -> bool | None:
        """`voice`: loud and not musical. True: wake the ears; False: let them rest; None: as before."""
        self._quiet_ms = 0 if voice else self._quiet_ms + FRAME_MS
        self._voice_ms = self._voice_ms + FRAME_MS if voice else max(0, self._voice_ms - FRAME_MS // 2)
        change = self._quiet_ms < REST_MS if self._awake else self._voice_ms >= WAKE_MS
        if change == self._awake:
            return None
        self._awake = change
        self._voice_ms = 0
        return change
