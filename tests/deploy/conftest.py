"""The functions' bundle, unpacked, and `api` running from it as Cloud Functions starts it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from deploy import bundle
from floyd.command.child import free_port

DEADLINE_S = 60.0
PROJECT = "demo-bundle"


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("bundle")
    bundle.write(target / "functions.zip")
    with zipfile.ZipFile(target / "functions.zip") as written:
        written.extractall(target / "workspace")
    return target / "workspace"


def environment(workspace: Path, **values: str) -> dict[str, str]:
    """Of a function in the cloud: its own sources come first, as there is no checkout."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": str(workspace), "K_SERVICE": "floyd-api", **values}


@contextmanager
def serving(workspace: Path, target: str, log: Path, **settings: str) -> Iterator[str]:
    """A function, started as the cloud starts it; its address. What it says goes to `log`."""
    port = free_port()
    local = {"FLOYD_ENV": "local", "GOOGLE_CLOUD_PROJECT": PROJECT, "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9"}
    values = {"PORT": str(port), "FUNCTION_TARGET": target, **local, **settings}
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("functions-framework"))],
            cwd=workspace,
            env=environment(workspace, **values),
            stdout=output,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + DEADLINE_S
        while True:
            assert process.poll() is None, "the function ended"
            try:
                httpx2.get(f"{address}/robots.txt", timeout=5, trust_env=False)
                break
            except httpx2.TransportError:
                assert time.monotonic() < until
        yield address
    finally:
        process.terminate()
        assert process.wait(DEADLINE_S) in (0, -15)


@pytest.fixture(scope="session")
def api_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served") / "api.log"


@pytest.fixture(scope="session")
def served(unpacked: Path, api_log: Path, firestore_emulator: str) -> Iterator[str]:
    """The address of `api`, started from the bundle."""
    with serving(unpacked, "api", api_log, FIRESTORE_EMULATOR_HOST=firestore_emulator) as address:
        yield address
