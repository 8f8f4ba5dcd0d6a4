"""The Firestore emulator: found, fetched, or a sentence saying what to do; and its own triggers reach a function."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from floyd.command import emulator
from floyd.command.child import Child, free_port, listening, stop_all
from floyd.errors import ConfigError, FloydError

DEADLINE_S = 60.0


def java(folder: Path, version: str) -> dict[str, str]:
    """An environment whose Java says it is of this version."""
    program = folder / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    program.chmod(0o755)
    return {"JAVA_HOME": str(folder)}


def test_java_home_is_taken(tmp_path: Path) -> None:
    """If this fails people cannot choose their Java."""
    assert emulator.find_java(java(tmp_path, "21.0.1")) == tmp_path / "bin" / "java"


@pytest.mark.parametrize("version", ["1.8.0_392", "10.0.2"])
def test_an_old_java_is_named(tmp_path: Path, version: str) -> None:
    """If this fails the emulator dies with a class-file version nobody understands."""
    with pytest.raises(ConfigError, match="not Java 11 or later: install Java 17"):
        emulator.find_java(java(tmp_path, version))


def test_no_java_is_said_with_what_to_do(tmp_path: Path) -> None:
    """If this fails a fresh machine shows a stack trace."""
    with pytest.raises(ConfigError, match="there is none: install Java 17"):
        emulator.find_java({"PATH": str(tmp_path)})


def test_a_named_jar_comes_first_and_must_exist(tmp_path: Path) -> None:
    """If this fails the variable that overrides the search does not."""
    jar = tmp_path / "some.jar"
    with pytest.raises(ConfigError, match="names no file"):
        emulator.find_jar({"FLOYD_FIRESTORE_EMULATOR_JAR": str(jar)})
    jar.touch()
    assert emulator.find_jar({"FLOYD_FIRESTORE_EMULATOR_JAR": str(jar)}) == jar


def test_the_cloud_sdks_jar_is_found_beside_gcloud(tmp_path: Path) -> None:
    """If this fails machines that have the emulator fetch it again."""
    jar = tmp_path / "sdk/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
    jar.parent.mkdir(parents=True)
    jar.touch()
    gcloud = tmp_path / "sdk/bin/gcloud"
    gcloud.parent.mkdir()
    gcloud.touch(mode=0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gcloud").symlink_to(gcloud)

    assert emulator.find_jar({"PATH": str(tmp_path / "bin")}) == jar


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server over a directory: its address and the directory."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


def test_a_fetched_jar_is_checked_and_kept(shelf: tuple[str, Path], tmp_path: Path) -> None:
    """If this fails a fresh machine without the Cloud SDK cannot run Floyd."""
    address, folder = shelf
    (folder / "emulator.jar").write_bytes(b"good")
    environment = {"FIREBASE_EMULATORS_PATH": str(tmp_path / "cache")}

    jar = emulator.fetch_jar(environment, address=f"{address}/emulator.jar", sha256=hashlib.sha256(b"good").hexdigest())

    assert jar == tmp_path / "cache" / "emulator.jar"
    assert jar.read_bytes() == b"good"


@pytest.mark.parametrize("name", ["emulator.jar", "not_there.jar"])
def test_a_failed_fetch_says_what_to_do_and_leaves_nothing(shelf: tuple[str, Path], tmp_path: Path, name: str) -> None:
    """If this fails a broken download is run as a program, or people do not know how to go on."""
    address, folder = shelf
    (folder / "emulator.jar").write_bytes(b"tampered with")
    environment = {"FIREBASE_EMULATORS_PATH": str(tmp_path / "cache")}

    with pytest.raises(FloydError, match=r"could not be fetched.*FLOYD_FIRESTORE_EMULATOR_JAR"):
        emulator.fetch_jar(environment, address=f"{address}/{name}", sha256=hashlib.sha256(b"good").hexdigest())

    assert not list((tmp_path / "cache").iterdir())


FUNCTION = r"""
import functions_framework.aio
from google.events.cloud import firestore


@functions_framework.aio.cloud_event
async def seen(event):
    document = firestore.DocumentEventData.deserialize(event.data).value
    print(event["type"], event["source"], document.name, document.fields["reason"].string_value, sep="\n", flush=True)
"""


def test_a_created_document_reaches_a_function_in_the_production_form(tmp_path: Path) -> None:
    """If this fails nothing that waits for a trigger ever happens on a laptop."""
    (tmp_path / "main.py").write_text(FUNCTION)
    ports = {name: free_port() for name in ("firestore", "dispatcher", "function")}
    framework = str(Path(sys.executable).with_name("functions-framework"))
    function = [framework, "--target", "seen", "--source", str(tmp_path / "main.py"), "--host", "127.0.0.1"]
    dispatcher = [sys.executable, "-m", "floyd.command.dispatcher", str(ports["dispatcher"])]

    def child(name: str, command: list[str]) -> Child:
        return Child(name, command, log=tmp_path / f"{name}.log", environment=os.environ)

    children = [
        emulator.start(
            port=ports["firestore"],
            events_to=f"127.0.0.1:{ports['dispatcher']}",
            log=tmp_path / "firestore.log",
            environment=os.environ,
        ),
        child("dispatcher", [*dispatcher, f"seen=http://127.0.0.1:{ports['function']}"]),
        child("function", [*function, f"--port={ports['function']}"]),
    ]
    try:
        children[0].wait_until(lambda: emulator.ready(ports["firestore"]), DEADLINE_S)
        for each, name in zip(children[1:], ("dispatcher", "function"), strict=True):
            each.wait_until(lambda name=name: listening(ports[name]), DEADLINE_S)  # type: ignore[misc]
        emulator.register_trigger(ports["firestore"], "demo-test", "seen", "users/{uid}/jobs/{id}")
        _write(f"127.0.0.1:{ports['firestore']}")

        children[2].wait_until(lambda: "hello" in children[2].last_lines(), DEADLINE_S)
        assert children[2].last_lines().splitlines() == [
            "google.cloud.firestore.document.v1.created",
            "//firestore.googleapis.com/projects/demo-test/databases/(default)",
            "projects/demo-test/databases/(default)/documents/users/u/jobs/j",
            "hello",
        ]
    finally:
        stop_all(children)


WRITER = """
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
client = firestore.Client(project="demo-test", credentials=AnonymousCredentials())
client.document("users/u/other/x").set({"reason": "no trigger is for it"})
client.document("users/u/jobs/j").set({"reason": "hello"})
client.document("users/u/jobs/j").update({"reason": "changed"})
"""


def _write(host: str) -> None:
    """Create a document that nobody waits for and one that a trigger is for; change that one."""
    subprocess.run([sys.executable, "-c", WRITER], check=True, env={**os.environ, "FIRESTORE_EMULATOR_HOST": host})
