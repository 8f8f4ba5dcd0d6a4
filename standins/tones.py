"""Text to and from an audible code: speech that a program can hear without error, or with an error that shows.

A recogniser of real speech is never certain, so a test that uses one cannot tell whether a wrong word was misheard or
whether audio was lost on the way. Here each character of a word is two *symbols* of 20 ms (one frame), each a pair of
tones inside the telephone band. Symbols go round through three *phases* with tones of their own, and every word closes
with two check symbols that step out of the round. A frame that is lost, doubled or moved inside a word breaks the
round, the length or the check, and the word is heard as ``<garbled>``. Silence separates words; punctuation is a longer
silence.

Words are letters, digits and apostrophes in lower case; what `spoken_words` makes of a text is what `decode` returns.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import dropwhile

import numpy as np
import numpy.typing as npt

from standins.audio import FRAME, PER_MS, POWER, SAMPLE_RATE, SILENCE, Pcm, decode_mulaw, encode_mulaw

GARBLED = "<garbled>"
"""Heard where code was sent but does not add up."""

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789'"
"""37 characters: a prime, so that the weighted sums below miss no single change."""

SYMBOL = FRAME
PHASES = 3
_SIDE = 11
_SPACING_HZ = 400 / 3
_LOWEST_HZ = 480.0
TONES_HZ: npt.NDArray[np.floating] = _LOWEST_HZ + _SPACING_HZ * np.arange(2 * _SIDE)
"""Eleven low and eleven high tones, 480 to 3280 Hz. Each is 2.8 % or more away from every keypad frequency, and a high
tone is above them all, so no pair is a key. The spacing is two cycles in the 120 samples that `_WINDOW` measures: the
tones do not leak into each other."""

_MARGIN = 20
_WINDOW = SYMBOL - 2 * _MARGIN
_LOW_AMPLITUDE = 4100.0
_HIGH_AMPLITUDE = _LOW_AMPLITUDE / 2
"""About -20 dB of full scale together, the level of speech on a telephone line, tilted as speech is."""

WORD_GAP = 70 * PER_MS
"""With two symbols a character this makes 3.5 words a second of ordinary English."""
COMMA_PAUSE = 80 * PER_MS
STOP_PAUSE = 230 * PER_MS
"""Both come on top of the gap after the word: 150 and 300 ms in all."""

_BLOCK = 40
"""5 ms: the step in which the decoder tells sound from silence."""
_LOUD = 184.0**2
"""-45 dB of full scale: 25 dB under the code's own level, 7 dB over the hiss of a poor line."""
_GAP_BLOCKS = 3
"""Quiet for so many blocks ends a word. A whole silent frame always holds three whole blocks."""
_LONGEST = 6 * SAMPLE_RATE
"""Longer sounds are not words."""
_TOLERANCE = 32
"""4 ms: how far a word's measured length may be from whole symbols."""
_PURITY = 0.7
"""The share of a symbol's energy that its two strongest tones must hold; a fresh symbol has more than 0.95."""


@dataclass(frozen=True, slots=True)
class HeardWord:
    """One word, or `GARBLED`, and where it lay in the stream."""

    word: str
    start_ms: float
    end_ms: float


# Text to words


def spoken_words(text: str) -> list[str]:
    """The words that speaking *text* in code produces, without pauses."""
    return [piece for piece in _pieces(text) if piece[0] in ALPHABET]


_SPOKEN = (
    *((r"(?<=\d),(?=\d{3})", ""), (r"\$ ?(\d+)\.(\d\d)", r"\1 dollars \2 cents"), (r"\$ ?(\d+)", r"\1 dollars")),
    *((r"(?<=\d)\.(?=\d)", " point "), (r"(?<=\d):(?=\d)", " ")),
    *(("%", " percent "), ("&", " and "), (r"\+", " plus "), ("@", " at ")),
)
"""Figures and signs, and the words they are said with."""


