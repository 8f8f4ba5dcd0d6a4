"""What a line carries: lines as voices, signals, hold music, noise, an echo; and keys, which are pairs of tones.

`python -m standins.phone_network.sounds` renders every fixed line of every persona (needs flite), so that they speak
with a real voice on machines without a synthesiser: headerless 8 kHz mu-law. What is missing is written; what no
persona says any more is removed. After a change of voice delete the files first.
"""

import asyncio
import re
import sys
from collections import deque
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from standins import speaker
from standins.audio import FRAME, SAMPLE_RATE, Pcm, decode_mulaw, encode_mulaw
from standins.phone_network.line import QUIET
from standins.phone_network.script import PERSONAS, Script, load_personas

RENDERED = PERSONAS / "audio"

SIGNALS = {
    "beep": ((1000,), 0.6, 0),
    "ringback": ((440, 480), 2, 4),
    "busy": ((480, 620), 0.5, 0.5),
    "fax": ((2100,), 3.3, 0.5),
}
"""Frequencies in Hz, seconds on and seconds off: North America's (ITU-T E.180), and a fax machine's answer (T.30)."""

NOTE_S = 0.3
TUNE = (72, 76, 79, 76, 74, 77, 81, 77, 71, 74, 79, 74, 72, 76, 79, 84)
"""Keys of a piano (69 is 440 Hz), a chord every four notes."""

_KEYS = ("123A", "456B", "789C", "*0#D")
_KEY_HZ = (697, 770, 852, 941, 1209, 1336, 1477, 1633)  # rows, then columns (ITU-T Q.23)
_PROBE = np.exp(2j * np.pi * np.outer(np.arange(FRAME) / SAMPLE_RATE, _KEY_HZ))
_PURE = 0.8  # share of a frame's energy which the two tones of a key hold at least; voices stay far below it


def rendered_path(text: str, voice: str) -> Path:
    """Where a persona's line is kept as sound."""
    return RENDERED / voice / f"{'-'.join(re.findall(r'[a-z0-9]+', text.lower()))}.ulaw"


@cache
def sound_of(text: str, voice: str) -> bytes:
    """A line as mu-law. A voice that is not installed here is replaced by the audible code."""
    path = rendered_path(text, voice)
    if path.exists():
        return path.read_bytes()
    return speaker.render(text, voice if voice in speaker.available() else speaker.TONES)


async def prepare(texts: Iterable[str], voice: str) -> None:
    """Make these lines beside everything else, so that `sound_of` has them at once."""
    for text in texts:
        await asyncio.to_thread(sound_of, text, voice)


@cache
def sound(kind: str, seconds: float, level_db: float) -> bytes:
    """One of `SIGNALS`, `music` or `noise` as mu-law; the level is that of the sounding parts below full scale."""
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    if kind == "noise":
        wave = np.random.default_rng(len(t)).standard_normal(len(t))
    elif kind == "music":
        wave = _music(t)
    else:
        tones, on_s, off_s = SIGNALS[kind]
        wave = np.sin(2 * np.pi * np.outer(tones, t)).sum(axis=0) * (t % (on_s + off_s) < on_s)
    return encode_mulaw(_at_level(wave, level_db))


def _at_level(wave: npt.NDArray[np.float64], level_db: float) -> Pcm:
    gain = 32768 * 10 ** (level_db / 20) / np.sqrt((wave[wave != 0] ** 2).mean())
    scaled: Pcm = np.clip(np.rint(wave * gain), -32768, 32767).astype(np.int16)
    return scaled


def _music(t: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Plucked notes, each with two overtones, over a held chord an octave and two lower."""
    note, within = (t / NOTE_S).astype(int), t % NOTE_S
    keys, chord = np.array(TUNE)[note % len(TUNE)], np.array(TUNE)[note // 4 * 4 % len(TUNE)]
    hz, low = (440 * 2 ** ((each - 69) / 12) for each in (keys, chord - 12))
    plucked = sum(np.sin(2 * np.pi * k * hz * within) / k**2 for k in (1, 2, 3)) * np.exp(-4 * within)
    return np.asarray(plucked + 0.4 * np.sin(2 * np.pi * low * t) + 0.4 * np.sin(np.pi * low * t))


class Room:
    """What the callee's line adds to the voice: an echo of what it is sent, and a hiss that never stops."""

    def __init__(self, script: Script) -> None:
        self._echo = script.echo.level if script.echo else 0.0
        self._way = deque([QUIET] * (script.echo.delay_ms // 20 if script.echo else 0))
        hiss = None if script.hiss_db is None else decode_mulaw(sound("noise", 1.0, script.hiss_db))
        self._hiss = deque() if hiss is None else deque(hiss.reshape(-1, FRAME))

    def add(self, made: bytes, heard: bytes) -> bytes:
        """What goes into the line while this frame is made here and that one comes in."""
        self._way.append(heard)
        back = self._way.popleft() if self._echo else QUIET
        if back is QUIET and not self._hiss:
            return made
        mixed = decode_mulaw(made) + self._echo * decode_mulaw(back)
        if self._hiss:
            self._hiss.rotate()
            mixed += self._hiss[0]
        return encode_mulaw(np.clip(np.rint(mixed), -32768, 32767).astype(np.int16))


class KeyEar:
    """Hears keys by their tones, frame by frame."""

    def __init__(self) -> None:
        self._sounding, self._frames = "", 0

    def hear(self, frame: bytes) -> tuple[bool, str]:
        """Whether a key is sounding, and the key, told once: when it has sounded for two frames."""
        key = "" if frame is QUIET else _key(frame)
        self._frames = self._frames + 1 if key and key == self._sounding else 1
        self._sounding = key
        return bool(key), key if self._frames == 2 else ""


def _key(frame: bytes) -> str:
    pcm = decode_mulaw(frame).astype(np.float64)
    power = np.abs(pcm @ _PROBE) ** 2 / ((pcm**2).sum() * FRAME / 2 + 1)
    row, column = int(power[:4].argmax()), int(power[4:].argmax())
    tones = power[row], power[4 + column]
    return _KEYS[row][column] if sum(tones) > _PURE and min(tones) > 0.1 else ""


if __name__ == "__main__":
    if speaker.available() == (speaker.TONES,):
        sys.exit("flite is not installed (Debian: apt install flite): nothing rendered")
    wanted = {rendered_path(text, each.voice): (text, each.voice) for each in load_personas() for text in each.texts()}
    for path in set(RENDERED.glob("*/*.ulaw")) - wanted.keys():
        path.unlink()
    for path in wanted.keys() - set(RENDERED.glob("*/*.ulaw")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(speaker.render(*wanted[path]))
