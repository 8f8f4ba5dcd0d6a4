"""What the line itself tells: music, a beep, ringing, busy and fax tones. Spectra of 100 ms, no model.

A tone holds nearly all of a block's energy in one or two lines. Music keeps its lines from block to block, a voice
glides: that share of sameness tells them apart (measured: voices 0.2 to 0.4, noise 0.3, music 0.54 and more).
"""

import numpy as np
import numpy.typing as npt

from floyd.mulaw import LINEAR, SAMPLE_RATE
from relay.core.events import LineClassified
from relay.core.line_kinds import LineKind

Floats = npt.NDArray[np.floating]

_SAMPLES = SAMPLE_RATE // 10  # five frames
_WINDOW = np.hanning(_SAMPLES).astype(np.float32)
_LINEAR = (np.array(LINEAR) / 32768).astype(np.float32)
_FIRST_BIN, _LAST_BIN = 20, 380  # 200 to 3,800 Hz, what a telephone passes; a bin is 10 Hz
_LOBE = 2  # bins to each side of a line that the window spreads it over
_AROUND = 11  # what stands out of the mean of so many bins is a line, the rest is colour

_LOUD = 3e-5  # mean square: -45 dB below full scale; fainter tones are somebody else's
_PURE = 0.9
_SECOND = 0.05  # least share of a tone's weaker line
_SAME_HZ = 15
_STILL = 6  # so many blocks that are no tone, and the tone is over; busy tones come again sooner
_STEP = 2  # tones so few blocks apart follow each other: the three of a network's announcement, or a melody
_BEEP = range(2, 31)
_LASTING = {"ringing": 3, "fax": 15, "dial tone": 20}
"""Blocks after which a tone that still sounds is what it seems. ITU-T T.30 answers with 2,100 Hz for 2.6 to 4 s."""
_BUSY_BURSTS = 3

_MUSIC = 0.5
_MUSIC_BLOCKS = 30
_FOLLOW = 0.07  # of each block in the running sameness: it follows within 1.5 s
_FOLLOW_FAST = 0.3
_BELOW_VOICE = 0.02  # music 17 dB below the loudest voice is in the room of a person, not on a line that holds

_TONES = {
    (440, 480): "ringing",
    (400, 450): "ringing",
    (480, 620): "busy",
    (350, 440): "dial tone",
    (2100, 0): "fax",
}
"""ITU-T E.180, supplement 2: North America, and the United Kingdom's ringing."""
_INTERCEPT_HZ = 1780
"""The last of the three rising tones before "the number you have dialled" (E.180: 950, 1,400, 1,800 Hz)."""

KINDS = {
    "music": (LineKind.HOLD, 0.8),
    "ringing": (LineKind.HOLD, 0.9),
    "beep": (LineKind.VOICEMAIL, 0.5),
    "busy": (LineKind.TONE, 0.9),
    "dial tone": (LineKind.TONE, 0.9),
    "fax": (LineKind.TONE, 0.95),
    "intercept": (LineKind.TONE, 0.95),
}
"""What each sound says about the line, and how surely."""

Tone = tuple[int, int]
"""Frequencies in Hz; the second is 0 for a single line."""


