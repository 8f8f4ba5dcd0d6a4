"""`make bench`: how quick a turn is, how many calls one relay holds, how fast a function starts."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tests.bench import capacity, cut_ins, dead_air, imports, turn_gap

bench = typer.Typer(add_completion=False, help=__doc__, no_args_is_help=False)
Json = Annotated[bool, typer.Option("--json", help="One line of JSON instead of tables.")]
console = Console()


@bench.callback(invoke_without_command=True)
def everything(
    context: typer.Context,
    calls: Annotated[int, typer.Option(help="Calls at once in the capacity measurement.")] = 50,
    seconds: Annotated[float, typer.Option(help="How long they talk.")] = 180.0,
    as_json: Json = False,
) -> None:
    """All of it, one after the other; about a quarter of an hour."""
    if context.invoked_subcommand is None:
        with tempfile.TemporaryDirectory() as folder:
            gaps = turn_gap.measure(Path(folder) / "gap", calls=3)
            load = capacity.measure(Path(folder) / "load", calls=calls, seconds=seconds)
            silences = dead_air.measure(Path(folder) / "silence")
        _show({"imports": imports.measure(), **gaps, "capacity": load, "dead_air": silences}, as_json)


@bench.command("gap")
def gap(calls: int = 3, as_json: Json = False) -> None:
    """Turn gap, barge-in and opening as the phone measures them, `calls` at once in each of four cases; cut-ins."""
    with tempfile.TemporaryDirectory() as folder:
        _show(turn_gap.measure(Path(folder), calls=calls), as_json)


@bench.command("pauses")
def pauses(as_json: Json = False) -> None:
    """Wrongly cut-in turns on the pause corpus, in virtual time."""
    _show({"pauses": cut_ins.measure()}, as_json)


@bench.command("capacity")
def load(calls: int = 50, seconds: float = 180.0, as_json: Json = False) -> None:
    """One relay on one core holding many calls: lateness and gaps at the phone, CPU and memory of the relay."""
    with tempfile.TemporaryDirectory() as folder:
        _show({"capacity": capacity.measure(Path(folder), calls=calls, seconds=seconds)}, as_json)


@bench.command("dead_air")
def silence(only: str = "", as_json: Json = False) -> None:
    """The silence that a callee hears while a vendor fails, fault by fault; `--only voice` for some of them."""
    with tempfile.TemporaryDirectory() as folder:
        _show({"dead_air": dead_air.measure(Path(folder), only=only)}, as_json)


@bench.command("imports")
def start(as_json: Json = False) -> None:
    """Import time of each function's module in a fresh interpreter."""
    _show({"imports": imports.measure()}, as_json)


def _show(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(figures))
        return
    for name, rows in figures.items():
        table = Table(title=name.replace("_", " "), title_justify="left")
        table.add_column("figure")
        table.add_column("measured", justify="right")
        table.add_column("limit", justify="right")
        for figure, (value, limit) in rows.items():
            shown = f"{value:,.3f}" if isinstance(value, float) and abs(value) < 1 else f"{value:,.1f}"
            table.add_row(figure, shown, "" if limit is None else f"{limit:g}")
        console.print(table)


if __name__ == "__main__":
    bench()
