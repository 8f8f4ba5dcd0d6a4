"""A person at a keyboard as the callee: the network's end of the websocket `/control/keyboard/{number}`.

Up: {"type":"say","text"}, {"type":"press","digit"}, {"type":"hang_up"}.
Down: {"type":"ringing","from"}, {"type":"connected","call_sid"}, {"type":"heard","text"}, {"type":"ended","status"},
{"type":"error","text"}.
"""

import asyncio
from collections.abc import Sequence
from typing import Literal

import aiohttp
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from standins.phone_network.call import Call
from standins.phone_network.ear import MISSED_QUIET_S, Ear
from standins.phone_network.mouth import Mouth
from standins.phone_network.person import HangUp, Press, Said, Understand, Wish
from standins.phone_network.script import Script
from standins.phone_network.sound import Clip, Frame
from standins.phone_network.voices import Voices


class Command(BaseModel):
    """What comes up from the keyboard."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["say", "press", "hang_up"]
    text: str = ""
    digit: str = Field(default="", pattern=r"^[0-9*#]?$")


class Typist:
    """The person on the phone: says what is typed, shows what is heard."""

    def __init__(self, now: float, show: "Keyboard") -> None:
        self.wishes: list[Wish] = []
        self._ear = Ear()
        self._ear.new_turn(now)
        self._mouth = Mouth()
        self._keyboard = show
        self._asked = False

    @property
    def said(self) -> list[Said]:
        """The lines spoken so far."""
        return self._mouth.said

    @property
    def speaking(self) -> bool:
        """Whether a line is under way."""
        return self._mouth.speaking

    def say(self, clip: Clip) -> None:
        """A line was typed and made into sound."""
        self._mouth.say(clip)

    def tick(self, loud: bool, now: float) -> Frame:
        """Hears whether the last 20 ms were loud; makes the next 20 ms."""
        self._ear.hear(loud, now)
        if self._ear.audible and not self._asked and self._ear.quiet_s(now) >= MISSED_QUIET_S:
            assert self._ear.turn_started is not None, "an audible turn has a start"
            self._asked = True
            self.wishes.append(Understand(self._ear.turn_started, self._ear.talked_s))
            self._ear.new_turn(now)
        return self._mouth.tick(now)

    def understood(self, turn: float, words: Sequence[str], now: float) -> None:
        """Words for the screen; every turn is shown, late or not."""
        self._asked = False
        self._keyboard.tell(type="heard", text=" ".join(words))


class Keyboard:
    """A number whose owner sits at a websocket."""

    def __init__(self, voices: Voices, voice: str) -> None:
        self.script = Script(voice=voice, answer_after_s=1.0)
        self._voices = voices
        self._down: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._typist: Typist | None = None

    async def prepare(self) -> None:
        """Nothing is known beforehand."""

    def answer(self, call: Call, now: float) -> Typist:
        """Pick up."""
        self._typist = Typist(now, self)
        self.tell(type="connected", call_sid=call.sid)
        return self._typist

    def ended(self, call: Call) -> None:
        """The call is over."""
        self._typist = None
        self.tell(type="ended", status=call.status)

    def tell(self, **message: str) -> None:
        """Send down."""
        self._down.put_nowait(message)

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Both ways until the socket closes."""
        telling = asyncio.ensure_future(self._tell(socket))
        try:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                try:
                    await self._obey(Command.model_validate_json(message.data))
                except ValidationError as error:
                    self.tell(type="error", text=str(error))
        finally:
            telling.cancel()
            if self._typist is not None:
                self._typist.wishes.append(HangUp())

    async def _obey(self, command: Command) -> None:
        typist = self._typist
        if typist is None:
            self.tell(type="error", text="there is no call")
        elif command.type == "say":
            typist.say(await self._voices.clip(command.text, self.script.voice))
        elif command.type == "press":
            typist.wishes.append(Press(command.digit))
        else:
            typist.wishes.append(HangUp())

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        while True:
            await socket.send_json(await self._down.get())
