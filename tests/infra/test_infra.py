"""infra/ as Terraform sees it, and as the code it deploys needs it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from floyd import logs
from floyd.settings import REQUIRED, Process, Settings
from tests.infra.conftest import INFRA, Terraform
from tests.infra.tables import PAGE, blocks, drawn

Applied = dict[str, dict[str, Any]]
SOURCES = {path.name: path.read_text() for path in sorted(INFRA.glob("*.tf"))}

# Who may do what, beside its secrets: (role, on what). On the project where nothing is named.
MAY = {
    "floyd-api": {"datastore.user", "run.viewer", "floydAccounts"},
    "floyd-plan": {"datastore.user"},
    "floyd-dial": {"datastore.user", "run.viewer"},
    "floyd-carrier": {"datastore.user", "run.viewer"},
    "floyd-sweep": {"datastore.user"},
    "floyd-relay": {"datastore.user", "speech.client"},
    "floyd-events": {"eventarc.eventReceiver", "run.invoker floyd-dial", "run.invoker floyd-plan"},
    "floyd-scheduler": {"run.invoker floyd-sweep"},
    "floyd-builder": {
        "artifactregistry.writer floyd",
        "logging.logWriter",
        "storage.objectViewer",
    },
    "allUsers": {f"run.invoker floyd-{name}" for name in ("api", "carrier", "relay-0", "relay-1")},
}
MAY_READ = {
    "FLOYD_PLACES_API_KEY": {"plan"},
    "FLOYD_TWILIO_AUTH_TOKEN_NEXT": {"carrier", "relay"},
    "FLOYD_VOICE_API_KEY": {"plan", "relay"},
    "OPENAI_API_KEY": {"plan", "relay"},
    "SMOKE_PASSWORD": {"deployer"},
    "TWILIO_AUTH_TOKEN": {"api", "plan", "dial", "carrier", "sweep", "relay"},
}
LOCAL_ONLY = sorted(name.upper() for name, field in Settings.model_fields.items() if "local" in field.metadata)


def of_type(applied: Applied, kind: str) -> list[dict[str, Any]]:
    return [values for address, values in applied.items() if re.match(rf"{kind}\.", address)]


def grants(applied: Applied) -> set[tuple[str, str, str]]:
    """(account, role, what it is on) of everything that grants anything."""
    accounts = {each["member"]: each["account_id"] for each in of_type(applied, "google_service_account")}
    custom = {each["name"]: each["role_id"] for each in of_type(applied, "google_project_iam_custom_role")}
    found = set()
    for each in of_type(applied, r"google_\w+_iam_member"):
        on = next((each[key] for key in ("secret_id", "bucket", "repository", "name") if each.get(key)), "")
        if "service_account_id" in each:
            on = "an account"
        role = custom.get(each["role"], each["role"].removeprefix("roles/"))
        found.add((accounts.get(each["member"], each["member"]), role, on))
    return found


def environment(applied: Applied, process: str) -> tuple[dict[str, str], set[str]]:
    """(variables with their values, names of those that come from secrets) of one process."""
    if process == "relay":
        given = applied['google_cloud_run_v2_service.relay["0"]']["template"][0]["containers"][0]["env"]
        return (
            {each["name"]: each["value"] for each in given if not each["value_source"]},
            {each["name"] for each in given if each["value_source"]},
        )
    config = applied[f'google_cloudfunctions2_function.this["{process}"]']["service_config"][0]
    return config["environment_variables"], {each["key"] for each in config["secret_environment_variables"]}


def test_the_files_are_in_terraform_s_own_form(terraform: Terraform) -> None:
    """If this fails every later change drags formatting along: terraform fmt -recursive infra."""
    assert terraform("fmt", "-check", "-recursive").stdout == ""


@pytest.mark.parametrize("folder", [INFRA, INFRA / "examples" / "module"], ids=["as a root", "as a module"])
def test_every_argument_and_reference_is_known(terraform: Terraform, folder: Path) -> None:
    """If this fails an argument is misspelt or missing, or something refers to nothing."""
    run = terraform("validate", at=folder)

    assert run.returncode == 0, run.stderr


def test_plans_and_applies_hold_what_infra_tests_assert(tested: list[dict[str, Any]]) -> None:
    """If this fails a release would be deployed otherwise than infra/tests says, or a bad variable is accepted."""
    failures = [each["diagnostic"] for each in tested if each["type"] == "diagnostic"]
    summary = next(each["test_summary"] for each in tested if each["type"] == "test_summary")

    assert [each for each in failures if each["severity"] == "error"] == []
    assert (summary["status"], summary["passed"] > 0) == ("pass", True)


def test_each_account_may_do_what_its_process_does_and_nothing_more(applied: Applied) -> None:
    """If this fails a process, or anybody, can do more or less in the project than it was."""
    found: dict[str, set[str]] = {}
    for account, role, on in grants(applied):
        if account != "floyd-deployer" and not role.startswith("secretmanager."):
            found.setdefault(account, set()).add(f"{role} {on}".strip())

    assert found == MAY


def test_each_secret_is_read_by_those_who_need_it(applied: Applied) -> None:
    """If this fails a process can read a secret that it has no use for, or lacks one."""
    found: dict[str, set[str]] = {}
    for account, role, on in grants(applied):
        if role == "secretmanager.secretAccessor":
            found.setdefault(on, set()).add(account.removeprefix("floyd-"))

    assert found == MAY_READ


def test_nobody_holds_a_basic_role_and_the_deployer_grants_nothing(applied: Applied) -> None:
    """If this fails one stolen key is the whole project."""
    deployer = {role for account, role, _ in grants(applied) if account == "floyd-deployer"}

    assert not {role for _, role, _ in grants(applied) if re.fullmatch("owner|editor|viewer", role)}
    assert not {
        role for role in deployer if re.search(r"(?<!firebaserules\.)(?<!hosting\.)[aA]dmin$|securityAdmin", role)
    } - {
        "datastore.indexAdmin",
        "storage.objectAdmin",
    }


def test_no_secret_is_written_down(applied: Applied) -> None:
    """If this fails a secret's value passes through Terraform and stays in its state."""
    assert "google_secret_manager_secret_version" not in "".join(SOURCES.values())
    assert all(each.keys() & {"secret_data", "secret_data_wo"} == set() for each in applied.values())


