"""The command line: failures are one sentence and a status, signals end everything."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from floyd.command.child import free_port
from floyd.command.running import Running

# The stack's first step takes well under this, even on a busy machine.
DEADLINE_S = 60.0
# Nobody is signed in at Google.
NOBODY = {"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/credentials.json"}


def floyd(*arguments: str, directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, with its stack kept in `directory`."""
    return subprocess.run(
        [sys.executable, "-m", "floyd.command", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
        env={**os.environ, **NOBODY, "FLOYD_STACK_DIR": str(directory), "COLUMNS": "200", **environment},
    )


@pytest.mark.parametrize(
    "command", ["demo", "dev", "request", "watch", "facts", "doctor", "stop", "start", "replay", "users"]
)
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    """If this fails people have to read the source."""
    done = floyd(command, "--help", directory=tmp_path)

    assert done.returncode == 0
    assert "Usage" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["watch", "r"], "No stack is running"),
        (["request", "tell the school"], "No stack is running"),
        (["request"], "Say either what to do"),
        (["request", "words", "--voice", "and.wav"], "Say either what to do"),
        (["facts", "list"], "No stack is running"),
        (["stop"], "No stack is running"),
        (["replay", "tom/r1"], "No stack is running"),
        (["users", "add", "tom@example.com"], "The stack on this machine admits everybody"),
        (["replay", "r1"], "expected UID/RID or UID/RID/ATTEMPT"),
        (["demo", "--record", "nowhere/call.wav"], "nowhere/call.wav cannot be written"),
        (["demo", "--record", "."], "expected a file's name"),
        (["doctor", "--project", "p"], "Sign in first: gcloud auth application-default login"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    """If this fails people see a stack trace instead of what to do."""
    done = floyd(*arguments, directory=tmp_path)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_busy_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    """If this fails half a stack starts and dies with the other half's errors."""
    first = free_port()
    with socket.create_server(("127.0.0.1", first)):
        done = floyd("dev", "--first-port", str(first), directory=tmp_path)

    assert done.returncode == 1
    assert f"Port {first} (firestore) is in use" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_proxy_is_not_asked_for_the_stack_on_this_machine(running: Running, tmp_path: Path) -> None:
    """If this fails every command hangs on machines that reach the internet through a proxy."""
    running.model_copy(update={"pid": os.getpid()}).save(tmp_path)
    proxy = dict.fromkeys(("HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")

    done = floyd("facts", "list", directory=tmp_path, **proxy, NO_PROXY="", no_proxy="")

    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_java_is_named(tmp_path: Path) -> None:
    """If this fails a fresh machine shows the emulator's absence as a stack trace."""
    done = floyd("dev", "--first-port", "0", directory=tmp_path, JAVA_HOME=str(tmp_path))

    assert done.returncode == 1
    assert "needs Java and there is none: install Java 17" in done.stderr


def test_the_doctor_names_what_is_missing(tmp_path: Path) -> None:
    """If this fails people cannot find out why nothing works."""
    done = floyd("doctor", "--json", directory=tmp_path, JAVA_HOME=str(tmp_path))

    findings = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    assert not findings["java"]["ok"]
    assert "install Java 17" in findings["java"]["advice"]
    assert findings["python"]["ok"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_start_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """If this fails Ctrl-C in the first seconds leaves half a stack behind."""
    with subprocess.Popen(
        [sys.executable, "-m", "floyd.command", "dev", "--first-port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "FLOYD_STACK_DIR": str(tmp_path)},
    ) as process:
        assert process.stdout is not None
        assert "Firestore" in process.stdout.readline()

        process.send_signal(number)

        assert process.wait(DEADLINE_S) == 130
        # The children held copies of nothing of ours; their groups are gone, so nobody holds the log files open.
        open_logs = [
            link for pid in Path("/proc").glob("[0-9]*") for link in _open_files(pid) if link.startswith(str(tmp_path))
        ]
        assert open_logs == []


def _open_files(process: Path) -> list[str]:
    try:
        return [os.readlink(link) for link in (process / "fd").iterdir()]
    except OSError:
        return []
