"""Two whole errands in front of the reader: `floyd demo`."""

from __future__ import annotations

import io
import json
import sys
import time
import wave
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from floyd.command import household
from floyd.command.client import Errand, ErrandView
from floyd.command.report import report
from floyd.command.stack import Options, Stack
from floyd.command.telephone import TelephoneNetwork
from floyd.command.verdict import Check, all_held, ordinary, refused_price
from floyd.command.watch import ask_at_terminal, follow
from floyd.documents import TERMINAL, Status

SCHOOL = "Tell Mara's school that she is sick today"
FLOWERS = "Order Christa some roses, up to 80 dollars"
ASKED = Decimal(560)
"""Dollars that the flower shop asks first."""
BACK = "tomorrow"
"""What the person says if the school asks how long."""
ANSWER = "No, 80 dollars at most"
"""What the person says to that price, unless whoever watches says otherwise."""
ERRAND_S = 120.0
QUICK_MODEL = "--tokens-per-s=200"
"""Nobody wants to watch a plan being written."""
CALL_OVER = {Status.WRAPPING, *TERMINAL}


def demo(options: Options, *, record: Path | None, as_json: bool) -> bool:
    """Run both errands; True only if everything that is shown really happened."""
    console = Console(stderr=as_json)
    began = time.monotonic()
    options = replace(options, stand_ins={"openai": (QUICK_MODEL,), **options.stand_ins})
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
                early.append(client.request(FLOWERS))

        def show(text: str, errand: Errand, answer: str) -> ErrandView:
            console.print(Rule(f'[bold]"{text}"[/]', align="left"))
            with errand:
                answering = ask_at_terminal(console, otherwise=answer)
                return follow(errand, console, answering=answering, client=client, timeout_s=ERRAND_S, check=plan_ahead)

        school = show(SCHOOL, client.request(SCHOOL), BACK)
        flowers = show(FLOWERS, early[0] if early else client.request(FLOWERS), ANSWER)
        sids = [[call.sid for call in view.calls.values() if call.sid] for view in (school, flowers)]
        rings = network.rings()
        checks = [
            *(
                Check(f"both: {one.claim}", one.held and other.held)
                for one, other in zip(
                    ordinary(school, [ring for ring in rings if ring["call_sid"] in sids[0]]),
                    ordinary(flowers, [ring for ring in rings if ring["call_sid"] in sids[1]]),
                    strict=True,
                )
            ),
            *refused_price(flowers, [network.call(sid) for sid in sids[1]], ASKED),
            Check(
                "nobody but the allowed numbers was rung",
                {ring["number"] for ring in rings} <= set(stack.running.numbers),
            ),
        ]
        if record:
            keep_sound(record, [network.sound(sid) for both in sids for sid in both])
    for check in checks:
        mark = ("✓", "green") if check.held else ("✗", "bold red")
        console.print(Text.assemble("  ", mark, f" {check.claim}"))
    seconds = time.monotonic() - began
    console.print(f"[dim]{seconds:.0f} s in all, {ready_s:.0f} s of them to start every process[/]")
    if as_json:
        result = {
            "ok": all_held(checks),
            "checks": [{"claim": check.claim, "held": check.held} for check in checks],
            "ready_s": round(ready_s, 1),
            "seconds": round(seconds, 1),
            "errands": [report(school), report(flowers)],
        }
        sys.stdout.write(json.dumps(result) + "\n")
    return all_held(checks)


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