def _pieces(text: str) -> list[str]:
    """Words, ``,`` and ``.`` in the order they are spoken."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").lower())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    for pattern, words in _SPOKEN:
        plain = re.sub(pattern, words, plain)
    found = re.findall(r"[a-z0-9']+|[.!?]+|[,;:()\u2013\u2014]+", plain)
    return [piece if piece[0] in ALPHABET else "." if piece[0] in ".!?" else "," for piece in found]


# Words to sound


def _symbol(index: int) -> bytes:
    t = np.arange(SYMBOL) / SAMPLE_RATE
    low, high = TONES_HZ[index // _SIDE], TONES_HZ[_SIDE + index % _SIDE]
    wave = _LOW_AMPLITUDE * np.sin(2 * np.pi * low * t) + _HIGH_AMPLITUDE * np.sin(2 * np.pi * high * t)
    return encode_mulaw(np.rint(wave).astype(np.int16))


_SYMBOLS = tuple(_symbol(index) for index in range(PHASES * len(ALPHABET)))


def _symbols_of(word: str) -> list[int]:
    """Which of `_SYMBOLS` spell *word*: each character twice, then two sums over it, one of them weighted by place."""
    values, size = [ALPHABET.index(char) for char in word], len(ALPHABET)
    plain = sum(value + 1 for value in values) % size
    placed = sum((place + 2) * (value + 1) for place, value in enumerate(values)) % size
    body = [value for value in values for _ in (0, 1)]
    # The phase goes round; before the sums it skips one.
    return [
        (place + (place >= len(body))) % PHASES * size + value for place, value in enumerate([*body, plain, placed])
    ]


@lru_cache(maxsize=4096)
def _word_sound(word: str) -> bytes:
    return b"".join(_SYMBOLS[index] for index in _symbols_of(word))


def encode(text: str) -> bytes:
    """Mu-law sound of *text*: whole frames, beginning with the first word and ending in at least a word's gap.

    Text without a word is no sound at all.
    """
    pauses = {",": SILENCE * COMMA_PAUSE, ".": SILENCE * STOP_PAUSE}
    pieces = dropwhile(pauses.__contains__, _pieces(text))
    spoken = b"".join(pauses.get(piece) or _word_sound(piece) + SILENCE * WORD_GAP for piece in pieces).rstrip(SILENCE)
    return spoken + SILENCE * (WORD_GAP + -(len(spoken) + WORD_GAP) % FRAME) if spoken else b""


# Sound to words


def _probe(window: int) -> npt.NDArray[np.float32]:
    """A matrix which takes *window* samples to the cosine and sine part of every tone."""
    turn = 2 * np.pi * np.outer(np.arange(window) / SAMPLE_RATE, TONES_HZ)
    return np.concatenate([np.cos(turn), np.sin(turn)], axis=1).astype(np.float32)


_SYMBOL_PROBE = _probe(_WINDOW)
_SIGNATURE_WINDOW = 80
_SIGNATURE_PROBE = _probe(_SIGNATURE_WINDOW)


def _strongest(
    windows: npt.NDArray[np.float32], probe: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """For each window: the symbol of its strongest low and high tone, and the share of its energy each holds."""
    parts = windows @ probe
    tones = 2 * _SIDE
    power = parts[:, :tones] ** 2 + parts[:, tones:] ** 2
    power /= (windows**2).sum(axis=1, keepdims=True) * windows.shape[1] / 2 + 1e-9
    low, high = power[:, :_SIDE], power[:, _SIDE:]
    return low.argmax(axis=1) * _SIDE + high.argmax(axis=1), low.max(axis=1), high.max(axis=1)


def sounds_like_code(pcm: Pcm) -> bool:
    """Whether *pcm* (20 ms or more) is this code, sound or damaged, rather than speech, music, keys or noise."""
    if len(pcm) < SYMBOL:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(pcm, _SIGNATURE_WINDOW)[::_BLOCK].astype(np.float32)
    _, low, high = _strongest(windows, _SIGNATURE_PROBE)
    pure = (low + high > 0.8) & (high > 0.05) & (high < 0.5)
    # Of four windows that step through a symbol two or three lie wholly inside it.
    return bool(pure.mean() >= 0.4)


def _read_word(pcm: Pcm) -> tuple[str, int, int] | None:
    """The word in a sound between two silences, and its first and last sample; None when the sound is not code."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > int(np.abs(pcm.astype(np.int32)).max()) // 5)
    start, length = int(loud[0]), int(loud[-1] - loud[0]) + 1
    count = round(length / SYMBOL)
    if count >= 4 and count % 2 == 0 and abs(length - count * SYMBOL) <= _TOLERANCE:
        whole = np.zeros(count * SYMBOL, np.float32)
        piece = pcm[start : start + count * SYMBOL]
        whole[: len(piece)] = piece
        windows = whole.reshape(count, SYMBOL)[:, _MARGIN : SYMBOL - _MARGIN]
        indices, low, high = _strongest(windows, _SYMBOL_PROBE)
        if (low + high).min() > _PURITY:
            word = "".join(ALPHABET[index % len(ALPHABET)] for index in indices[:-2:2])
            if _symbols_of(word) == indices.tolist():
                return word, start, start + length
    return (GARBLED, start, start + length) if sounds_like_code(pcm[start : start + length]) else None


