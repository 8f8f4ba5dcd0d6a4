"""The stack that stays up: `floyd dev`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from floyd.command import household
from floyd.command.running import Running
from floyd.command.stack import Options, Stack
from floyd.command.telephone import TelephoneNetwork

# How soon a process's death is noticed.
LOOK_EVERY_S = 0.5


def dev(options: Options, *, as_json: bool) -> None:
    """Run until interrupted or until a process ends by itself (ChildError)."""
    console = Console(stderr=as_json)
    with Stack(options, tell=lambda step: console.print(f"[dim]{step}[/]")) as stack:
        running = stack.running
        client = household.sign_in(running)
        now, network = datetime.now(UTC), TelephoneNetwork(running.phone) if running.phone else None
        household.move_in(client, network, now)
        client.close()
        if as_json:
            sys.stdout.write(running.model_dump_json() + "\n")
            sys.stdout.flush()
        else:
            awake = {name: network.number_by_day(name, now) or "" for name in network.callees()} if network else {}
            _describe(console, stack, running, awake)
        if network:
            network.close()
        while True:
            stack.check()
            time.sleep(LOOK_EVERY_S)


def _describe(console: Console, stack: Stack, running: Running, awake: Mapping[str, str]) -> None:
    """Where everything is, what each key would replace, who can be rung, and what to try."""
    places = {name: getattr(running, name) for name in ("api", "carrier", "sweep")}
    places |= {f"relay {place}": url for place, url in enumerate(running.relays, 1)}
    places |= {"Firestore": f"{running.firestore}, project {running.project}", "logs": running.logs}
    places |= {f"{name} control": f"{url}/control/" for name, url in running.controls.items()}
    vendors = {vendor.name: vendor.sentence for vendor in stack.vendors.values()}
    callees = {name.replace("_", " "): number for name, number in awake.items()} or {"": ", ".join(running.numbers)}
    for title, rows in (("Where", places), ("Vendors", vendors), ("Who can be rung: it is day there", callees)):
        console.print(f"\n[bold]{title}[/]")
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="cyan", no_wrap=True)
        table.add_column(overflow="fold")
        for row in rows.items():
            table.add_row(*row)
        console.print(table)
    console.print('\nTry, in another terminal:  [bold]floyd request --watch "tell Mara\'s school she is sick today"[/]')
    if number := awake.get(household.SCHOOL):
        socket = f"{running.phone.replace('http', 'ws', 1)}/control/keyboard/{number}"
        keyboard = f"{os.path.relpath(sys.executable)} -m websockets {socket}"
        console.print(f"Be the school yourself:    [bold]{keyboard}[/]", soft_wrap=True)
    console.print("[dim]Ctrl-C stops everything.[/]")
