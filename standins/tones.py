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
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from standins.audio import FRAME, POWER, SAMPLE_RATE, SILENCE, Pcm, decode_mulaw, encode_mulaw

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

WORD_GAP = 70 * SAMPLE_RATE // 1000
"""With two symbols a character this makes 3.5 words a second of ordinary English."""
COMMA_PAUSE = 80 * SAMPLE_RATE // 1000
STOP_PAUSE = 230 * SAMPLE_RATE // 1000
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


def _pieces(text: str) -> list[str]:
    """Words, ``,`` and ``.`` in the order they are spoken."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").lower())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", plain)
    plain = re.sub(r"\$ ?(\d+)(?:\.(\d\d))?", lambda m: f"{m[1]} dollars" + (f" {m[2]} cents" if m[2] else ""), plain)
    plain = re.sub(r"(?<=\d)\.(?=\d)", " point ", plain)
    for sign, word in (("%", " percent "), ("&", " and "), ("+", " plus "), ("@", " at ")):
        plain = plain.replace(sign, word)
    plain = re.sub(r"(?<=\d):(?=\d)", " ", plain)
    found = re.findall(r"[a-z0-9']+|[.!?]+|[,;:()\u2013\u2014]+", plain)
    return [piece if piece[0] in ALPHABET else "." if piece[0] in ".!?" else "," for piece in found]


# Words to sound


def _symbol(index: int) -> bytes:
    t = np.arange(SYMBOL) / SAMPLE_RATE
    low, high = TONES_HZ[index // _SIDE], TONES_HZ[_SIDE + index % _SIDE]
    wave = _LOW_AMPLITUDE * np.sin(2 * np.pi * low * t) + _HIGH_AMPLITUDE * np.sin(2 * np.pi * high * t)
    return encode_mulaw(np.rint(wave).astype(np.int16))


_SYMBOLS = tuple(_symbol(index) for index in range(PHASES * len(ALPHABET)))


def _checks(values: list[int]) -> tuple[int, int]:
    """Two sums over a word, one of them weighted by place."""
    size = len(ALPHABET)
    plain = sum(value + 1 for value in values)
    placed = sum((place + 2) * (value + 1) for place, value in enumerate(values))
    return plain % size, placed % size


def _phase(place: int, closing: bool) -> int:
    return (place + closing) % PHASES


@lru_cache(maxsize=4096)
def _word_sound(word: str) -> bytes:
    values = [ALPHABET.index(char) for char in word]
    body = [value for value in values for _ in (0, 1)]
    symbols = body + list(_checks(values))
    return b"".join(
        _SYMBOLS[_phase(place, place >= len(body)) * len(ALPHABET) + value] for place, value in enumerate(symbols)
    )


def encode(text: str) -> bytes:
    """Mu-law sound of *text*: whole frames, beginning with the first word and ending in at least a word's gap.

    Text without a word is no sound at all.
    """
    sound = bytearray()
    for piece in _pieces(text):
        if piece == ",":
            sound += SILENCE * (COMMA_PAUSE if sound else 0)
        elif piece == ".":
            sound += SILENCE * (STOP_PAUSE if sound else 0)
        else:
            sound += _word_sound(piece) + SILENCE * WORD_GAP
    spoken = sound.rstrip(SILENCE)
    if not spoken:
        return b""
    length = len(spoken) + WORD_GAP
    return bytes(spoken) + SILENCE * (WORD_GAP + -length % FRAME)


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
    whole = (windows**2).sum(axis=1) * windows.shape[1] / 2 + 1e-9
    low, high = power[:, :_SIDE].argmax(axis=1), power[:, _SIDE:].argmax(axis=1)
    rows = np.arange(len(windows))
    return low * _SIDE + high, power[rows, low] / whole, power[rows, _SIDE + high] / whole


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
            word = _spell([divmod(int(index), len(ALPHABET)) for index in indices])
            if word is not None:
                return word, start, start + length
    return (GARBLED, start, start + length) if sounds_like_code(pcm[start : start + length]) else None


def _spell(symbols: list[tuple[int, int]]) -> str | None:
    """The word spelt by (phase, value) pairs; None when round, doubling or check is broken."""
    body = len(symbols) - 2
    if any(phase != _phase(place, place >= body) for place, (phase, _) in enumerate(symbols)):
        return None
    values = [value for _, value in symbols]
    if values[0:body:2] != values[1:body:2] or tuple(values[body:]) != _checks(values[0:body:2]):
        return None
    return "".join(ALPHABET[value] for value in values[0:body:2])


class Decoder:
    """Hears code in one stream of mu-law, in chunks of any size. Sounds that are not code are passed over."""

    def __init__(self) -> None:
        self._pending = bytearray()
        """Bytes not yet cut into blocks; begins at `_position`."""
        self._position = 0
        self._sound = bytearray()
        """The sound under way, with one quiet block before it; empty in silence."""
        self._sound_start = 0
        self._loud_until = 0
        self._quiet_blocks = 0
        self._before = b""

    @property
    def sounding(self) -> bool:
        """Whether the stream is inside a sound (of any kind) rather than in silence."""
        return bool(self._sound)

    @property
    def quiet_ms(self) -> float:
        """How long the stream has been silent; since its beginning when it never was loud."""
        return (self._position + len(self._pending) - self._loud_until) * 1000 / SAMPLE_RATE

    @property
    def loud_until_ms(self) -> float:
        """Where the last sound ended, or has got to."""
        return self._loud_until * 1000 / SAMPLE_RATE

    @property
    def sound_start_ms(self) -> float:
        """Where the sound under way, or the last one, began."""
        return self._sound_start * 1000 / SAMPLE_RATE

    @property
    def sound_so_far(self) -> bytes:
        """The mu-law of the sound under way, for whoever has to decide early what it is."""
        return bytes(self._sound)

    def feed(self, mulaw: bytes) -> list[HeardWord]:
        """Take the next bytes of the stream; the words which they complete, some 15 ms after each word's end."""
        if not self._sound and not self._pending and mulaw.count(SILENCE) == len(mulaw):
            self._position += len(mulaw)
            self._before = b""
            return []
        self._pending += mulaw
        usable = len(self._pending) - len(self._pending) % _BLOCK
        if not usable:
            return []
        blocks, self._pending = bytes(self._pending[:usable]), self._pending[usable:]
        loud = POWER[np.frombuffer(blocks, np.uint8)].reshape(-1, _BLOCK).mean(axis=1) > _LOUD
        return list(self._blocks(blocks, loud.tolist()))

    def _blocks(self, blocks: bytes, loud: list[bool]) -> Iterator[HeardWord]:
        for number, is_loud in enumerate(loud):
            block = blocks[number * _BLOCK : (number + 1) * _BLOCK]
            if self._sound:
                if len(self._sound) <= _LONGEST:
                    self._sound += block
                self._quiet_blocks = 0 if is_loud else self._quiet_blocks + 1
                if self._quiet_blocks >= _GAP_BLOCKS:
                    yield from self._end_sound()
            elif is_loud:
                self._sound_start = self._position - len(self._before)
                self._sound += self._before + block
                self._quiet_blocks = 0
            self._before = block
            self._position += _BLOCK
            if is_loud:
                self._loud_until = self._position

    def _end_sound(self) -> Iterator[HeardWord]:
        sound, self._sound = bytes(self._sound), bytearray()
        if len(sound) > _LONGEST:
            return
        # The gap is cut off but for one block, into which a last faint wave may reach.
        sound = sound[: len(sound) - (_GAP_BLOCKS - 1) * _BLOCK]
        found = _read_word(decode_mulaw(sound))
        if found is not None:
            word, start, end = found
            per_ms = SAMPLE_RATE / 1000
            yield HeardWord(word, (self._sound_start + start) / per_ms, (self._sound_start + end) / per_ms)

    def finish(self) -> list[HeardWord]:
        """The stream ends here: the word still sounding, if there is one."""
        return self.feed(SILENCE * (_BLOCK * (_GAP_BLOCKS + 1) - len(self._pending)))


def decode(mulaw: bytes) -> str:
    """The words in a whole sound, with a space between each two."""
    decoder = Decoder()
    return " ".join(heard.word for heard in [*decoder.feed(mulaw), *decoder.finish()])
