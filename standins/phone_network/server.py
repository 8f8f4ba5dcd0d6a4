"""The phone network as a server: `python -m standins phone-network`."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from standins import announce
from standins.phone_network.control import Control
from standins.phone_network.exchange import Exchange
from standins.phone_network.rest import Rest

NAME = "phone-network"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The account that this network serves."""
    parser.add_argument("--account-sid", default="AC" + "0" * 32)
    parser.add_argument("--auth-token", default="local-auth-token")


@asynccontextmanager
async def running(exchange: Exchange, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the block is left; the port in use."""
    app = web.Application(client_max_size=1 << 20)
    Rest(exchange).add_routes(app)
    Control(exchange).add_routes(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    pacing = asyncio.ensure_future(exchange.pace.run())
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await exchange.close()
        pacing.cancel()
        await runner.cleanup()


async def serve(args: argparse.Namespace) -> None:
    """Serve until cancelled; raises OSError when the port is taken."""
    async with running(Exchange(args.account_sid, args.auth_token), args.host, args.port) as port:
        announce(NAME, port)
        await asyncio.Event().wait()
