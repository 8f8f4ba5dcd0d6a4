"""The functions' bundle, unpacked and started as Cloud Functions starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy import bundle
from tests.deploy.conftest import DEADLINE_S, PROJECT, environment, serving
from tests.functions.tokens import claims, unsigned


def test_the_same_sources_make_the_same_bytes(tmp_path: Path) -> None:
    """If this fails every release builds all functions again, changed or not."""
    for name in ("one.zip", "two.zip"):
        bundle.write(tmp_path / name)

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_the_bundle_holds_what_functions_need_and_nothing_of_the_command_line(unpacked: Path) -> None:
    """If this fails a function does not start, installs what nobody has checked, or carries the operator's tools."""
    held = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}

    assert {
        "main.py",
        "requirements.txt",
        "functions/api.py",
        "functions/words.toml",
        "floyd/english.toml",
        "floyd/store/requests.py",
    } <= held
    assert not [name for name in held if name.startswith(("floyd/command", "relay", "standins", "tests"))]
    pinned = (unpacked / "requirements.txt").read_text()
    names = [line for line in pinned.splitlines() if line and line[0] not in "# "]
    assert all("==" in line for line in names)
    assert pinned.count("--hash=sha256:") >= len(names) > 50


def test_the_bundle_serves_as_a_function(served: str) -> None:
    """If this fails the deployed functions fail at their first request."""
    described = httpx2.get(f"{served}/openapi.json", trust_env=False)
    refused = httpx2.post(f"{served}/requests", json={}, trust_env=False)

    assert described.status_code == 200
    assert refused.status_code == 401


def told(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def test_a_function_tells_its_lines_with_the_trace_of_the_request(served: str, api_log: Path) -> None:
    """If this fails a deployed function is silent, or its lines cannot be found by their request."""
    headers = {"authorization": f"Bearer {unsigned(claims(PROJECT, 'traced'))}"}
    body = {"text": "tell them", "idempotency_key": "k"}
    made = httpx2.post(f"{served}/requests", json=body, headers=headers, trust_env=False)
    rid = made.raise_for_status().json()["id"]
    documents = httpx2.get(f"{served}/export", headers=headers, trust_env=False).json()["documents"]

    (line,) = [line for line in told(api_log) if line.get("rid") == rid]
    trace = documents[f"users/traced/requests/{rid}"]["trace"]
    assert line["logging.googleapis.com/trace"] == f"projects/{PROJECT}/traces/{trace}"
    assert (line["severity"], line["message"]) == ("INFO", "taken")


def test_the_sweeper_tells_that_it_has_passed(unpacked: Path, tmp_path: Path, firestore_emulator: str) -> None:
    """If this fails the alert on a silent sweeper never ends."""
    settings = {
        "FIRESTORE_EMULATOR_HOST": firestore_emulator,
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "token",
        "FLOYD_TWILIO_API_BASE": "http://127.0.0.1:9",
        "FLOYD_CALLER_NUMBER": "+12125550100",
        "FLOYD_CARRIER_URL": "https://carrier.example.com",
    }
    with serving(unpacked, "sweep", tmp_path / "sweep.log", **settings) as address:
        assert httpx2.post(address, trust_env=False, timeout=DEADLINE_S).status_code == 200

    assert [line["stuck"] for line in told(tmp_path / "sweep.log") if line.get("kind") == "sweep"] == [0]


@pytest.mark.parametrize("target", ["api", "plan", "dial", "carrier", "sweep"])
def test_every_entry_point_loads_from_the_bundle(unpacked: Path, target: str) -> None:
    """If this fails a function uses a module that was left out."""
    settings = {
        "GOOGLE_CLOUD_PROJECT": "demo-bundle",
        "OPENAI_API_KEY": "key",
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "token",
        "FLOYD_CALLER_NUMBER": "+12125550100",
        "FLOYD_CARRIER_URL": "https://carrier.example.com",
    }
    code = f"import main, floyd; print(callable(main.{target}), floyd.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=unpacked,
        env=environment(unpacked, FUNCTION_TARGET=target, **settings),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )

    assert done.stdout.split() == ["True", str(unpacked / "floyd/__init__.py")], done.stderr
