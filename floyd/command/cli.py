"""The commands. Each only reads its options and hands over."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from floyd.command import cloud, household, running, switch, users
from floyd.command import doctor as examination
from floyd.command import replay as recordings
from floyd.command.client import Client, Errand
from floyd.command.demo import demo as show_demo
from floyd.command.dev import dev as run_dev
from floyd.command.dictation import dictate, read_sound
from floyd.command.panels import result_panel, stages_table
from floyd.command.report import report
from floyd.command.stack import Options
from floyd.command.watch import ask_at_terminal, follow
from floyd.documents import Fact
from floyd.errors import FloydError, InvalidInputError

app = typer.Typer(
    name="floyd",
    help="Floyd makes phone calls for people. Begin with: floyd demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
facts_app = typer.Typer(help="What Floyd knows about the person, and what it may tell.", no_args_is_help=True)
app.add_typer(facts_app, name="facts")
users_app = typer.Typer(help="Who may use a deployment.", no_args_is_help=True)
app.add_typer(users_app, name="users")

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on standard output.")]
As = Annotated[str, typer.Option("--as", metavar="UID", help="The person to be; the local stack believes it.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait for the end.")]

# Longer than any call may last, with a call back after it.
WATCH_S = 3600.0


@app.command()
def demo(
    record: Annotated[
        Path | None, typer.Option(metavar="FILE.wav", help="Keep the calls' sound: left the callee, right Floyd.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Two whole errands on this machine, watched live; needs no account and rings no real phone.

    Exit status 0 only if everything that was shown really happened.
    """
    if record and not record.parent.is_dir():
        raise InvalidInputError(f"{record.parent} is not a directory")
    options = Options(directory=running.stack_directory() / "demo", only_stand_ins=True)
    if not show_demo(options, record=record, as_json=as_json):
        raise typer.Exit(1)


