"""The stack that stays up, started as people start it: what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from floyd.command.child import listening
from tests.floyd.command.test_child import wait_for_end

START_S = 90.0
# It takes about a second; this is when it counts as hung, on a machine that plays whole calls beside it.
STOP_S = 20.0

pytestmark = [
    pytest.mark.timeout(2 * START_S),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]


class Dev:
    """`floyd dev` in a terminal of its own."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "floyd.command", "dev", "--first-port=0", "--only-stand-ins", "--json"],
            env={**os.environ, "FLOYD_STACK_DIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        assert self.process.stdout is not None
        self.running = json.loads(self.process.stdout.readline())
        self.descendants = descendants(self.process.pid)

    def end(self, number: signal.Signals) -> int:
        """Signal it as a terminal does, the whole group; its exit code."""
        os.killpg(self.process.pid, number)
        return self.process.wait(STOP_S)


def descendants(pid: int) -> set[int]:
    """Every process below this one."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    dev = Dev(tmp_path)
    yield dev
    if dev.process.poll() is None:
        dev.process.kill()
    dev.process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_whatever_ends_it_leaves_nothing_behind(dev: Dev, tmp_path: Path, number: signal.Signals, code: int) -> None:
    """If this fails Ctrl-C hangs, or leaves processes that hold ports and eat the machine."""
    assert len(dev.descendants) >= len(dev.running["processes"])

    assert dev.end(number) == code

    for pid in dev.descendants:
        wait_for_end(pid)
    assert not listening(int(dev.running["api"].rsplit(":", 1)[1]))
    assert number is signal.SIGKILL or not (tmp_path / "stack.json").exists()


def test_a_missing_emulator_is_named(tmp_path: Path) -> None:
    """If this fails a fresh machine shows a stack trace, or hangs."""
    missing = {"FLOYD_STACK_DIR": str(tmp_path), "FLOYD_FIRESTORE_EMULATOR_JAR": str(tmp_path / "none.jar")}
    said = subprocess.run(
        [sys.executable, "-m", "floyd.command", "dev", "--first-port=0"],
        env={**os.environ, **missing},
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )

    assert said.returncode == 1
    assert "FLOYD_FIRESTORE_EMULATOR_JAR names no file" in said.stderr
    assert "Traceback" not in said.stderr
    assert not (tmp_path / "stack.json").exists()
