"""The made-up person of the local stack (`household.toml`), and `floyd facts`: what Floyd knows of anybody."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from floyd.command.arguments import As, AsJson, show
from floyd.command.client import Client
from floyd.command.running import Running, find
from floyd.command.telephone import TelephoneNetwork
from floyd.documents import Fact, Person
from floyd.errors import ConfigError, InvalidInputError

TOM = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
UID: str = TOM["uid"]

Key = Annotated[str, typer.Argument(help="A name such as child_teacher.", show_default=False)]
Sharing = Literal["always", "ask", "never"]
TOLD: dict[Sharing, str] = {"always": "always", "ask": "if you say yes", "never": "never"}
SHARING = "Whether Floyd may tell it: always, ask (a yes for each errand) or never."

facts = typer.Typer(help="What Floyd knows about the person, and what it may tell.", no_args_is_help=True)


def sign_in(stack: Running, uid: str = UID) -> Client:
    return Client(stack, uid, number=TOM["number"], name=TOM["name"]) if uid == UID else Client(stack, uid)


def move_in(client: Client, network: TelephoneNetwork | None, now: datetime) -> None:
    """Write the person's profile and facts."""
    client.introduce(Person(name=TOM["name"], number=TOM["number"]))
    for fact in TOM["facts"]:
        client.save_fact(Fact(**fact))
    if network is None:
        return
    for name in TOM["places"]:
        number = network.number_by_day(name, now)
        if number is None:
            raise ConfigError(f"The simulated network has no number of {name} where it is day now")
        client.save_fact(Fact(key=f"{name}_number", value=number, category="phone_number", share="always"))


@facts.command("list")
def every(uid: As = UID, as_json: AsJson = False) -> None:
    """Every fact, with what it may be used for."""
    found = sign_in(find(), uid).facts()
    table = Table("fact", "value", "category", "told")
    for fact in found.values():
        hidden = "•" * 8 if fact.share == "never" else fact.value
        table.add_row(*map(Text, (fact.key, hidden, fact.category, TOLD[fact.share])))
    nothing = f"Floyd knows nothing about {uid}. Begin with: floyd facts add KEY VALUE"
    plain = {key: fact.model_dump(mode="json", exclude={"v"}) for key, fact in found.items()}
    show(plain, as_json, table if found else Text(nothing))


@facts.command()
def add(
    key: Key,
    value: Annotated[str, typer.Argument(help="What is so.", show_default=False)],
    category: Annotated[str, typer.Option(help="For example place, family, phone_number, payment.")] = "other",
    share: Annotated[Sharing, typer.Option(help=SHARING)] = "ask",
    uid: As = UID,
) -> None:
    """Add a fact, or replace the one of the same name."""
    if not (key.isidentifier() and key.isascii() and key.islower()):
        raise InvalidInputError(f"{key}: expected a name of lower-case letters, digits and underscores")
    _save(sign_in(find(), uid), Fact(key=key, value=value, category=category, share=share))


@facts.command()
def share(key: Key, share: Annotated[Sharing, typer.Argument(help=SHARING, show_default=False)], uid: As = UID) -> None:
    """Change whether a fact may be told."""
    client = sign_in(find(), uid)
    _save(client, _known(client, key).model_copy(update={"share": share}))


@facts.command()
def remove(key: Key, uid: As = UID) -> None:
    """Forget a fact."""
    client = sign_in(find(), uid)
    client.remove_fact(_known(client, key).key)
    typer.echo(f"{key} is forgotten.")


def _save(client: Client, fact: Fact) -> None:
    client.save_fact(fact)
    typer.echo(f"{fact.key} is known; told: {TOLD[fact.share]}.")


def _known(client: Client, key: str) -> Fact:
    known = client.facts()
    if key not in known:
        raise InvalidInputError(f"There is no fact {key}. See: floyd facts list")
    return known[key]
