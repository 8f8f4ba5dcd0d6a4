"""Options that several commands take, and how all of them give their results."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on standard output.")]
As = Annotated[str, typer.Option("--as", metavar="UID", help="The person to be; the local stack believes it.")]
Project = Annotated[
    str,
    typer.Option(metavar="PROJECT", help="A deployment's project; without it the stack on this machine."),
]


def show(data: Any, as_json: bool, *said: RenderableType) -> None:
    """The result: as data for programs, or in words for people. Lines are never broken, so that they can be copied."""
    if as_json:
        typer.echo(json.dumps(data))
        return
    for each in said:
        Console().print(each, soft_wrap=isinstance(each, str | Text), markup=False)