@pytest.mark.parametrize("process", [name for name in get_args(Process) if name != "command"])
def test_each_process_starts_with_what_infra_gives_it(applied: Applied, process: Process) -> None:
    """If this fails a deployed process stops at its start, or is told something that no process knows."""
    plain, secrets = environment(applied, process)
    known = {name.upper() for name in Settings.model_fields}

    settings = Settings.read(process, plain | dict.fromkeys(secrets, "a secret"))

    assert set(REQUIRED[process]) <= plain.keys() | secrets <= known
    assert not plain.keys() & {*LOCAL_ONLY, *MAY_READ, "FLOYD_ENV"}
    assert settings.floyd_carrier_url == "https://floyd-carrier-123456789012.us-central1.run.app"
    assert settings.floyd_web_origins == ("https://demo-floyd-floyd.web.app",)
    assert settings.own_relay_url.startswith("wss://") == (process == "relay")


def test_every_setting_can_be_set_in_a_deployment() -> None:
    """If this fails a setting was added that no deployment can use: to `settings` in infra/variables.tf, or below."""
    chosen = set(
        re.findall(r'"([A-Z]+_[A-Z_]+)"', SOURCES["variables.tf"].split('variable "settings"')[1].split("\n}\n")[0])
    )
    given = set(re.findall(r"^    ([A-Z_]+) +=", SOURCES["processes.tf"], re.MULTILINE)) | {"FLOYD_RELAY_URL"}
    not_there = {*LOCAL_ONLY, "FLOYD_ENV", "FLOYD_RELAY_URLS", "FLOYD_PLACES_ENDPOINT", "PORT"}

    known = {name.upper() for name in Settings.model_fields}
    assert chosen | given | (MAY_READ.keys() - {"SMOKE_PASSWORD"}) == known - not_there


def test_metrics_are_made_of_fields_that_are_logged(applied: Applied) -> None:
    """If this fails a chart stays empty and an alert silent, since no log line has such a field."""
    metrics = of_type(applied, "google_logging_metric")
    fields = {name for each in metrics for name in re.findall(r"jsonPayload\.(\w+)", f"{each}")}
    asked = set(re.findall(r"user_floyd_(\w+)", f"{of_type(applied, 'google_monitoring_alert_policy')}"))
    charted = set(re.findall(r"user_floyd_(\w+)", f"{of_type(applied, 'google_monitoring_dashboard')}"))
    made = {each["name"].removeprefix("floyd/") for each in metrics}

    assert fields <= {*logs.FIELDS}
    assert {re.sub("_(sum|count|bucket)$", "", name) for name in asked | charted} == made


def test_every_alert_has_a_runbook(applied: Applied) -> None:
    """If this fails somebody is woken by an alert and finds no page that says what to do."""
    page = (INFRA.parent / "docs" / "operating.md").read_text()
    told = {
        each["documentation"][0]["content"].split()[-1].rstrip(".")
        for each in of_type(applied, "google_monitoring_alert_policy")
    }

    assert told
    assert told <= set(re.findall(r"^### (\w+)$", page, re.MULTILINE))


def test_the_readme_s_tables_are_made_of_the_code() -> None:
    """If this fails the page lies about variables: python -m tests.infra.tables."""
    page = PAGE.read_text()

    assert drawn(page) == page


def test_the_minimal_example_says_what_must_be_said() -> None:
    """If this fails the first file that a newcomer copies is refused."""
    given = set(re.findall(r"^(\w+) +=", (INFRA / "examples/minimal/terraform.tfvars").read_text(), re.MULTILINE))
    variables = blocks("variable", SOURCES["variables.tf"])

    assert {name for name, of in variables.items() if "default" not in of} <= given <= variables.keys()


@pytest.mark.parametrize("kind", ["variable", "output"])
def test_variables_and_outputs_are_in_alphabetical_order(kind: str) -> None:
    """If this fails a reader looks for a variable in the wrong place."""
    names = list(blocks(kind, SOURCES[f"{kind}s.tf"]))

    assert names == sorted(names)