@app.command()
def dev(
    first_port: Annotated[
        int, typer.Option(min=0, max=65000, help="The first of the fixed ports in a row; 0 takes any that are free.")
    ] = 8700,
    relays: Annotated[int, typer.Option(min=1, max=8, help="How many relays.")] = 2,
    sweep_every: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="In the cloud it is a minute.")] = 10.0,
    only_stand_ins: Annotated[
        bool, typer.Option("--only-stand-ins", help="Ignore every key in the environment.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The whole stack, until Ctrl-C. A vendor whose key is set in the environment is the real one."""
    options = Options(
        directory=running.stack_directory(),
        first_port=first_port or None,
        relays=relays,
        sweep_every_s=sweep_every,
        only_stand_ins=only_stand_ins,
    )
    run_dev(options, as_json=as_json)


@app.command()
def request(
    text: Annotated[str, typer.Argument(help="What Floyd should do, in your words.", show_default=False)] = "",
    *,
    voice: Annotated[
        Path | None, typer.Option(metavar="FILE.wav", help="Speak the request from this recording instead.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,
    uid: As = household.UID,
    timeout: Timeout = WATCH_S,
    as_json: AsJson = False,
) -> None:
    """Hand in a request, in words or as a recording."""
    if bool(text) == bool(voice):
        raise InvalidInputError("Say either what to do (floyd request 'tell …') or which recording holds it (--voice)")
    console = Console(stderr=as_json)
    client = _sign_in(uid)
    if voice:
        rid = dictate(client, read_sound(voice), tell=_heard(console))
        errand = client.follow(rid)
    else:
        errand = client.request(text)
    if watch:
        _watch(errand, client, console, timeout, as_json)
        return
    errand.close()
    if as_json:
        _print_json({"id": errand.rid})
    else:
        console.print(f"{errand.rid}   follow it: floyd watch {errand.rid}")


@app.command()
def watch(
    rid: Annotated[str, typer.Argument(metavar="ID", help="The request's id.", show_default=False)],
    uid: As = household.UID,
    timeout: Timeout = WATCH_S,
    as_json: AsJson = False,
) -> None:
    """Follow a request live: plan, words, gaps, questions (answered here), result, cost."""
    client = _sign_in(uid)
    _watch(client.follow(rid), client, Console(stderr=as_json), timeout, as_json)


Project = Annotated[
    str, typer.Option(metavar="PROJECT", help="A Google Cloud project; without it the stack on this machine.")
]


@app.command()
def doctor(
    *,
    deployed: Annotated[bool, typer.Option("--cloud", help="Look at a deployment instead of this machine.")] = False,
    project: Project = "",
    region: Annotated[str, typer.Option(help="Where its processes run.")] = "us-central1",
    as_json: AsJson = False,
) -> None:
    """What Floyd lacks to run, here or in the cloud, and what to do about it."""
    findings = cloud.examine(project, region, os.environ) if deployed else examination.examine()
    if as_json:
        _print_json(examination.as_data(findings))
    else:
        for finding in findings:
            mark = ("✓", "green") if finding.ok else ("✗", "bold red" if finding.needed else "yellow")
            Console().print(Text.assemble(mark, (f" {finding.name}  ", "bold"), finding.advice))
    if not examination.healthy(findings):
        raise typer.Exit(1)


@app.command()
def stop(
    reason: Annotated[str, typer.Option(help="Shown to people who wait.")] = "stopped by the operator",
    project: Project = "",
) -> None:
    """The kill switch: from now on nothing is dialled."""
    switch.set_dialling(False, reason, project)
    Console().print("Dialling is stopped. Start it again: floyd start")


@app.command()
def start(project: Project = "") -> None:
    """Allow dialling again."""
    switch.set_dialling(True, "", project)
    Console().print("Dialling is on.")


@app.command()
def replay(
    call: Annotated[str, typer.Argument(metavar="UID/RID[/ATTEMPT]", help="As in the log.", show_default=False)],
    *,
    core: Annotated[bool, typer.Option("--core", help="Does today's core decide as it did then?")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every event, not only what was said and decided.")] = False,
    project: Project = "",
    as_json: AsJson = False,
) -> None:
    """A call again, from what it left in the store: what was heard, said and decided when."""
    recording = recordings.load(call, project)
    same, verdict = recording.judged_by_core() if core else (True, "")
    if as_json:
        found = report(recording.view) | {"attempt": recording.attempt}
        _print_json(found | {"tapes": [recordings.steps(tape) for tape in recording.tapes], "core": verdict})
    else:
        console = Console()
        for line in recording.lines(everything=everything):
            console.print(recordings.text_of(line))
        console.print(stages_table(recording.view), result_panel(recording.view), verdict)
    if not same:
        raise typer.Exit(1)


Email = Annotated[str, typer.Argument(help="The address they sign in with.", show_default=False)]


@users_app.command("add")
def users_add(email: Email, project: Project = "") -> None:
    """Admit a person; they may sign in afterwards, or sign out and in."""
    Console().print(f"{users.add(email, project)}   {email} may use Floyd")


@users_app.command("remove")
def users_remove(email: Email, project: Project = "") -> None:
    """Shut a person out; what they stored stays until they delete their account."""
    Console().print(f"{users.remove(email, project)}   {email} is shut out within an hour")


@users_app.command("list")
def users_list(project: Project = "", as_json: AsJson = False) -> None:
    """Everybody who may use the deployment."""
    found = users.admitted(project)
    if as_json:
        _print_json([{"email": email, "uid": uid} for email, uid in found])
    else:
        for email, uid in found:
            Console().print(f"{uid}   {email}")


@facts_app.command("list")
def facts_list(uid: As = household.UID, as_json: AsJson = False) -> None:
    """Every fact, with what it may be used for."""
    facts = _sign_in(uid).facts()
    if as_json:
        _print_json({key: fact.model_dump(mode="json", exclude={"v"}) for key, fact in facts.items()})
        return
    table = Table("fact", "value", "category", "told")
    for fact in facts.values():
        hidden = "•" * 8 if fact.share == "never" else fact.value
        table.add_row(fact.key, hidden, fact.category, {"ask": "if you say yes"}.get(fact.share, fact.share))
    Console().print(table)


Share = Annotated[str, typer.Option(help="always, ask (a yes for each errand) or never.")]


@facts_app.command("add")
def facts_add(
    key: Annotated[str, typer.Argument(help="A name such as child_teacher.")],
    value: str,
    category: Annotated[str, typer.Option(help="For example place, family, phone_number, payment.")] = "other",
    share: Share = "ask",
    uid: As = household.UID,
) -> None:
    """Add a fact, or replace the one of the same name."""
    _sign_in(uid).save_fact(_fact(key, value, category, share))


@facts_app.command("share")
def facts_share(key: str, share: Annotated[str, typer.Argument()], uid: As = household.UID) -> None:
    """Change whether a fact may be told: always, ask or never."""
    client = _sign_in(uid)
    known = client.facts().get(key)
    if known is None:
        raise InvalidInputError(f"There is no fact {key}. See: floyd facts list")
    client.save_fact(_fact(known.key, known.value, known.category, share))


@facts_app.command("remove")
def facts_remove(key: str, uid: As = household.UID) -> None:
    """Forget a fact."""
    _sign_in(uid).remove_fact(key)


def _fact(key: str, value: str, category: str, share: str) -> Fact:
    if share not in ("always", "ask", "never"):
        raise InvalidInputError(f"{share}: expected always, ask or never")
    if not (key.isidentifier() and key.isascii() and key.islower()):
        raise InvalidInputError(f"{key}: expected a name of lower-case letters, digits and underscores")
    return Fact.model_validate({"key": key, "value": value, "category": category, "share": share})


def _sign_in(uid: str) -> Client:
    found = running.find()
    return household.sign_in(found) if uid == household.UID else Client(found, uid)


def _watch(errand: Errand, client: Client, console: Console, timeout_s: float, as_json: bool) -> None:
    answering = ask_at_terminal(console)
    with errand:
        view = follow(errand, console, answering=answering, client=client, timeout_s=timeout_s)
    if as_json:
        _print_json(report(view))


def _heard(console: Console) -> Callable[[str, bool], None]:
    """Shows words as they are understood: on a terminal in place, elsewhere only those that will not change."""

    def tell(text: str, final: bool) -> None:
        if final:
            console.print(Text(text))
        elif console.is_terminal:
            console.print(Text(text, "bright_black italic", no_wrap=True, overflow="ellipsis"), end="\r")

    return tell


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point of the console script: failures become one sentence and a status, signals an orderly end."""
    # SIGINT too: a shell that starts us in the background has it ignored, and Python would leave it so.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        app()
    except (FloydError, TimeoutError) as error:
        Console(stderr=True).print(Text.assemble(("floyd: ", "bold red"), str(error)))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
