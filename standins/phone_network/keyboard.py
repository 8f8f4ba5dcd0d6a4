"""Be the callee yourself: `python -m standins.phone_network.keyboard NUMBER --url http://127.0.0.1:PORT`."""

import argparse
import asyncio
import sys
from urllib.parse import quote

import aiohttp


async def converse(number: str, url: str) -> None:
    """The terminal: a line is spoken, `/3` presses a key, an empty line hangs up, the end of input leaves."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{url.rstrip('/')}/control/keyboard/{quote(number)}") as socket,
    ):
        _show(f"You are {number}. Type to speak, /5 presses a key, an empty line hangs up. Waiting for a call.")
        typing = asyncio.ensure_future(_type(socket))
        try:
            async for message in socket:
                _show(_screen_line(message.json()))
        finally:
            typing.cancel()


async def _type(socket: aiohttp.ClientWebSocketResponse) -> None:
    # Not a thread that reads: it would keep the program from ending until the next line.
    typed = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(typed)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await typed.readline():
        text = line.decode(errors="replace").strip()
        if text.startswith("/"):
            await socket.send_json({"type": "press", "digit": text[1:]})
        elif text:
            await socket.send_json({"type": "say", "text": text})
        else:
            await socket.send_json({"type": "hang_up"})
    await socket.close()


def _show(line: str) -> None:
    print(line, flush=True)


def _screen_line(message: dict[str, str]) -> str:
    match message["type"]:
        case "heard":
            return f"  they say: {message['text'] or '(sounds without words)'}"
        case "ringing":
            return f"* {message['from']} is calling"
        case kind:
            return f"* {kind} {message.get('status', message.get('text', ''))}".rstrip()


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
