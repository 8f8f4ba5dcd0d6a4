"""Who can be rung: a persona, or a person at a keyboard, on the websocket `/control/keyboard/{number}`.

There, text goes both ways. Up: a line is spoken, `/5` presses a key, an empty line hangs up. Down: what happens, and
what is heard. `python -m websockets ws://HOST:PORT/control/keyboard/+12125550142` is such a terminal.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from standins.phone_network.callee import Callee
from standins.phone_network.handset import Handset
from standins.phone_network.script import Script
from standins.phone_network.sounds import prepare, sound_of

if TYPE_CHECKING:
    from standins.phone_network.call import Call


class Subscriber:
    """A number with a script, which says how and when the phone is picked up, and what is said then."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._served: Counter[str] = Counter()

    def rung(self, call: "Call") -> None:
        """The phone rings."""

    def answer(self, call: "Call", phone: Handset, now: float) -> Callee:
        """The person who picks up; a caller who was served before is known again."""
        self._served[call.order.from_] += 1
        return Callee(self.script, phone.hang_up, phone.press, now, self._served[call.order.from_] > 1)

    def ended(self, call: "Call") -> None:
        """The call is over."""


class Typist(Callee):
    """Says what is typed, shows what is heard."""

    def __init__(self, script: Script, phone: Handset, now: float, show: Callable[[str], None]) -> None:
        super().__init__(script, phone.hang_up, phone.press, now)
        self._show, self.listens = show, True

    def tick(self, heard: bytes, loud: bool, now: float) -> bytes:
        return self.speak(now)

    def understood(self, words: Sequence[str], settled: float) -> None:
        if words:
            self._show(f"heard: {' '.join(words)}")


class Keyboard(Subscriber):
    """A number whose owner sits at a websocket."""

    def __init__(self, voice: str) -> None:
        super().__init__(Script(voice=voice, answer_after_s=1.0))
        self._down: asyncio.Queue[str] = asyncio.Queue()
        self._show = self._down.put_nowait
        self._typist: Typist | None = None

    def rung(self, call: "Call") -> None:
        self._show(f"ringing: {call.order.from_}")

    def answer(self, call: "Call", phone: Handset, now: float) -> Typist:
        self._typist = Typist(self.script, phone, now, self._show)
        self._show(f"connected: {call.sid}")
        return self._typist

    def ended(self, call: "Call") -> None:
        self._typist = None
        self._show(f"ended: {call.status}")

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Both ways until the socket closes."""
        self._show("A line is spoken, /5 presses a key, an empty line hangs up.")
        telling = asyncio.ensure_future(self._tell(socket))
        try:
            async for message in socket:
                await self._obey(str(message.data).strip())
        finally:
            telling.cancel()
            if self._typist is not None:
                self._typist.hang_up()

    async def _obey(self, line: str) -> None:
        if self._typist is None:
            self._show("there is no call")
        elif re.fullmatch("/[0-9*#]+", line):
            self._typist.press(line[1:])
        elif line:
            await prepare([line], self.script.voice)
            self._typist.say(line, sound_of(line, self.script.voice))
        else:
            self._typist.hang_up()

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        while True:
            await socket.send_str(await self._down.get())
