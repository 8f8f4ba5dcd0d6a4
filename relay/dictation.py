"""`/dictate`: a person speaks, the words appear, and after a pause the request is sent by itself."""

from __future__ import annotations

import asyncio
from array import array
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from websockets.asyncio.server import ServerConnection

from floyd import mulaw
from floyd.errors import RefusedError
from floyd.identity import Identity
from floyd.intake import Taken
from relay.clients import Verify, authenticate, encode, parse
from relay.core.events import FinalHeard, InterimHeard
from relay.core.voice_activity import VoiceDetector
from relay.ears import Ears, EarsMaker, Heard, Sound
from relay.line import Line
from relay.media_stream import ViolationError

QUIET_S = 0.8
"""So long without new words after words, and the request counts as spoken."""
LAST_WORDS_S = 1.5
"""After the end of the sound: for the final result that replaces the last interim."""
LONGEST_S = 120.0
"""A request has at most 2,000 characters: about two minutes of speech."""
QUEUED_MESSAGES = 100


class Take(Protocol):
    """Takes a request, as the HTTP API does; raises RefusedError."""

    async def __call__(self, person: Identity, text: str, idempotency_key: str, *, language: str | None) -> Taken: ...


@dataclass(slots=True)
class _Words:
    """What has been recognised so far, and when it last changed."""

    finals: list[str]
    interim: str = ""
    changed_at: float | None = None

    @property
    def text(self) -> str:
        return " ".join((*self.finals, self.interim)).strip()


class _Microphone:
    """Sound on its way to the ears. `voice_at` is when a voice was last in it, on the loop's clock."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._loop = asyncio.get_running_loop()
        self._detector = VoiceDetector()
        self._pending = b""
        self.voice_at = 0.0

    def hear(self, pcm: bytes) -> None:
        """16-bit samples at 16 kHz. The detector knows the telephone's sound: every second sample, as mu-law."""
        samples = array("h", pcm)
        self._pending += mulaw.encode(samples[::2].tobytes())
        while len(self._pending) >= mulaw.FRAME_SAMPLES:
            self._detector.receive(self._pending[: mulaw.FRAME_SAMPLES])
            self._pending = self._pending[mulaw.FRAME_SAMPLES :]
        if self._detector.speaking:
            self.voice_at = self._loop.time()
        self._ears.hear(pcm, voiced=self._detector.speaking)


class Dictation:
    """Serves `/dictate`."""

    def __init__(self, ears: EarsMaker, verify: Verify, take: Take, *, language: str) -> None:
        """`language`: when neither the client nor its profile names one, BCP-47."""
        self._ears = ears
        self._verify = verify
        self._take = take
        self._language = language

    async def dictate(self, connection: ServerConnection) -> None:
        """Serve one socket: one request."""
        person, first = await authenticate(connection, self._verify)
        key, language, hold = first.get("idempotency_key"), first.get("language"), first.get("hold", False)
        if not isinstance(key, str) or not 1 <= len(key) <= 128:
            raise ViolationError(1008, "expected an idempotency_key of 1 to 128 characters")
        if not isinstance(language, str | None) or not isinstance(hold, bool):
            raise ViolationError(1008, "expected language as text and hold as true or false")
        line = Line(connection, limit=QUEUED_MESSAGES)
        writer = asyncio.create_task(line.run())
        try:
            text = await self._listen(connection, line, language or self._language, hold)
            message = await self._send(person, text, key, language) if text else encode(type="empty")
        finally:
            writer.cancel()
        await connection.send(message)
        await connection.close(1000)

    async def _send(self, person: Identity, text: str, key: str, language: str | None) -> str:
        try:
            taken = await self._take(person, text, key, language=language)
            return encode(type="sent", id=taken.rid)
        except RefusedError as refusal:
            return encode(type="error", code=refusal.code, message=refusal.message)

    async def _listen(self, connection: ServerConnection, line: Line, language: str, hold: bool) -> str:
        """Words until the speaker pauses or stops."""
        loop = asyncio.get_running_loop()
        words = _Words(finals=[])
        changed = asyncio.Event()

        def hear(event: Heard) -> None:
            if isinstance(event, FinalHeard):
                words.finals.append(event.text)
                words.interim = ""
                line.send(encode(type="final", text=event.text))
            elif isinstance(event, InterimHeard):
                if event.text == words.interim:
                    return
                words.interim = event.text
                line.send(encode(type="interim", text=event.text))
            else:
                return
            words.changed_at = loop.time()
            changed.set()

        ears = self._ears.open(hear, sound=Sound.MICROPHONE, language=language)
        microphone = _Microphone(ears)
        reader = asyncio.create_task(self._feed(connection, microphone))
        end_by = loop.time() + LONGEST_S
        try:
            while True:
                quiet_by = end_by
                if words.changed_at is not None and not hold:
                    quiet_by = max(words.changed_at, microphone.voice_at) + QUIET_S
                changed.clear()
                waiter = asyncio.create_task(changed.wait())
                timeout_s = max(0.0, min(quiet_by, end_by) - loop.time())
                await asyncio.wait((reader, waiter), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
                waiter.cancel()
                if reader.done():
                    reader.result()  # a violation, or a socket that closed
                if reader.done() or loop.time() >= max(min(quiet_by, end_by), microphone.voice_at + QUIET_S):
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LAST_WORDS_S):
                            await ears.finish()
                    return words.text
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
            await ears.close()

    @staticmethod
    async def _feed(connection: ServerConnection, microphone: _Microphone) -> None:
        """Sound into the ears until the client says stop."""
        while True:
            message = await connection.recv()
            if isinstance(message, bytes):
                if len(message) % 2:
                    raise ViolationError(1007, "expected whole samples of 16 bits")
                microphone.hear(message)
            elif parse(message)["type"] == "stop":
                return
            else:
                raise ViolationError(1008, "unknown type")
