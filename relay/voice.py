"""What a session needs of a synthesiser, and what is asked of every vendor's sound."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from floyd.errors import VendorError
from floyd.mulaw import FRAME_SAMPLES, SAMPLE_RATE
from floyd.spoken_length import is_pace, is_whole, longest_s

FIRST_SOUND_S = 2.0
"""Ten times what voices take. A sentence is tried twice and then once more, which leaves the callee 12 s at most."""
GAP_S = 1.5  # silence in mid-sentence, once what has come is played


class Voice(Protocol):
    """Turns one segment's text into sound. One per process: it owns the connection to the vendor."""

    name: str  # with the text it identifies a rendered line

    def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """The text as mu-law at 8 kHz, in pieces of any length as they arrive.

        Raises VendorError when no sound comes. Closing the generator cancels the synthesis.
        """

    def warm(self) -> None:
        """Begin to connect, if the last use is long ago. Never waits, never fails."""


class PunctualVoice:
    """A vendor's voice, with a VendorError for sound that is late, that stops, or that cannot be all of the text."""

    def __init__(self, voice: Voice, *, first_sound_s: float = FIRST_SOUND_S, gap_s: float = GAP_S) -> None:
        self.name = voice.name
        self.warm = voice.warm
        self._voice = voice
        self._first_sound_s = first_sound_s
        self._gap_s = gap_s
        # A voice whose sound is not in proportion to its text is taken as it is, once it has proved to be so.
        self._at_its_own_pace = False
        self._short: tuple[str, float] = ("", 0.0)

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        now = asyncio.get_running_loop().time
        due, began, tail = now() + self._first_sound_s, 0.0, b""
        length_s = 0.0
        async with aclosing(self._voice.speak(text)) as sounds:
            while True:
                try:
                    async with asyncio.timeout_at(due):  # no limit spans a yield: it would strike our caller
                        sound = await anext(sounds, None)
                except TimeoutError:
                    raise VendorError("voice", "no sound in time", retryable=True, code="timeout") from None
                if sound is None:
                    break
                began = began or now()
                length_s += len(sound) / SAMPLE_RATE
                tail = (tail + sound)[-FRAME_SAMPLES:]
                if length_s > longest_s(text):
                    raise VendorError("voice", "more sound than the text can take", retryable=True, code="too_long")
                due = max(now(), began + length_s) + self._gap_s
                yield sound
        if not self._at_its_own_pace and not is_whole(text, length_s, tail):
            before, self._short = self._short, (text, length_s)
            if before[0] == text and is_pace(before[1], length_s):
                self._at_its_own_pace = True
                return
            raise VendorError("voice", "the sound ends before the text", retryable=True, code="truncated")
