"""Two whole errands in front of the reader: `floyd demo`."""

from __future__ import annotations

import io
import json
import sys
import time
import wave
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from floyd.command import household
from floyd.command.client import Client, Errand, ErrandView
from floyd.command.report import report
from floyd.command.stack import Options, Stack
from floyd.command.telephone import TelephoneNetwork
from floyd.command.verdict import Check, all_held, ordinary, refused_price
from floyd.command.watch import Answering, answer_with, follow
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
CALL_OVER = {Status.WRAPPING, *TERMINAL}


def demo(options: Options, *, record: Path | None, as_json: bool) -> bool:
    """Run both errands; True only if everything that is shown really happened."""
    console = Console(stderr=as_json)
    began = time.monotonic()
    with Stack(options, tell=lambda step: console.print(f"[dim]{step}[/]")) as stack:
        ready_s = time.monotonic() - began
        client, network = household.sign_in(stack.running), TelephoneNetwork(stack.running.phone)
        household.move_in(client, network, datetime.now(UTC))
        stage = _Stage(console, stack, client, network)
        school = stage.play(SCHOOL, answer_with(console, BACK), following=FLOWERS)
        flowers = stage.play(FLOWERS, answer_with(console, ANSWER))
        checks = [
            *stage.judged(school),
            *stage.judged(flowers),
            *refused_price(flowers, stage.phone_records(flowers), ASKED),
            stage.nobody_else(),
        ]
        if record:
            keep_sound(record, stage.sounds((school, flowers)))
        network.close()
        client.close()
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


class _Stage:
    """The running stack with everybody on it."""

    def __init__(self, console: Console, stack: Stack, client: Client, network: TelephoneNetwork) -> None:
        self._console = console
        self._stack = stack
        self._client = client
        self._network = network
        self._early: Errand | None = None

    def play(self, text: str, answering: Answering, *, following: str = "") -> ErrandView:
        """Hand a request in, unless that was done already, and show it to its end.

        `following` is handed in as soon as the call is over: it is planned while this one's result is worked out.
        """
        self._console.print(Rule(f'[bold]"{text}"[/]', align="left"))
        errand, self._early = self._early or self._client.request(text), None

        def check(view: ErrandView) -> None:
            self._stack.check()
            if following and self._early is None and view.request and view.request.status in CALL_OVER:
                self._early = self._client.request(following)

        with errand:
            return follow(
                errand,
                self._console,
                answering=answering,
                client=self._client,
                timeout_s=ERRAND_S,
                check=check,
            )

    def judged(self, view: ErrandView) -> list[Check]:
        sids = {call.sid for call in view.calls.values()}
        return ordinary(view, [ring for ring in self._network.rings() if ring["call_sid"] in sids])

    def phone_records(self, view: ErrandView) -> list[dict[str, Any]]:
        """What the phones had of this errand's calls."""
        return [self._network.call(call.sid) for call in view.calls.values() if call.sid]

    def nobody_else(self) -> Check:
        """Whether only numbers of the simulated network were rung."""
        rung = {ring["number"] for ring in self._network.rings()}
        return Check("nobody but the allowed numbers was rung", rung <= set(self._stack.running.numbers))

    def sounds(self, views: Iterable[ErrandView]) -> list[bytes]:
        return [self._network.sound(call.sid) for view in views for call in view.calls.values() if call.sid]


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
