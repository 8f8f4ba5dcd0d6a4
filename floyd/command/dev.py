"""The stack that stays up: `floyd dev`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from floyd.command import household
from floyd.command.arguments import AsJson
from floyd.command.panels import grid
from floyd.command.running import Running, stack_directory
from floyd.command.stack import Options, Stack
from floyd.command.telephone import TelephoneNetwork

# How soon a process's death is noticed.
LOOK_EVERY_S = 0.5


def dev(
    first_port: Annotated[
        int, typer.Option(min=0, max=65000, help="The first of the fixed ports in a row; 0 takes any that are free.")
    ] = 8700,
    relays: Annotated[int, typer.Option(min=1, max=8, help="How many relays.")] = 2,
    sweep_every: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="In the cloud every minute.")] = 10.0,
    only_stand_ins: Annotated[
        bool, typer.Option("--only-stand-ins", help="Ignore every key in the environment.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The whole stack, until Ctrl-C. A vendor whose key is set in the environment is the real one."""
    console = Console(stderr=as_json)
    options = Options(stack_directory(), first_port, relays, sweep_every, only_stand_ins)
    with Stack(options, tell=lambda step: console.print(f"[dim]{step}[/]")) as stack:
        running = stack.running
        phones = closing(TelephoneNetwork(running.phone)) if running.phone else nullcontext()
        with closing(household.sign_in(running)) as client, phones as network:
            now = datetime.now(UTC)
            household.move_in(client, network, now)
            awake = {name: network.number_by_day(name, now) or "" for name in network.callees()} if network else {}
        if as_json:
            typer.echo(running.model_dump_json())
        else:
            vendors = {vendor.name: vendor.sentence for vendor in stack.vendors.values()}
            _describe(console, running, vendors, awake)
        while True:
            stack.check()
            time.sleep(LOOK_EVERY_S)


def _describe(console: Console, running: Running, vendors: Mapping[str, str], awake: Mapping[str, str]) -> None:
    """Where everything is, what each key would replace, who can be rung, and what to try."""
    places = {name: getattr(running, name) for name in ("api", "carrier", "sweep")}
    places |= {f"relay {place}": url for place, url in enumerate(running.relays, 1)}
    places |= {"Firestore": f"{running.firestore}, project {running.project}", "logs": running.logs}
    places |= {f"{name} control": f"{url}/control/" for name, url in running.controls.items()}
    callees = {name.replace("_", " "): number for name, number in awake.items()} or {"": ", ".join(running.numbers)}
    for title, rows in (("Where", places), ("Vendors", vendors), ("Who can be rung: it is day there", callees)):
        console.print(f"\n[bold]{title}[/]", grid(rows, "cyan"), sep="\n")
    console.print('\nTry, in another terminal:  [bold]floyd request --watch "tell Mara\'s school she is sick today"[/]')
    if number := awake.get("school"):
        socket = f"{running.phone.replace('http', 'ws', 1)}/control/keyboard/{number}"
        keyboard = f"{os.path.relpath(sys.executable)} -m websockets {socket}"
        console.print(f"Be the school yourself:    [bold]{keyboard}[/]", soft_wrap=True)
    console.print("[dim]Ctrl-C stops everything.[/]")
