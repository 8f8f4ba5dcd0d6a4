"""The phone network as a server: `python -m standins phone-network`."""

import argparse
import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from standins import announce
from standins.control import explained, listening
from standins.phone_network.control import Control
from standins.phone_network.exchange import Exchange
from standins.phone_network.rest import Rest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--account-sid", default="AC" + "0" * 32)
    parser.add_argument("--auth-token", default="local-auth-token")


@asynccontextmanager
async def running(exchange: Exchange, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the block is left; the port in use. OSError when it is taken."""
    app = web.Application(middlewares=[explained], client_max_size=1 << 20)
    Rest(exchange).add_routes(app)
    Control(exchange).add_routes(app)
    pacing = asyncio.ensure_future(exchange.pace.run())
    try:
        async with listening(app, host, port) as bound:
            try:
                yield bound
            finally:
                await exchange.close()
    finally:
        pacing.cancel()


async def serve(args: argparse.Namespace) -> None:
    exchange = Exchange(args.account_sid, args.auth_token)
    gc.freeze()  # all that is there now stays: to look through it for garbage would stop every call for 30 ms
    async with running(exchange, args.host, args.port) as port:
        announce("phone-network", port)
        await asyncio.Event().wait()