class Decoder:
    """Hears code in one stream of mu-law, in chunks of any size. Sounds that are not code are passed over.

    Places in the stream are samples since its beginning.
    """

    def __init__(self) -> None:
        self.sound = bytearray()
        """The sound under way (of any kind), with one quiet block before it; empty in silence."""
        self.sound_start = 0
        """Where the sound under way, or the last one, began."""
        self.loud_until = 0
        """Where the last sound ended, or has got to."""
        self._position = 0
        self._pending = b""
        """Bytes not yet cut into blocks; begins at `_position`."""
        self._before = b""
        self._quiet_blocks = 0

    @property
    def heard_until(self) -> int:
        """Where the stream has got to."""
        return self._position + len(self._pending)

    def feed(self, mulaw: bytes) -> list[HeardWord]:
        """Take the next bytes of the stream; the words which they complete, some 15 ms after each word's end."""
        if not self.sound and not self._pending and mulaw.count(SILENCE) == len(mulaw):
            self._position += len(mulaw)
            self._before = b""
            return []
        mulaw = self._pending + mulaw
        usable = len(mulaw) - len(mulaw) % _BLOCK
        loud = POWER[np.frombuffer(mulaw, np.uint8, usable)].reshape(-1, _BLOCK).mean(axis=1) > _LOUD
        self._pending = mulaw[usable:]
        blocks = (mulaw[at : at + _BLOCK] for at in range(0, usable, _BLOCK))
        return [
            word for block, is_loud in zip(blocks, loud.tolist(), strict=True) if (word := self._take(block, is_loud))
        ]

    def _take(self, block: bytes, is_loud: bool) -> HeardWord | None:
        word = None
        if self.sound:
            if len(self.sound) <= _LONGEST:
                self.sound += block
            self._quiet_blocks = 0 if is_loud else self._quiet_blocks + 1
            if self._quiet_blocks == _GAP_BLOCKS:
                word = self._end_sound()
        elif is_loud:
            self.sound_start = self._position - len(self._before)
            self.sound += self._before + block
            self._quiet_blocks = 0
        self._before = block
        self._position += _BLOCK
        if is_loud:
            self.loud_until = self._position
        return word

    def _end_sound(self) -> HeardWord | None:
        sound, self.sound = bytes(self.sound), bytearray()
        # The gap is cut off but for one block, into which a last faint wave may reach.
        found = _read_word(decode_mulaw(sound[: (1 - _GAP_BLOCKS) * _BLOCK])) if len(sound) <= _LONGEST else None
        if found is None:
            return None
        word, start, end = found
        return HeardWord(word, (self.sound_start + start) / PER_MS, (self.sound_start + end) / PER_MS)

    def finish(self) -> list[HeardWord]:
        """The stream ends here: the word still sounding, if there is one."""
        return self.feed(SILENCE * (_BLOCK * (_GAP_BLOCKS + 1) - len(self._pending)))


def decode(mulaw: bytes) -> str:
    """The words in a whole sound, with a space between each two."""
    decoder = Decoder()
    return " ".join(heard.word for heard in [*decoder.feed(mulaw), *decoder.finish()])
