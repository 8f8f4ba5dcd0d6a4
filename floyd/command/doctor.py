"""What this machine lacks, and what to do about it: `floyd doctor`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from rich.text import Text

from floyd.command import emulator, running, vendors
from floyd.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `needed` is false for what only improves matters; `advice` says what to do."""

    name: str
    ok: bool
    advice: str
    needed: bool = True

    def line(self) -> Text:
        mark = ("✓", "green") if self.ok else ("✗", "bold red" if self.needed else "yellow")
        return Text.assemble(mark, (f" {self.name}  ", "bold"), self.advice)


def examine() -> list[Finding]:
    """Look at everything the local stack rests on."""
    flite = shutil.which("flite")
    without = "free text in the simulated network is spoken in the audible code (Debian: apt-get install flite)"
    return [
        Finding("python", sys.version_info >= (3, 11), f"{sys.version.split()[0]}; 3.11 or later is needed"),
        _found("java", lambda: str(emulator.find_java(os.environ))),
        _found("Firestore emulator", _emulator),
        _found("packages", _packages),
        Finding("flite", flite is not None, flite or without, needed=False),
        *(Finding(each.name, True, each.sentence, needed=False) for each in vendors.choose(os.environ).values()),
        _found("stack", _stack, needed=False),
    ]


def _found(name: str, look: Callable[[], str], *, needed: bool = True) -> Finding:
    """What `look` tells, or why it raises ConfigError."""
    try:
        return Finding(name, True, look(), needed)
    except ConfigError as error:
        return Finding(name, False, str(error), needed)


def _emulator() -> str:
    return str(emulator.find_jar(os.environ) or f"will be fetched once ({emulator.ADDRESS})")


def _packages() -> str:
    wanted = ("functions_framework", "pocketsphinx", "websockets")
    if missing := [name for name in wanted if not importlib.util.find_spec(name)]:
        raise ConfigError(f"missing {', '.join(missing)}: make setup")
    return "all there"


def _stack() -> str:
    found = running.find()
    if dead := [name for name, pid in found.processes.items() if not running.alive(pid)]:
        raise ConfigError(f"{', '.join(dead)} ended: see {found.logs}")
    return f"running, api at {found.api}"


def healthy(findings: list[Finding]) -> bool:
    return all(finding.ok for finding in findings if finding.needed)
