"""`make simulate`: thousands of seeded calls in virtual time, and what they reached. docs/simulation.md tells more."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tests.simulation.laws import BrokenLawError, Tally
from tests.simulation.reduction import replay, shortest, show
from tests.simulation.world import World

BATCH = 500
LEAST = {"events a call, median": 100, "turns a call, median": 8, "calls with faults": 0.3}
"""Below it the simulated world is too tame to prove anything."""


@dataclass
class Report:
    """What a number of calls came to."""

    tally: Tally = field(default_factory=Tally)
    calls: list[tuple[int, int, bool]] = field(default_factory=list)
    """Of each call that kept every law: its events, its turns, whether it had a fault."""
    broken: list[tuple[int, str]] = field(default_factory=list)
    """Seed and law of the others."""

    def figures(self) -> dict[str, Any]:
        events, turns, faulty = zip(*self.calls, strict=True) if self.calls else ((0,), (0,), (False,))
        return {
            "calls": len(self.calls) + len(self.broken),
            "calls that broke a law": len(self.broken),
            "events": sum(events),
            "events a call, median": median(events),
            "turns a call, median": median(turns),
            "calls with faults": round(sum(faulty) / len(faulty), 3),
        }

    def shortcomings(self) -> list[str]:
        """Why this run proves less than it should; empty when all is well."""
        figures = self.figures()
        tame = [f"{name}: {figures[name]} of {least}" for name, least in LEAST.items() if figures[name] < least]
        return tame + self.tally.missing()

    def reached(self) -> dict[str, int]:
        """How often each row, rule, law, outcome and fault came up."""
        counts: Counter[str] = Counter()
        for (row, _, _), count in self.tally.moves.items():
            counts[row] += count
        laws = {f"law: {law}": count for law, count in self.tally.checks.items()}
        return {**counts, **laws, **dict(sorted(self.tally.others.items()))}


def play(seeds: Iterable[int]) -> Report:
    """One call for each seed."""
    report = Report()
    for seed in seeds:
        world = World(seed, report.tally)
        try:
            transcript = world.run()
        except BrokenLawError as broken:
            report.broken.append((seed, str(broken)))
            continue
        report.calls.append((len(world.judge.trace), len(transcript.turns), bool(world.struck)))
        for name in (f"outcome: {transcript.outcome}", *(f"fault: {fault}" for fault in world.struck)):
            report.tally.others[name] += 1
    return report


def main(
    calls: Annotated[int, typer.Option(help="How many.")] = 10_000,
    seed: Annotated[int | None, typer.Option(help="Of the first call; the others follow. Else the clock's.")] = None,
    jobs: Annotated[int, typer.Option(help="Processes.")] = 1,
    trace: Annotated[bool, typer.Option(help="Print every input and action of the calls.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON instead of tables.")] = False,
) -> None:
    """Exit 1 when a law broke or something was never reached."""
    first = int(time.time()) if seed is None else seed
    if trace:
        for each in range(first, first + calls):
            explain(each, whole=True)
        return
    begun, report = time.perf_counter(), Report()
    batches = [range(start, min(start + BATCH, first + calls)) for start in range(first, first + calls, BATCH)]
    with ProcessPoolExecutor(jobs) as pool:
        for part in pool.map(play, batches) if jobs > 1 else map(play, batches):
            report.tally.add(part.tally)
            report.calls += part.calls
            report.broken += part.broken
    a_second = round(calls / (time.perf_counter() - begun), 1)
    figures = {"seed": first, **report.figures(), "calls a second": a_second}
    shortcomings = report.shortcomings()
    if as_json:
        whole = {**figures, "broken": report.broken, "shortcomings": shortcomings, "reached": report.reached()}
        typer.echo(json.dumps(whole))
    else:
        console = Console(highlight=False)
        for title, counts in (("reached or checked", report.reached()), ("simulated calls", figures)):
            table = Table(title, "times", title_justify="left")
            for name, count in counts.items():
                table.add_row(name, f"{count:,}")
            console.print(table)
        wrong = [f"seed {each} broke {message}" for each, message in report.broken[:5]]
        for line in wrong + [f"never reached, or too tame: {shortcoming}" for shortcoming in shortcomings]:
            console.print(line, style="red", markup=False)
        if report.broken:
            explain(report.broken[0][0], whole=False)
    raise typer.Exit(bool(report.broken or shortcomings))


def explain(seed: int, *, whole: bool) -> None:
    """Print one call, or the shortest part of it that breaks the same law."""
    world = World(seed, Tally())
    judge, broken = world.judge, None
    try:
        world.run()
    except BrokenLawError as error:
        broken = error
    trace = judge.trace
    if broken and not whole:
        trace = shortest(trace, judge.brief, judge.policy, broken.law)
    typer.echo(f"seed {seed}, faults {sorted(world.struck)}")
    typer.echo(show(replay(trace, judge.brief, judge.policy)[0]))
    typer.echo(f"{broken or 'no law broke'}; replay: python -m tests.simulation --seed {seed} --calls 1 --trace")


if __name__ == "__main__":
    typer.run(main)
