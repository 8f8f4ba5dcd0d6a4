"""Is the voice that comes in our own, coming back? Told by comparing the two sounds themselves, at every delay.

Levels do not matter and no path need be learned: a stretch of an echo correlates with what it is an echo of. Whoever
talks over an echo at its own level or above it brings the correlation down, so a voice is a voice above our echo.
"""

from collections import deque
from collections.abc import Callable

import numpy as np

from floyd.mulaw import FRAME_MS, LINEAR
from relay.core.events import VoiceStarted, VoiceStopped

SAME = 0.7
"""Normalised correlation above which a stretch is an echo. Measured on 120 ms of telephone voices: nineteen in twenty
echoes down to -20 dB, in line noise, are above 0.75, and as many stretches of other speech below 0.67."""
STRETCH = 6  # frames that are compared: 120 ms, about half a syllable
SAME_VOICE_MS = 150  # a voice that goes on so soon has been judged already
_LINEAR = np.array(LINEAR, dtype=np.float32)


def is_echo(heard: bytes, played: bytes) -> bool:
    """Whether `heard` is to be found in `played`; both mu-law, the second longer."""
    # Differences, not samples: the strong low tones of any two voices are alike.
    theirs, ours = (np.diff(_LINEAR[np.frombuffer(sound, np.uint8)]) for sound in (heard, played))
    lags = len(ours) - len(theirs) + 1
    power = float(theirs @ theirs)
    if lags < 1 or power == 0.0:
        return False
    size = 1 << (len(ours) - 1).bit_length()
    spectrum = np.fft.rfft(ours, size) * np.conj(np.fft.rfft(theirs, size))
    likeness = np.abs(np.fft.irfft(spectrum, size)[:lags])
    sums = np.concatenate(([0.0], np.cumsum(np.square(ours, dtype=np.float64))))
    powers = sums[len(theirs) :][:lags] - sums[:lags]
    audible = powers > 1e-4 * powers.max(initial=1.0)
    return bool((likeness[audible] / np.sqrt(powers[audible] * power)).max(initial=0.0) > SAME)


class EchoGate:
    """Between detector and conversation: holds a voice back while it may be our own. Feed it every frame."""

    def __init__(self) -> None:
        self._heard: deque[bytes] = deque(maxlen=STRETCH)
        self._held: VoiceStarted | None = None
        self._frames = 0
        self._stopped_ms = -SAME_VOICE_MS - 1

    def receive(
        self, frame: bytes, event: VoiceStarted | VoiceStopped | None, played: Callable[[], bytes] | None
    ) -> VoiceStarted | VoiceStopped | None:
        """`event` is the detector's about this frame; `played` what the ear has had of us, None if that was silence."""
        self._heard.append(frame)
        if isinstance(event, VoiceStarted) and event.at_ms - self._stopped_ms > SAME_VOICE_MS:
            self._held, self._frames = event, STRETCH // 2  # a voice begins some frames before the detector says so
        elif event and self._held:
            self._held = None
            return None
        if self._held is None:
            if isinstance(event, VoiceStopped):
                self._stopped_ms = event.at_ms
            return event
        self._frames += 1
        due = self._frames >= STRETCH and self._frames % (STRETCH // 2) == 0
        if played is None or (due and not is_echo(b"".join(self._heard), played())):
            # Our echo alone was heard so far: what rises above it now begins now.
            started_ms, self._held = self._held.at_ms + max(0, self._frames - STRETCH) * FRAME_MS, None
            return VoiceStarted(started_ms)
        return None
