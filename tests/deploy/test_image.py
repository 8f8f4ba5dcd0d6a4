"""The relay, laid out and started as its image lays it out and starts it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from deploy.bundle import ROOT
from floyd.command.child import free_port

DOCKERFILE = (ROOT / "relay/Dockerfile").read_text()
DRAINED_S = 8.0
"""Cloud Run ends a process ten seconds after SIGTERM."""


def test_the_image_is_built_from_pinned_packages_and_runs_as_nobody() -> None:
    """If this fails a release can hold other packages than were tested, or a broken relay owns its container."""
    last_stage = DOCKERFILE.split("\nFROM ")[-1]

    assert "--require-hashes" in DOCKERFILE
    assert "compileall" in DOCKERFILE
    assert re.search(r"^USER relay$", last_stage, re.MULTILINE)
    assert last_stage.rstrip().splitlines()[-1].startswith('CMD ["')


def test_the_image_compiles_and_its_relay_comes_and_goes(tmp_path: Path, firestore_emulator: str) -> None:
    """If this fails the relay does not start in the cloud, is never ready, or outlives its SIGTERM and loses calls."""
    for package in ("floyd", "relay"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(tmp_path / "floyd/command")
    compiled = subprocess.run([sys.executable, "-m", "compileall", "-q", "floyd", "relay"], cwd=tmp_path, check=False)
    assert compiled.returncode == 0
    command = json.loads(DOCKERFILE.rstrip().splitlines()[-1].removeprefix("CMD "))
    assert command[0] == "python"
    port = free_port()
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "PYTHONPATH": str(tmp_path),  # the image has no checkout beside it
        "PYTHONUNBUFFERED": "1",
        "PORT": str(port),
        "FLOYD_ENV": "local",
        "FLOYD_RELAY_URL": f"ws://127.0.0.1:{port}",
        "GOOGLE_CLOUD_PROJECT": "demo-image",
        "FIRESTORE_EMULATOR_HOST": firestore_emulator,
        "FLOYD_SPEECH_ENDPOINT": "127.0.0.1:9",
        "FLOYD_TTS_ENDPOINT": "127.0.0.1:9",
        "OPENAI_API_KEY": "key",
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "token",
        "FLOYD_CALLER_NUMBER": "+12125550100",
    }
    with subprocess.Popen(
        [sys.executable, *command[1:]], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as relay:
        assert relay.stdout is not None
        try:
            said = next(line for line in map(json.loads, relay.stdout) if "relay" in line)
            assert said["port"] == port
            probe = re.search(r"HEALTHCHECK CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
            assert probe is not None
            healthy = subprocess.run(
                [sys.executable, *json.loads(probe[1])[1:]], env=environment, check=False, timeout=30
            )
            assert healthy.returncode == 0
            assert httpx2.get(f"http://127.0.0.1:{port}/ready", trust_env=False).status_code == 200

            relay.send_signal(signal.SIGTERM)
            since = time.monotonic()
            assert relay.wait(2 * DRAINED_S) == 0
            assert time.monotonic() - since < DRAINED_S
        finally:
            relay.kill()
