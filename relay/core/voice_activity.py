"""Is there a voice? An energy detector for 20 ms mu-law frames, with a noise floor that follows the line.

Loudness is the mean of `mulaw.LOUDNESS` over a frame: one table look-up and one sum, a few microseconds. A frame is
loud when it exceeds both the tracked noise and an absolute least. A few loud frames in a row start a voice (a click
does not); a few quiet ones end it (the closure of a "t" does not).
"""

from dataclasses import dataclass

from floyd.mulaw import FRAME_MS, LOUDNESS
from relay.core.events import VoiceStarted, VoiceStopped


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Loudness is in steps of `mulaw.LOUDNESS`: 16 of them are 6 dB."""

    least_loudness: float = 14.0
    """Quieter is never a voice, on however silent a line: about -49 dB below full scale."""
    above_noise: float = 12.0
    """A voice stands out from the noise by this much."""
    start_ms: int = 60
    """So long a stretch of loud frames starts a voice: longer than a click, shorter than a syllable."""
    hangover_ms: int = 60
    """So long a stretch of quiet frames ends it."""
    closure_ms: int = 150
    """A voice that goes on sooner is the same one: its first loud frame tells. Closures inside a word last up to 90 ms,
    and whoever waits for the end of a greeting must hear of it before that."""
    noise_rise: float = 0.015
    """How fast the floor follows louder noise, as a share per quiet frame; it falls ten times as fast."""
    stuck_after_ms: int = 8000
    """A "voice" without a break for so long is a noise that began in mid-call: the floor is moved up to it."""


class VoiceDetector:
    """Feed every inbound frame in order; each answer is an event to hand on, or None."""

    def __init__(self, sensitivity: Sensitivity | None = None) -> None:
        self._sensitivity = sensitivity or Sensitivity()
        self._noise = 0.0
        self._position_ms = 0
        self._speaking = False
        self._run_ms = 0
        """Length of the present run of frames that speak against the present state."""
        self._voice_ms = 0
        """Length of the present voice."""
        self._quietest = 127.0
        self._last_loud_ms = self._stopped_ms = 0

    @property
    def speaking(self) -> bool:
        return self._speaking

    @property
    def noise(self) -> float:
        """The tracked noise floor, in steps of `mulaw.LOUDNESS`."""
        return self._noise

    def skip(self, duration_ms: int) -> None:
        """Account for frames that never arrived, so that positions stay true."""
        self._position_ms += duration_ms

    def receive(self, frame: bytes) -> VoiceStarted | VoiceStopped | None:
        """One frame of 160 bytes (a shorter or longer one counts as 20 ms, too). Positions are in milliseconds."""
        loudness = sum(frame.translate(LOUDNESS)) / max(1, len(frame))
        settings = self._sensitivity
        loud = loudness >= max(settings.least_loudness, self._noise + settings.above_noise)
        self._position_ms += FRAME_MS
        if loud:
            self._last_loud_ms = self._position_ms
        elif not self._speaking:
            rate = settings.noise_rise if loudness > self._noise else 10 * settings.noise_rise
            self._noise += rate * (loudness - self._noise)
        return self._while_speaking(loud, loudness) if self._speaking else self._while_quiet(loud)

    def _while_quiet(self, loud: bool) -> VoiceStarted | None:
        self._run_ms = self._run_ms + FRAME_MS if loud else 0
        goes_on = self._stopped_ms and self._position_ms - self._stopped_ms <= self._sensitivity.closure_ms
        if not loud or not (goes_on or self._run_ms >= self._sensitivity.start_ms):
            return None
        started_ms = self._position_ms - self._run_ms
        self._speaking, self._run_ms, self._voice_ms, self._quietest = True, 0, 0, 127.0
        return VoiceStarted(max(0, started_ms))

    def _while_speaking(self, loud: bool, loudness: float) -> VoiceStopped | None:
        self._run_ms = 0 if loud else self._run_ms + FRAME_MS
        self._voice_ms += FRAME_MS
        self._quietest = min(self._quietest, loudness)
        if self._voice_ms >= self._sensitivity.stuck_after_ms:
            self._noise, self._voice_ms = self._quietest, 0
            self._quietest = 127.0
        if self._run_ms < self._sensitivity.hangover_ms:
            return None
        self._speaking, self._run_ms, self._stopped_ms = False, 0, self._last_loud_ms
        return VoiceStopped(self._last_loud_ms)
