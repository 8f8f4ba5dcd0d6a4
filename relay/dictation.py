"""`/dictate`: a person speaks, the words appear, and after a pause the request is sent by itself."""

import asyncio
from array import array
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from websockets.asyncio.server import ServerConnection

from floyd import mulaw
from floyd.errors import RefusedError
from floyd.identity import Identity
from floyd.store import Taken
from relay.clients import Verify, authenticate, encode, parse
from relay.core.events import Event, FinalHeard, InterimHeard
from relay.core.voice_activity import VoiceDetector
from relay.ears import Recogniser, Sound
from relay.endless_ears import EndlessEars
from relay.line import Line
from relay.media_stream import ViolationError

QUIET_S = 0.8  # so long without new words after words, and the request counts as spoken
LAST_WORDS_S = 1.5  # after the end of the sound: for the final result that replaces the last interim
LONGEST_S = 120.0  # a request has at most 2,000 characters: about two minutes of speech
QUEUED_MESSAGES = 100


class Take(Protocol):
    """Takes a request, as the HTTP API does; raises RefusedError."""

    async def __call__(self, person: Identity, text: str, idempotency_key: str, *, language: str | None) -> Taken: ...


class _Speaker:
    """One person's sound on its way to the ears, and what has been recognised of it."""

    def __init__(self, recogniser: Recogniser, line: Line, language: str, *, hold: bool) -> None:
        self._line = line
        self._hold = hold
        self._detector = VoiceDetector()
        self._narrow = b""
        self._finals: list[str] = []
        self._interim = ""
        self._end_by = asyncio.get_running_loop().time() + LONGEST_S
        self._patience: asyncio.Timeout | None = None
        self._ears = EndlessEars(recogniser, self._heard, sound=Sound.MICROPHONE, language=language)

    async def words_from(self, connection: ServerConnection) -> str:
        """Take sound until the client says stop, or pauses after words; then all the words."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._end_by) as self._patience:
                    await self._take(connection)
            self._patience = None
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_S):
                    await self._ears.finish()
            return self._text
        finally:
            await self._ears.close()

    @property
    def _text(self) -> str:
        return " ".join((*self._finals, self._interim)).strip()

    async def _take(self, connection: ServerConnection) -> None:
        while True:
            message = await connection.recv()
            if isinstance(message, bytes):
                if len(message) % 2:
                    raise ViolationError(1007, "expected whole samples of 16 bits")
                self._hear(message)
            elif parse(message)["type"] == "stop":
                return
            else:
                raise ViolationError(1008, "unknown type")

    def _hear(self, pcm: bytes) -> None:
        """16-bit samples at 16 kHz. The detector knows the telephone's sound: every second sample, as mu-law."""
        narrow = self._narrow + mulaw.encode(array("h", pcm)[::2].tobytes())
        whole = len(narrow) - len(narrow) % mulaw.FRAME_SAMPLES
        for start in range(0, whole, mulaw.FRAME_SAMPLES):
            self._detector.receive(narrow[start : start + mulaw.FRAME_SAMPLES])
        self._narrow = narrow[whole:]
        if self._detector.speaking and self._text:
            self._wait_for_more()
        self._ears.hear(pcm, voiced=self._detector.speaking)

    def _heard(self, event: Event) -> None:
        match event:
            case FinalHeard(text):
                self._finals.append(text)
                self._interim = ""
                self._line.send(encode(type="final", text=text))
            case InterimHeard(text) if text != self._interim:
                self._interim = text
                self._line.send(encode(type="interim", text=text))
            case _:
                return
        self._wait_for_more()

    def _wait_for_more(self) -> None:
        if self._patience and not self._patience.expired() and not self._hold:
            quiet_by = asyncio.get_running_loop().time() + QUIET_S
            self._patience.reschedule(min(quiet_by, self._end_by))


@dataclass(frozen=True, slots=True)
class Dictation:
    """Serves `/dictate`."""

    recogniser: Recogniser
    verify: Verify
    take: Take
    language: str  # when neither the client nor its profile names one, BCP-47

    async def dictate(self, connection: ServerConnection) -> None:
        """Serve one socket: one request."""
        person, first = await authenticate(connection, self.verify)
        key, language, hold = first.get("idempotency_key"), first.get("language"), first.get("hold", False)
        if not isinstance(key, str) or not 1 <= len(key) <= 128:
            raise ViolationError(1008, "expected an idempotency_key of 1 to 128 characters")
        if not isinstance(language, str | None) or not isinstance(hold, bool):
            raise ViolationError(1008, "expected language as text and hold as true or false")
        line = Line(connection, limit=QUEUED_MESSAGES)
        writer = asyncio.create_task(line.run())
        try:
            text = await _Speaker(self.recogniser, line, language or self.language, hold=hold).words_from(connection)
            message = await self._send(person, text, key, language) if text else encode(type="empty")
        finally:
            writer.cancel()
        await connection.send(message)
        await connection.close(1000)

    async def _send(self, person: Identity, text: str, key: str, language: str | None) -> str:
        try:
            taken = await self.take(person, text, key, language=language)
            return encode(type="sent", id=taken.rid)
        except RefusedError as refusal:
            return encode(type="error", code=refusal.code, message=refusal.message)
