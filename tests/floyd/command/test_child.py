"""Processes of the stack: what is started is watched, and ends with everything it started."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from floyd.command.child import Child, ChildError, free_port, free_ports, listening, stop_all

DEADLINE_S = 20.0

# Each program blocks until a signal ends it.
DEAF_WITH_WORKER = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
worker = os.fork()
if worker:
    print(worker, flush=True)
signal.pause()
"""
TELLS_ITS_ID = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
# The death signal is armed by the program that becomes the child: once that speaks, there is a promise to test.
PARENT = f"""
import os, signal, sys
from pathlib import Path
from floyd.command.child import Child
child = Child("child", [sys.executable, "-c", {TELLS_ITS_ID!r}], log=Path(sys.argv[1]), environment=os.environ)
child.wait_until(lambda: child.last_lines() != "", {DEADLINE_S})
print(child.pid, flush=True)
signal.pause()
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


def wait_for_end(pid: int) -> None:
    """Until this process has ended, whoever started it and whether or not anybody has reaped it."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([process], [], [], DEADLINE_S)[0], f"{pid} did not end"
    finally:
        os.close(process)


def test_a_death_is_reported_with_the_last_words(start: Start) -> None:
    """If this fails a part that cannot start leaves people with a stack that silently does nothing."""
    child = start("import sys; print('port 80 is taken'); sys.exit(3)")

    with pytest.raises(ChildError, match=r"(?s)subject ended with status 3.*port 80 is taken"):
        child.wait_until(lambda: False, DEADLINE_S)


def test_waiting_has_an_end(start: Start) -> None:
    """If this fails a part that never becomes ready hangs the whole stack."""
    child = start("import signal; print('thinking', flush=True); signal.pause()")
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
    wait_for_end(worker)


def test_a_part_that_ended_starts_anew(start: Start) -> None:
    """If this fails a journey that kills a part takes the town from all that come after it."""
    child = start(TELLS_ITS_ID)
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
        parent.kill()

    wait_for_end(child)


def test_a_free_port_is_free_and_given_once() -> None:
    """If this fails the stack starts its parts on ports that others hold, or two of them on one."""
    with socket.create_server(("127.0.0.1", free_port())) as holder:
        ports = list(free_ports())

        assert holder.getsockname()[1] not in ports
    assert len(set(ports)) == len(ports)
    assert not listening(ports[0])
