"""Processes of the stack: what is started is watched, and ends with everything it started."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from floyd.command.child import Child, ChildError, free_port, listening, stop_all

DEADLINE_S = 20.0

DEAF_WITH_WORKER = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
worker = os.fork()
if worker:
    print(worker, flush=True)
time.sleep(60)
"""
PARENT = """
import os, sys, time
from pathlib import Path
from floyd.command.child import Child
command = [sys.executable, "-c", "import time; time.sleep(60)"]
child = Child("child", command, log=Path(sys.argv[1]), environment=os.environ)
print(child.pid, flush=True)
time.sleep(60)
"""

Start = Callable[..., Child]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start Python programs that are gone after the test."""
    children: list[Child] = []

    def _start(program: str) -> Child:
        log = tmp_path / f"{len(children)}.log"
        children.append(Child("subject", [sys.executable, "-c", program], log=log, environment=os.environ))
        return children[-1]

    yield _start
    stop_all(children)


def alive(pid: int) -> bool:
    """Whether it runs; a zombie that nobody reaped has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_a_death_is_reported_with_the_last_words(start: Start) -> None:
    """If this fails a part that cannot start leaves people with a stack that silently does nothing."""
    child = start("import sys; print('port 80 is taken'); sys.exit(3)")

    with pytest.raises(ChildError, match=r"(?s)subject ended with status 3.*port 80 is taken"):
        child.wait_until(lambda: False, DEADLINE_S)


def test_waiting_has_an_end(start: Start) -> None:
    """If this fails a part that never becomes ready hangs the whole stack."""
    child = start("import time; print('thinking', flush=True); time.sleep(60)")
    child.wait_until(lambda: "thinking" in child.last_lines(), DEADLINE_S)

    with pytest.raises(ChildError, match=r"(?s)not ready within 0 s.*thinking"):
        child.wait_until(lambda: False, 0)


def test_stopping_takes_workers_along_and_does_not_wait_for_the_deaf(start: Start) -> None:
    """If this fails Ctrl-C leaves processes that hold ports and eat the machine."""
    child = start(DEAF_WITH_WORKER)
    child.wait_until(lambda: child.last_lines() != "", DEADLINE_S)
    worker = int(child.last_lines())

    stop_all([child])

    assert child.exit_code == -signal.SIGKILL
    wait_for(lambda: not alive(worker))


def test_a_part_that_ended_starts_anew(start: Start) -> None:
    """If this fails a journey that kills a part takes the town from all that come after it."""
    child = start("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    child.wait_until(lambda: len(child.last_lines().splitlines()) == 1, DEADLINE_S)
    child.kill()

    child.start_again()

    child.wait_until(lambda: len(child.last_lines().splitlines()) == 2, DEADLINE_S)
    assert child.exit_code is None
    assert int(child.last_lines().splitlines()[1]) == child.pid


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children that their parent died")
def test_children_do_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    """If this fails a crash of the command leaves a whole stack behind."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        # The death signal is armed by the program that becomes the child; only after that is there a promise to test.
        wait_for(lambda: Path(f"/proc/{child}/cmdline").read_bytes().startswith(sys.executable.encode()))

        parent.kill()

    wait_for(lambda: not alive(child))


def test_a_free_port_is_free() -> None:
    """If this fails the stack starts its parts on ports that others hold."""
    assert not listening(free_port())
