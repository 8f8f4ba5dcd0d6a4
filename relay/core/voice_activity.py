"""Is there a voice? An energy detector for 20 ms mu-law frames, with a noise floor that follows the line.

Loudness is the mean of `mulaw.LOUDNESS` over a frame, in whose steps 16 are 6 dB: one table look-up and one sum, a few
microseconds. A frame is loud when it exceeds both the tracked noise and an absolute least. A few loud frames in a row
start a voice (a click does not); a few quiet ones end it (the closure of a "t" does not).
"""

from floyd.mulaw import FRAME_MS, LOUDNESS
from relay.core.events import VoiceStarted, VoiceStopped

LEAST_LOUDNESS = 14.0  # quieter is never a voice, on however silent a line: about -49 dB below full scale
ABOVE_NOISE = 12.0  # a voice stands out from the noise by this much
START_MS = 60  # so long a stretch of loud frames starts a voice: longer than a click, shorter than a syllable
HANGOVER_MS = 60  # so long a stretch of quiet frames ends it
CLOSURE_MS = 150
"""A voice that goes on sooner is the same one: its first loud frame tells. Closures inside a word last up to 90 ms, and
whoever waits for the end of a greeting must hear of it before that."""
NOISE_RISE = 0.015  # how fast the floor follows louder noise, as a share per quiet frame; it falls ten times as fast
STUCK_MS = 8000  # a "voice" so long without a break is a noise that began in mid-call: the floor is moved up to it
WAKE_MS = 300  # so much voice within a second wakes: shorter than a word of greeting, longer than a beat of the music
REST_MS = 4000  # quiet after which the recogniser has reported all it heard
_LOUDEST = 127.0


class VoiceDetector:
    """Feed every inbound frame in order; each answer is an event to hand on, or None."""

    def __init__(self) -> None:
        self.speaking = False
        self.noise = 0.0  # the tracked floor
        self._position_ms = self._last_loud_ms = self._stopped_ms = 0
        self._run_ms = 0  # length of the present run of frames that speak against the present state
        self._voice_ms = 0  # length of the present voice
        self._quietest = _LOUDEST

    def receive(self, frame: bytes) -> VoiceStarted | VoiceStopped | None:
        """One frame of 160 bytes (a shorter or longer one counts as 20 ms, too). Positions are in milliseconds."""
        loudness = sum(frame.translate(LOUDNESS)) / max(1, len(frame))
        loud = loudness >= max(LEAST_LOUDNESS, self.noise + ABOVE_NOISE)
        self._position_ms += FRAME_MS
        self._run_ms = 0 if loud is self.speaking else self._run_ms + FRAME_MS
        if loud:
            self._last_loud_ms = self._position_ms
        if self.speaking:
            return self._while_speaking(loudness)
        if loud:
            return self._while_loud()
        self.noise += (NOISE_RISE if loudness > self.noise else 10 * NOISE_RISE) * (loudness - self.noise)
        return None

    def _while_loud(self) -> VoiceStarted | None:
        goes_on = self._stopped_ms and self._position_ms - self._stopped_ms <= CLOSURE_MS
        if not goes_on and self._run_ms < START_MS:
            return None
        started_ms = self._position_ms - self._run_ms
        self.speaking, self._run_ms, self._voice_ms, self._quietest = True, 0, 0, _LOUDEST
        return VoiceStarted(max(0, started_ms))

    def _while_speaking(self, loudness: float) -> VoiceStopped | None:
        self._voice_ms += FRAME_MS
        self._quietest = min(self._quietest, loudness)
        if self._voice_ms >= STUCK_MS:
            self.noise, self._voice_ms, self._quietest = self._quietest, 0, _LOUDEST
        if self._run_ms < HANGOVER_MS:
            return None
        self.speaking, self._run_ms, self._stopped_ms = False, 0, self._last_loud_ms
        return VoiceStopped(self._last_loud_ms)


class EarGate:
    """When ears are worth their price on hold: while something like a voice sounds, and a little longer. Feed every
    frame while nobody is on the line. Ears are awake at first, since words may be on their way."""

    def __init__(self) -> None:
        self._awake = True
        self._voice_ms = self._quiet_ms = 0

    def receive(self, *, voice: bool) -> bool | None:
        """`voice`: loud and not musical. True: wake the ears; False: let them rest; None: as before."""
        self._quiet_ms = 0 if voice else self._quiet_ms + FRAME_MS
        self._voice_ms = self._voice_ms + FRAME_MS if voice else max(0, self._voice_ms - FRAME_MS // 2)
        change = self._quiet_ms < REST_MS if self._awake else self._voice_ms >= WAKE_MS
        if change == self._awake:
            return None
        self._awake, self._voice_ms = change, 0
        return change
