"""A person at a keyboard as the callee, at both ends of the websocket `/control/keyboard/{number}`.

Up: {"type":"say","text"}, {"type":"press","digit"}, {"type":"hang_up"}.
Down: {"type":"ringing","from"}, {"type":"connected","call_sid"}, {"type":"heard","text"}, {"type":"ended","status"},
{"type":"error","text"}.

The terminal's end is `python -m standins.phone_network.keyboard NUMBER --url http://127.0.0.1:PORT`.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

import aiohttp
from aiohttp import web
from pydantic import Field, ValidationError

from standins.control import Closed
from standins.phone_network.call import Call
from standins.phone_network.life import Subscriber
from standins.phone_network.person import MISSED_QUIET_S, Person, Phone
from standins.phone_network.script import Script
from standins.phone_network.voices import prepare, sound_of


class Command(Closed):
    """What comes up from the keyboard."""

    type: Literal["say", "press", "hang_up"]
    text: str = ""
    digit: str = Field(default="", pattern=r"^[0-9*#]?$")


class Typist(Person):
    """The person on the phone: says what is typed, shows what is heard."""

    def __init__(self, keyboard: "Keyboard", phone: Phone, now: float) -> None:
        super().__init__(phone, now)
        self._keyboard = keyboard

    def tick(self, loud: bool, now: float) -> bytes:
        """Hears whether the last 20 ms were loud; makes the next 20 ms."""
        self.hear(loud, now)
        if self.audible and now - self.quiet_since >= MISSED_QUIET_S:
            self.ask_for_words()
            self.new_turn(now)
        return self.speak(now)

    def understood(self, turn: float, words: Sequence[str]) -> None:
        """Words for the screen; every turn is shown, late or not."""
        self._keyboard.tell(type="heard", text=" ".join(words))


class Keyboard(Subscriber):
    """A number whose owner sits at a websocket."""

    def __init__(self, voice: str) -> None:
        super().__init__(Script(voice=voice, answer_after_s=1.0))
        self._down: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._typist: Typist | None = None

    def rung(self, call: Call) -> None:
        """The phone rings."""
        self.tell(type="ringing", **{"from": call.order.from_})

    def answer(self, call: Call, phone: Phone, now: float) -> Typist:
        """Pick up."""
        self._typist = Typist(self, phone, now)
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
                try:
                    await self._obey(Command.model_validate_json(message.data))
                except ValidationError as error:
                    self.tell(type="error", text=str(error))
        finally:
            telling.cancel()
            if self._typist is not None:
                self._typist.phone.hang_up()

    async def _obey(self, command: Command) -> None:
        typist = self._typist
        if typist is None:
            self.tell(type="error", text="there is no call")
        elif command.type == "say":
            await prepare([command.text], self.script.voice)
            typist.say(command.text, sound_of(command.text, self.script.voice))
        elif command.type == "press":
            typist.phone.press(command.digit)
        else:
            typist.phone.hang_up()

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        while True:
            await socket.send_json(await self._down.get())


async def converse(number: str, url: str) -> None:
    """The terminal: a line is spoken, `/3` presses a key, an empty line hangs up, the end of input leaves."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url.rstrip('/')}/control/keyboard/{quote(number)}") as socket,
    ):
        print(f"You are {number}. Type to speak, /5 presses a key, an empty line hangs up.", flush=True)
        typing = asyncio.ensure_future(_type(socket))
        try:
            async for message in socket:
                told = message.json()
                print("*", told.pop("type"), *told.values(), flush=True)
        finally:
            typing.cancel()


async def _type(socket: aiohttp.ClientWebSocketResponse) -> None:
    # Not a thread that reads: it would keep the program from ending until the next line.
    typed = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(typed)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await typed.readline():
        text = line.decode(errors="replace").strip()
        press, say = {"type": "press", "digit": text[1:]}, {"type": "say", "text": text}
        await socket.send_json(press if text.startswith("/") else say if text else {"type": "hang_up"})
    await socket.close()


def main() -> None:
    """Parse the command line and converse until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m standins.phone_network.keyboard", description="Be the callee.")
    parser.add_argument("number", help="E.164, for example +12125550199")
    parser.add_argument("--url", required=True, help="where the phone network listens")
    args = parser.parse_args()
    try:
        asyncio.run(converse(args.number, args.url))
    except KeyboardInterrupt:
        pass
    except aiohttp.ClientError as error:
        sys.exit(f"no phone network at {args.url}: {error}")


if __name__ == "__main__":
    main()
