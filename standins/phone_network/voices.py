"""Lines as sound: the rendered files that lie beside the personas, else synthesis, each made once."""

import asyncio
import re
from pathlib import Path

from standins import speaker
from standins.phone_network.script import PERSONAS, Script
from standins.phone_network.sound import Clip

RENDERED = PERSONAS / "audio"

BEEP_S = 0.6


def rendered_path(text: str, voice: str, folder: Path = RENDERED) -> Path:
    """Where a line's sound is kept: headerless 8 kHz mu-law."""
    return folder / voice / f"{'-'.join(re.findall(r'[a-z0-9]+', text.lower()))}.ulaw"


class Voices:
    """Every clip made so far."""

    def __init__(self, folder: Path = RENDERED) -> None:
        self._folder = folder
        self._clips: dict[tuple[str, str], Clip] = {}

    async def clip(self, text: str, voice: str) -> Clip:
        """A line as sound. A voice that is not installed here is replaced by the audible code."""
        key = (text, voice)
        if key not in self._clips:
            self._clips[key] = Clip.of(text, await asyncio.to_thread(self._sound, text, voice))
        return self._clips[key]

    async def prepare(self, script: Script) -> None:
        """Make all lines of a script."""
        for text in script.texts():
            await self.clip(text, script.voice)

    def ready(self, script: Script) -> dict[str, Clip]:
        """All lines of a script that was prepared."""
        return {text: self._clips[text, script.voice] for text in script.texts()}

    def _sound(self, text: str, voice: str) -> bytes:
        path = rendered_path(text, voice, self._folder)
        if path.exists():
            return path.read_bytes()
        return speaker.render(text, voice if voice in speaker.available() else speaker.TONES)


def beep() -> Clip:
    """The tone of an answering machine: 1000 Hz, whose eight samples repeat."""
    cycle = bytes([0xFF, 0xA6, 0x9F, 0xA6, 0xFF, 0x26, 0x1F, 0x26])
    return Clip.of("(beep)", cycle * round(BEEP_S * 1000))
