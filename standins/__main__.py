"""Start one stand-in: ``python -m standins NAME --host 127.0.0.1 --port N [...]``.

The convention for a stand-in's module, listed in ``STANDINS``:

``add_arguments(parser: argparse.ArgumentParser) -> None``
    adds its own options; ``--host`` and ``--port`` (0 picks a free port) are added here.
``async def serve(args: argparse.Namespace) -> None``
    opens its sockets, calls ``standins.announce(NAME, port, ...)`` once, then runs until it is cancelled and
    closes what it opened in ``finally``. It installs no signal handlers.

SIGTERM and SIGINT cancel ``serve``. A clean-up that takes longer than ``GRACE_S`` is abandoned, so every stand-in
ends within a second. A module is imported only when its name is asked for.
"""

import argparse
import asyncio
import importlib
import logging
import os
import signal
import sys

from standins import StartError

STANDINS = {
    "google-speech": "standins.google_speech",
    "google-tts": "standins.google_tts",
    "openai": "standins.openai.server",
    "phone-network": "standins.phone_network.server",
}

GRACE_S = 0.8
"""Leaves a margin below the one second in which whoever stops the stack expects us gone."""


async def run(name: str, args: argparse.Namespace) -> int:
    """Serve until a signal arrives; the exit status."""
    loop = asyncio.get_running_loop()
    serving = asyncio.ensure_future(importlib.import_module(STANDINS[name]).serve(args))

    def stop() -> None:
        serving.cancel()
        loop.call_later(GRACE_S, os._exit, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await asyncio.wait({serving})
    failure = None if serving.cancelled() else serving.exception()
    if failure is None:
        return 0
    trace = None if isinstance(failure, StartError | OSError) else failure
    log = logging.getLogger("standins")
    log.error("%s cannot start on %s:%s: %s", name, args.host, args.port, failure, exc_info=trace)
    return 1


def main(argv: list[str]) -> int:
    """Parse *argv* (without the program's name) and serve."""
    parser = argparse.ArgumentParser(prog="python -m standins", description="Start one local vendor.")
    parser.add_argument("name", choices=sorted(STANDINS))
    name = parser.parse_args(argv[:1]).name  # prints help or the list of names, and exits, when there is none
    options = argparse.ArgumentParser(prog=f"python -m standins {name}")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=0, help="0 picks a free port (default)")
    options.add_argument("--log-level", default="WARNING", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    importlib.import_module(STANDINS[name]).add_arguments(options)
    args = options.parse_args(argv[1:])
    logging.basicConfig(level=args.log_level, stream=sys.stderr, format=f"{name} %(levelname)s %(message)s")
    return asyncio.run(run(name, args))


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: threads still busy (a recogniser's, a gRPC server's) must not hold the process past its second.
    os._exit(status)
