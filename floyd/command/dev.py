"""The stack that stays up: `floyd dev`."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from rich import box
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
        network = TelephoneNetwork(running.phone) if running.phone else None
        household.move_in(client, network, datetime.now(UTC))
        client.close()
        if network:
            network.close()
        if as_json:
            sys.stdout.write(running.model_dump_json() + "\n")
            sys.stdout.flush()
        else:
            console.print(_addresses(stack, running))
            console.print(
                "Try, in another terminal: [bold]floyd request --watch 'tell Mara's school she is sick today'[/]"
            )
            console.print("[dim]Ctrl-C stops everything.[/]")
        while True:
            stack.check()
            time.sleep(LOOK_EVERY_S)


def _addresses(stack: Stack, running: Running) -> Table:
    table = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    rows = {"api": running.api, "carrier": running.carrier, "sweep": running.sweep}
    rows |= {f"relay {place}": url for place, url in enumerate(running.relays, 1)}
    rows |= {"Firestore": running.firestore, "project": running.project, "logs": running.logs}
    rows |= {vendor.name: vendor.sentence for vendor in stack.vendors.values()}
    rows |= {f"{name} control": f"{url}/control/" for name, url in running.controls.items()}
    rows["may ring"] = ", ".join(running.numbers)
    for name, value in rows.items():
        table.add_row(name, value)
    return table
