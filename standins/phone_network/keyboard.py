"""A person at a keyboard as the callee, on the websocket `/control/keyboard/{number}`.

Text both ways. Up: a line is spoken, `/5` presses a key, an empty line hangs up. Down: what happens, and what is
heard. `python -m websockets ws://HOST:PORT/control/keyboard/+12125550142` is such a terminal.
"""

import asyncio
import re
from collections.abc import Sequence

from aiohttp import web

from standins.phone_network.call import Call
from standins.phone_network.life import Subscriber
from standins.phone_network.person import Person, Phone
from standins.phone_network.script import Script
from standins.phone_network.voices import prepare, sound_of


class Typist(Person):
    """The person on the phone: says what is typed, shows what is heard."""

    def __init__(self, keyboard: "Keyboard", phone: Phone, now: float) -> None:
        super().__init__(phone, now, listens=True)
        self._keyboard = keyboard

    def tick(self, heard: bytes, loud: bool, now: float) -> bytes:
        """Makes the next 20 ms."""
        return self.speak(now)

    def understood(self, words: Sequence[str], settled: float) -> None:
        """Words for the screen."""
        if words:
            self._keyboard.tell(f"heard: {' '.join(words)}")


class Keyboard(Subscriber):
    """A number whose owner sits at a websocket."""

    def __init__(self, voice: str) -> None:
        super().__init__(Script(voice=voice, answer_after_s=1.0))
        self._down: asyncio.Queue[str] = asyncio.Queue()
        self._typist: Typist | None = None

    def rung(self, call: Call) -> None:
        """The phone rings."""
        self.tell(f"ringing: {call.order.from_}")

    def answer(self, call: Call, phone: Phone, now: float) -> Typist:
        """Pick up."""
        self._typist = Typist(self, phone, now)
        self.tell(f"connected: {call.sid}")
        return self._typist

    def ended(self, call: Call) -> None:
        """The call is over."""
        self._typist = None
        self.tell(f"ended: {call.status}")

    def tell(self, line: str) -> None:
        """Send down."""
        self._down.put_nowait(line)

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Both ways until the socket closes."""
        self.tell("A line is spoken, /5 presses a key, an empty line hangs up.")
        telling = asyncio.ensure_future(self._tell(socket))
        try:
            async for message in socket:
                await self._obey(str(message.data).strip())
        finally:
            telling.cancel()
            if self._typist is not None:
                self._typist.phone.hang_up()

    async def _obey(self, line: str) -> None:
        if self._typist is None:
            self.tell("there is no call")
        elif re.fullmatch("/[0-9*#]+", line):
            self._typist.phone.press(line[1:])
        elif line:
            await prepare([line], self.script.voice)
            self._typist.say(line, sound_of(line, self.script.voice))
        else:
            self._typist.phone.hang_up()

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        while True:
            await socket.send_str(await self._down.get())
