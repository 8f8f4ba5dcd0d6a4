"""One answered call's sound, moved on by 20 ms at a time: what is heard, what is said, and what is kept of both."""

import asyncio
from collections.abc import Callable

from standins.phone_network.line import PlayOut
from standins.phone_network.measure import Stopwatch
from standins.phone_network.person import HangUp, Person, Press, Understand
from standins.phone_network.sound import FRAME_S, SILENCE, is_loud
from standins.phone_network.stream import MediaStream

MARK_OF_OURS = "\0"
"""Begins the names of the network's own marks (JSON from a server could hold it too, but no server sends it)."""


class Handset:
    """The phone in the callee's hand, from answer to hang-up."""

    def __init__(self, person: Person, now: float, hang_up: Callable[[], None], note: Callable[..., None]) -> None:
        """hang_up: the person puts the phone down; note: for the timeline."""
        self.person = person
        self.playout = PlayOut()
        self.stopwatch = Stopwatch()
        self.stream: MediaStream | None = None
        self.answered_at = now
        self.heard: list[bytes] = []
        """Every frame that reached the callee's ear since the answer; silence is one shared object."""
        self.said: list[bytes] = []
        self.listening: asyncio.Queue[Understand] = asyncio.Queue()
        """Asked for by the person, answered by the call, which may take its time."""
        self._hang_up = hang_up
        self._note = note
        self._playing: dict[str, asyncio.Future[None]] = {}

    def tick(self, now: float) -> None:
        """20 ms pass on the line."""
        frame, marks = self.playout.take(now)
        for name in marks:
            self._heard_up_to(name)
        loud = frame is not None and is_loud(frame)
        speaking = self.person.speaking
        made = self.person.tick(loud, now)
        self.heard.append(SILENCE if frame is None else frame)
        self.said.append(made.audio)
        self.stopwatch.frame(now, made.loud, loud, speaking)
        if self.stream is not None:
            self.stream.send_media(made.payload)
        if self.person.wishes:
            self._grant()

    def broke(self, error: Exception) -> None:
        """The clock gave this call up."""
        self._note("broke", error=repr(error))
        self._hang_up()

    async def play(self, mulaw: bytes) -> None:
        """The network itself speaks (`<Say>`); returns when it has been heard."""
        name = f"{MARK_OF_OURS}{len(self.heard)}"
        heard = self._playing[name] = asyncio.get_running_loop().create_future()
        self.playout.media(mulaw, asyncio.get_running_loop().time())
        self.playout.mark(name)
        try:
            await heard
        finally:
            self._playing.pop(name, None)
            self.playout.clear()

    def heard_since(self, since: float) -> bytes:
        """What reached the ear from this moment on, with 200 ms before it so that no word loses its beginning."""
        frames = max(0, round((since - 0.2 - self.answered_at) / FRAME_S))
        return b"".join(self.heard[frames:])

    def _heard_up_to(self, name: str) -> None:
        playing = self._playing.get(name)
        if playing is not None and not playing.done():
            playing.set_result(None)
        elif self.stream is not None and not name.startswith(MARK_OF_OURS):
            self.stream.send_mark(name)

    def _grant(self) -> None:
        wishes, self.person.wishes[:] = list(self.person.wishes), []
        for wish in wishes:
            match wish:
                case HangUp():
                    self._note("callee hangs up")
                    self._hang_up()
                case Press(digits):
                    for digit in digits:
                        self._note("key", digit=digit)
                        if self.stream is not None:
                            self.stream.send_key(digit)
                case Understand():
                    self.listening.put_nowait(wish)