class SoundDetector:
    """Feed every inbound frame in order; each answer is an event to hand on, or None."""

    def __init__(self) -> None:
        self._sound = b""
        self._lines: Floats = np.zeros(_LAST_BIN - _FIRST_BIN - _AROUND, np.float32)
        self._sameness = self._fast = 0.0
        self._music_blocks = 0
        self._loudest = 0.0
        self._tone: Tone | None = None
        self._lasts = self._still = 0
        self._gap = 0  # blocks before the present tone that were none
        self._last: Tone | None = None  # the newest tone that ended, until it is certain what it was
        self._bursts = self._steps = 0

    @property
    def musical(self) -> bool:
        """Whether what sounds just now is music or a tone rather than a voice."""
        return self._fast > _MUSIC

    def receive(self, frame: bytes) -> LineClassified | None:
        """One frame of 20 ms; every fifth is looked at together with those before it."""
        self._sound += frame
        if len(self._sound) < _SAMPLES:
            return None
        sound, self._sound = self._sound[:_SAMPLES], b""
        found = self._block(_LINEAR.take(np.frombuffer(sound, np.uint8)))
        return LineClassified(*KINDS[found], found) if found else None

    def _block(self, samples: Floats) -> str | None:
        energy = float(samples @ samples) / _SAMPLES
        if energy < _LOUD:
            self._fast *= 1 - _FOLLOW_FAST
            self._music_blocks = max(0, self._music_blocks - 1)
            return self._follow_tone(None)
        spectrum = np.abs(np.fft.rfft(samples * _WINDOW)[_FIRST_BIN:_LAST_BIN])
        return self._follow_tone(_tone(spectrum)) or self._follow_music(spectrum, energy)

    # Tones

    def _follow_tone(self, tone: Tone | None) -> str | None:
        if tone and self._tone and _same(tone, self._tone):
            self._lasts += 1
            name = _name(tone)
            return name if self._lasts == _LASTING.get(name) else None
        ended, self._tone = self._tone, tone
        known = self._tone_ended(ended) if ended and self._lasts in _BEEP else None
        if tone:
            self._gap, self._still, self._lasts = self._still, 0, 1
            return known
        self._still += 1
        return known or (self._tone_is_over(self._last) if self._last and self._still == _STILL else None)

    def _tone_ended(self, tone: Tone) -> str | None:
        again = self._last is not None and _same(tone, self._last)
        follows = self._last is not None and not again and self._gap <= _STEP
        self._bursts = self._bursts + 1 if again else 1
        self._steps = self._steps + 1 if follows else 0
        self._last, self._still = tone, 0
        return "busy" if self._bursts == _BUSY_BURSTS and _name(tone) == "busy" else None

    def _tone_is_over(self, tone: Tone) -> str | None:
        self._last = None
        if self._steps:
            return "intercept" if self._steps == 2 and abs(tone[0] - _INTERCEPT_HZ) < 40 else None
        return "beep" if not tone[1] and self._bursts == 1 else None

    # Music

    def _follow_music(self, spectrum: Floats, energy: float) -> str | None:
        sums = np.cumsum(spectrum)
        around = (sums[_AROUND:] - sums[:-_AROUND]) / _AROUND
        lines = np.maximum(spectrum[_AROUND // 2 + 1 : -(_AROUND // 2)] - around, 0)
        lines /= float(np.sqrt(lines @ lines)) + 1e-9
        same, self._lines = float(lines @ self._lines), lines
        self._sameness += _FOLLOW * (same - self._sameness)
        self._fast += _FOLLOW_FAST * (same - self._fast)
        if self._sameness < _MUSIC:
            self._loudest = max(self._loudest * 0.999, energy)
            self._music_blocks = 0
            return None
        self._music_blocks += 1
        if self._music_blocks < _MUSIC_BLOCKS or energy < _BELOW_VOICE * self._loudest:
            return None
        self._music_blocks = 0  # it is told again while it lasts: this may be the middle of a sentence
        return "music"


def _tone(spectrum: Floats) -> Tone | None:
    """The one or two lines that the block consists of, if so."""
    power = spectrum * spectrum
    total = float(power.sum())
    first, strong = _take_line(power)
    if strong >= _PURE * total:
        return first, 0
    second, weak = _take_line(power)
    if weak >= _SECOND * total and strong + weak >= _PURE * total:
        return min(first, second), max(first, second)
    return None


def _take_line(power: Floats) -> tuple[int, float]:
    """The strongest line's frequency and energy; it is removed."""
    place = int(power.argmax())
    lobe = power[max(0, place - _LOBE) : place + _LOBE + 1]
    energy = float(lobe.sum())
    lobe[:] = 0
    return (place + _FIRST_BIN) * 10, energy


def _same(one: Tone, other: Tone) -> bool:
    return abs(one[0] - other[0]) <= _SAME_HZ and abs(one[1] - other[1]) <= _SAME_HZ


def _name(tone: Tone) -> str:
    return next((name for known, name in _TONES.items() if _same(tone, known)), "")
