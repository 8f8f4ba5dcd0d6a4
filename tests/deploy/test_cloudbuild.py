"""cloudbuild.yaml against Cloud Build's schema, as far as it uses it, and its scripts against their shells."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from deploy.bundle import ROOT

Duration = Annotated[str, Field(pattern=r"^\d+(\.\d{0,9})?s$")]
Variable = Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*=.*$")]


class Part(BaseModel):
    """Names and types as Cloud Build publishes them; a name that it does not know is an error, as there."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Step(Part):
    id: str
    name: str
    script: str
    wait_for: list[str] = []
    env: list[Variable] = []
    secret_env: list[str] = []
    timeout: Duration = "600s"
    allow_failure: bool = False


class SecretVersion(Part):
    version_name: Annotated[str, Field(pattern=r"^projects/[^/]+/secrets/\w+/versions/(latest|\d+)$")]
    env: str


class Secrets(Part):
    secret_manager: list[SecretVersion]


class Options(Part):
    automap_substitutions: bool
    dynamic_substitutions: bool
    logging: Literal["CLOUD_LOGGING_ONLY", "GCS_ONLY", "NONE"]
    machine_type: Literal["E2_HIGHCPU_8", "E2_HIGHCPU_32"]


class Build(Part):
    substitutions: dict[Annotated[str, Field(pattern=r"^_[A-Z0-9_]+$")], str]
    steps: list[Step]
    available_secrets: Secrets
    options: Options
    service_account: str
    timeout: Duration


TEXT = (ROOT / "cloudbuild.yaml").read_text()
BUILD = Build.model_validate(yaml.safe_load(TEXT))
BUILT_IN = {"PROJECT_ID", "COMMIT_SHA", "BUILD_ID"}


def test_every_step_waits_only_for_steps_before_it_and_has_its_secrets() -> None:
    """If this fails Cloud Build refuses the whole build."""
    ids = [step.id for step in BUILD.steps]
    secrets = {secret.env for secret in BUILD.available_secrets.secret_manager}
    for position, step in enumerate(BUILD.steps):
        assert set(step.wait_for) <= {"-", *ids[:position]}, step.id
        assert set(step.secret_env) <= secrets
    assert len(set(ids)) == len(ids)


def test_every_substitution_is_given_and_used() -> None:
    """If this fails the build stops at its first line, or runs with an empty name."""
    used = set(re.findall(r"\$\{?(_[A-Z0-9_]+)", TEXT))

    assert used == BUILD.substitutions.keys()


@pytest.mark.parametrize("step", BUILD.steps, ids=lambda step: step.id)
def test_every_script_is_good_for_its_shell(step: Step) -> None:
    """If this fails a release stops half-way for a typing mistake."""
    shell = step.script.splitlines()[0]
    assert shell in ("#!/usr/bin/env bash", "#!/bin/sh")
    assert "set -" in step.script.splitlines()[1]
    known = {*BUILT_IN, *BUILD.substitutions, *step.secret_env, *(each.partition("=")[0] for each in step.env), "PWD"}
    named = set(re.findall(r"\$\{?([A-Z_][A-Z0-9_]+)", step.script))
    assert named <= known
    checked = subprocess.run([shell.split("/")[-1].split()[-1], "-n"], input=step.script, text=True, check=False)
    assert checked.returncode == 0


def script(name: str) -> str:
    return next(step.script for step in BUILD.steps if step.id == name)


def test_nothing_is_applied_before_everything_is_checked() -> None:
    """If this fails a commit whose tests fail is deployed."""
    waits = {step.id: set(step.wait_for) for step in BUILD.steps}
    assert {"check", "plan", "remember"} <= waits["apply"]
    assert "apply" in waits["roll-out"]


@pytest.mark.parametrize(
    ("fails", "ran"),
    [
        ("", ["forward", "smoke"]),
        ("forward", ["forward", "back"]),
        ("smoke", ["forward", "smoke", "back"]),
        ("apply", ["back"]),
    ],
)
def test_a_release_that_fails_anywhere_is_put_back(tmp_path: Any, fails: str, ran: list[str]) -> None:
    """If this fails a broken release stays, or a good one is taken back."""
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / "dist").mkdir()
    if fails != "apply":
        (tmp_path / "dist/outputs.json").write_text("{}")
    python = tmp_path / ".venv/bin/python"
    # Stands for the interpreter: notes what it was asked to run, and fails where told.
    python.write_text(
        '#!/bin/sh\n[ $2 = deploy.smoke ] && word=smoke || word=$3\necho $word >> ran\n[ $word != "$FAILS" ]\n'
    )
    python.chmod(0o755)
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", script("roll-out")],
        cwd=tmp_path,
        env={"FAILS": fails, "PATH": "/usr/bin:/bin"},
        check=False,
    )

    assert (tmp_path / "ran").read_text().split() == ran
    assert done.returncode == (1 if "back" in ran else 0)
