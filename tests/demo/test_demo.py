"""The demonstration as a new user starts it: a process of its own, rendered voices, real recognition of real sound."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np

TWO_CALLS_S = 240.0
"""Twice what it takes on a busy machine."""


def test_two_calls_are_held_told_and_kept(tmp_path: Path) -> None:
    """If this fails the first thing that anybody tries with Floyd does not work."""
    sound = tmp_path / "calls.wav"
    command = [sys.executable, "-m", "floyd.command", "demo", "--json", "--record", str(sound)]

    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=TWO_CALLS_S, stdin=subprocess.DEVNULL
    )

    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["ok"]
    school, flowers = told["errands"]
    for errand in (school, flowers):
        assert errand["stages"]
        assert float(errand["cost"]) > 0
    with wave.open(str(sound)) as kept:
        assert kept.getnchannels() == 2
        sides = np.frombuffer(kept.readframes(kept.getnframes()), "<i2").reshape(-1, 2)
    assert (np.abs(sides).max(axis=0) > 1000).all()
