"""What this machine lacks, and what to do about it: `floyd doctor`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from floyd.command import emulator, running, vendors
from floyd.errors import ConfigError

OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `needed` is false for what only improves matters; `advice` says what to do."""

    name: str
    ok: bool
    advice: str
    needed: bool = True


def examine() -> list[Finding]:
    """Look at everything the local stack rests on."""
    findings = [
        Finding("python", sys.version_info >= OLDEST_PYTHON, f"{sys.version.split()[0]}; 3.11 or later is needed"),
        _java(),
        _emulator(),
        _packages(),
        Finding(
            "flite",
            shutil.which("flite") is not None,
            "speaks free text in the simulated network (Debian: apt-get install flite); without it: the audible code",
            needed=False,
        ),
    ]
    findings += [
        Finding(vendor.name, True, vendor.sentence, needed=False) for vendor in vendors.choose(os.environ).values()
    ]
    return [*findings, _stack()]


def _java() -> Finding:
    try:
        return Finding("java", True, str(emulator.find_java(os.environ)))
    except ConfigError as error:
        return Finding("java", False, str(error))


def _emulator() -> Finding:
    try:
        jar = emulator.find_jar(os.environ)
    except ConfigError as error:
        return Finding("Firestore emulator", False, str(error))
    return Finding("Firestore emulator", True, str(jar) if jar else f"will be fetched once ({emulator.ADDRESS})")


def _packages() -> Finding:
    missing = [
        name for name in ("functions_framework", "pocketsphinx", "websockets") if not importlib.util.find_spec(name)
    ]
    script = Path(sys.executable).with_name("functions-framework").exists()
    if missing or not script:
        return Finding("packages", False, f"missing {', '.join(missing) or 'functions-framework'}: make setup")
    return Finding("packages", True, "all there")


def _stack() -> Finding:
    try:
        found = running.find()
    except ConfigError as error:
        return Finding("stack", False, str(error), needed=False)
    dead = [name for name, pid in found.processes.items() if not running.alive(pid)]
    if dead:
        return Finding("stack", False, f"{', '.join(dead)} ended: see {found.logs}", needed=False)
    return Finding("stack", True, f"running, api at {found.api}", needed=False)


def as_data(findings: list[Finding]) -> dict[str, Any]:
    return {"ok": healthy(findings), "findings": [asdict(finding) for finding in findings]}


def healthy(findings: list[Finding]) -> bool:
    return all(finding.ok for finding in findings if finding.needed)
