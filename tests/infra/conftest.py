"""Terraform with a schema-only provider in the providers' place: no registry, no network, nothing left in infra/."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
PROVIDERS = ("google", "google-beta")
DEADLINE_S = 90

Terraform = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """`terraform("validate", at=folder)`; modules are found, providers are ours."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("terraform 1.9 or later is not installed: infra/ is NOT checked")
    place = tmp_path_factory.mktemp("terraform")
    overrides = ""
    for name in PROVIDERS:
        plugin = place / name / f"terraform-provider-{name}"
        plugin.parent.mkdir()
        plugin.write_text(f"#!/bin/sh\nexec {sys.executable} {Path(__file__).parent / 'provider.py'}\n")
        plugin.chmod(0o755)
        overrides += f'    "hashicorp/{name}" = "{plugin.parent}"\n'
    config = place / "config.tfrc"
    # dev_overrides: Terraform then neither downloads these providers nor locks their versions.
    config.write_text(f"provider_installation {{\n  dev_overrides {{\n{overrides}  }}\n  direct {{}}\n}}\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    clean |= {"TF_CLI_CONFIG_FILE": str(config), "TF_CLI_ARGS": "-no-color", "CHECKPOINT_DISABLE": "1"}

    def run(*arguments: str, at: Path = INFRA) -> subprocess.CompletedProcess[str]:
        environment = clean | {"TF_DATA_DIR": str(place / "data" / at.name)}
        return subprocess.run(
            [program, *arguments],
            cwd=at,
            env=environment,
            timeout=DEADLINE_S,
            capture_output=True,
            text=True,
            check=False,
        )

    for folder in (INFRA, INFRA / "examples" / "module"):
        fetched = run("get", *(["-test-directory=tests"] if folder == INFRA else []), at=folder)
        assert fetched.returncode == 0, fetched.stderr
    return run


@pytest.fixture(scope="session")
def tested(terraform: Terraform) -> list[dict[str, Any]]:
    """What `terraform test` says, message by message."""
    run = terraform("test", "-json", "-verbose")
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.fixture(scope="session")
def applied(tested: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The values of every resource of the release that `terraform test` applied, by address."""
    (state,) = (each["test_state"] for each in tested if each["type"] == "test_state")
    return {each["address"]: each["values"] for each in state["root_module"]["resources"]}
