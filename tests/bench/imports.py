"""How long a function's code takes to load: the part of a cold start that is ours."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.bench.figures import Figures

RUNS = 5
LIMIT_S = 1.0
MODULES = (
    "functions.main",
    "functions.api",
    "functions.planning",
    "functions.dialing",
    "functions.carrier",
    "relay.server",
)


def measure() -> Figures:
    """The best of five fresh interpreters each, less the interpreter itself; compiled code is present."""
    bare = _best("pass")
    return {f"{module}, s": (_best(f"import {module}") - bare, LIMIT_S) for module in MODULES}


def _best(code: str) -> float:
    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    once()
    return min(once() for _ in range(RUNS))
