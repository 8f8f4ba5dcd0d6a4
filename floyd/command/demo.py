"""Two whole errands in front of the reader: `floyd demo`."""

from __future__ import annotations

import io
import json
import time
import wave
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from floyd.command import household
from floyd.command.arguments import AsJson
from floyd.command.errand import Errand, ErrandView
from floyd.command.running import stack_directory
from floyd.command.stack import Options, Stack
from floyd.command.telephone import TelephoneNetwork
from floyd.command.verdict import ordinary, refused_price
from floyd.command.watch import ask_at_terminal, follow
from floyd.documents import TERMINAL, Status
from floyd.errors import InvalidInputError

SCRIPT = household.TOM["demo"]
ERRAND_S = 120.0
QUICK_MODEL = "--tokens-per-s=200"
"""Nobody wants to watch a plan being written."""
CALL_OVER = {Status.WRAPPING, *TERMINAL}


def demo(
    record: Annotated[
        Path | None, typer.Option(metavar="FILE.wav", help="Keep the calls' sound: left the callee, right Floyd.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Two whole errands on this machine, watched live; needs no account and rings no real phone.

    Exit status 0 only if everything that was shown really happened.
    """
    if record and (record.is_dir() or not record.parent.is_dir()):
        raise InvalidInputError(f"{record} cannot be written: expected a file's name in a directory that exists")
    console = Console(stderr=as_json)
    began = time.monotonic()
    options = Options(stack_directory() / "demo", only_stand_ins=True, stand_ins={"openai": (QUICK_MODEL,)})
    with (
        Stack(options, tell=lambda step: console.print(f"[dim]{step}[/]")) as stack,
        closing(household.sign_in(stack.running)) as client,
        closing(TelephoneNetwork(stack.running.phone)) as network,
    ):
        ready_s = time.monotonic() - began
        household.move_in(client, network, datetime.now(UTC))
        early: list[Errand] = []

        def plan_ahead(view: ErrandView) -> None:
            """The second errand is planned while the result of the first is worked out."""
            stack.check()
            if not early and view.request and view.request.status in CALL_OVER:
                early.append(client.request(SCRIPT["flowers"]["text"]))

        def show(name: str, ahead: list[Errand]) -> ErrandView:
            text, answer = SCRIPT[name]["text"], SCRIPT[name]["answer"]
            console.print(Rule(f'[bold]"{text}"[/]', align="left"))
            with ahead[0] if ahead else client.request(text) as errand:
                answering = ask_at_terminal(console, otherwise=answer)
                return follow(errand, console, answering=answering, client=client, timeout_s=ERRAND_S, check=plan_ahead)

        school = show("school", [])
        flowers = show("flowers", early)
        sids = [[call.sid for call in view.calls.values() if call.sid] for view in (school, flowers)]
        rings = network.rings()
        first, second = (
            ordinary(view, [ring for ring in rings if ring["call_sid"] in own])
            for view, own in zip((school, flowers), sids, strict=True)
        )
        verdict = {f"both: {claim}": held and second[claim] for claim, held in first.items()}
        verdict |= refused_price(flowers, [network.call(sid) for sid in sids[1]], Decimal(SCRIPT["asked"]))
        strangers = {ring["number"] for ring in rings} - set(stack.running.numbers)
        verdict["nobody but the allowed numbers was rung"] = not strangers
        if record:
            keep_sound(record, [network.sound(sid) for both in sids for sid in both])
    for claim, held in verdict.items():
        console.print(Text.assemble("  ", ("✓", "green") if held else ("✗", "bold red"), f" {claim}"))
    ok, seconds = all(verdict.values()), time.monotonic() - began
    console.print(f"[dim]{seconds:.0f} s in all, {ready_s:.0f} s of them to start every process[/]")
    if as_json:
        figures = {"ready_s": round(ready_s, 1), "seconds": round(seconds, 1)}
        checks = [{"claim": claim, "held": held} for claim, held in verdict.items()]
        typer.echo(json.dumps({"ok": ok, "checks": checks, **figures, "errands": [school.report(), flowers.report()]}))
    if not ok:
        raise typer.Exit(1)


def keep_sound(path: Path, sounds: list[bytes]) -> None:
    """All calls one after another in one WAV file, a second of silence between them."""
    with wave.open(str(path), "wb") as out:
        for place, sound in enumerate(sounds):
            with wave.open(io.BytesIO(sound)) as call:
                if place == 0:
                    out.setparams(call.getparams())
                else:
                    out.writeframes(bytes(call.getframerate() * call.getnchannels() * call.getsampwidth()))
                out.writeframes(call.readframes(call.getnframes()))
