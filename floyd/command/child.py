"""One process of the local stack: started in its own group, logged to a file, ended with everything it started."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2

from floyd.errors import FloydError

# The whole stack must be gone 3 s after Ctrl-C. Stand-ins and the emulator need less than this; functions and relays
# would drain for longer, which nobody waits for on a laptop.
GRACE_S = 1.0
# Fine enough not to be felt at start, coarse enough not to take a core from those who are starting.
POLL_S = 0.05
ASK_S = 5.0
# Below the ports that Linux (32768 on) and macOS (49152 on) give to outgoing connections: the parts of a stack that
# are up already open dozens of these while the others still start.
UNASSIGNED = range(20_000, 32_768)


class ChildError(FloydError):
    """A process of the stack did not start, or ended by itself; the message carries its last words."""


@dataclass(eq=False)
class Child:
    """A running process. `name` is for people; everything it prints goes to `log`.

    Where the system can (Linux with setpriv), the process gets SIGTERM when its parent dies, even by SIGKILL.
    Start children from the main thread: the death signal is bound to the thread that starts them.
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    directory: Path | None = None

    def __post_init__(self) -> None:
        self.log.write_bytes(b"")
        self._start()

    def _start(self) -> None:
        leash = shutil.which("setpriv")
        prefix = [leash, "--pdeathsig", "TERM", "--"] if leash else []
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - commands are built by this package from known parts
                [*prefix, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                cwd=self.directory,
                process_group=0,
            )

    def start_again(self) -> None:
        """Start it anew; its log goes on."""
        self.kill()
        self._start()

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative = ended by that signal."""
        return self._process.poll()

    def last_lines(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])

    def check(self) -> None:
        """Raise ChildError if it has ended."""
        if self.exit_code is not None:
            raise self._error(f"ended with status {self.exit_code}")

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Wait until `ready()`; raises ChildError if the process ends first or `timeout_s` passes."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise self._error(f"was not ready within {timeout_s:.0f} s")
            time.sleep(POLL_S)

    def _error(self, what: str) -> ChildError:
        words = self.last_lines() or "(it printed nothing)"
        return ChildError(f"{self.name} {what}. Its last words ({self.log}):\n{words}")

    def signal(self, number: signal.Signals) -> None:
        """Signal its whole group; nothing happens if the group is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def wait(self, timeout_s: float) -> None:
        """Until it has ended, but not longer than this."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)

    def kill(self) -> None:
        """End it and its group at once and reap it; also after its own end, for a worker that outlived it."""
        self.signal(signal.SIGKILL)
        self._process.wait()


def stop_all(children: Collection[Child]) -> None:
    """Ask every group to end, then make it: returns within about `GRACE_S`, with nothing left behind."""
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    for child in children:
        child.wait(deadline - time.monotonic())
    for child in children:
        child.kill()


def free_ports() -> Iterator[int]:
    """Ports nobody listens on now, each once. Somebody else may take one before it is used; the child then says so."""
    return filter(_free, random.sample(UNASSIGNED, len(UNASSIGNED)))  # stacks that start together are spread


def free_port() -> int:
    return next(free_ports())


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def listening(port: int) -> bool:
    """Whether something accepts connections on this port of the loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(address: str) -> bool:
    """Whether a server on the loopback answers with 200."""
    try:
        return httpx2.get(address, timeout=ASK_S).status_code == 200
    except httpx2.HTTPError:
        return False
