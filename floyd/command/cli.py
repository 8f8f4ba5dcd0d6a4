"""The command line: every command, wherever it is defined, and how all of them end."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import asdict
from types import FrameType
from typing import Annotated

import typer
from google.api_core.exceptions import GoogleAPIError
from rich.console import Console
from rich.text import Text

from floyd.command import cloud, deployment, household
from floyd.command import doctor as examination
from floyd.command.arguments import AsJson, Project, show
from floyd.command.demo import demo
from floyd.command.dev import dev
from floyd.command.replay import replay
from floyd.command.running import without_proxy
from floyd.command.watch import request, watch
from floyd.errors import FloydError

app = typer.Typer(
    name="floyd",
    help="Floyd makes phone calls for people. Begin with: floyd demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def doctor(
    *,
    deployed: Annotated[bool, typer.Option("--cloud", help="Look at a deployment, also without --project.")] = False,
    project: Project = "",
    region: Annotated[str, typer.Option(help="Where a deployment's processes run.")] = "us-central1",
    as_json: AsJson = False,
) -> None:
    """What Floyd lacks to run, here or in the cloud, and what to do about it."""
    findings = cloud.examine(project, region, os.environ) if deployed or project else examination.examine()
    ok = examination.healthy(findings)
    show({"ok": ok, "findings": [asdict(each) for each in findings]}, as_json, *(each.line() for each in findings))
    if not ok:
        raise typer.Exit(1)


for command in (demo, dev, request, watch, doctor, deployment.stop, deployment.start, replay):
    app.command()(command)
app.add_typer(household.facts, name="facts")
app.add_typer(deployment.users, name="users")


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point of the console script: failures become one sentence and a status, signals an orderly end."""
    # SIGINT too: a shell that starts us in the background has it ignored, and Python would leave it so.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    os.environ.update(without_proxy(os.environ))
    try:
        app()
    except (FloydError, TimeoutError, GoogleAPIError) as error:
        Console(stderr=True).print(Text.assemble(("floyd: ", "bold red"), str(error)), soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
