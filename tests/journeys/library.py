"""The shortest errand there is: one sentence to a library, which writes it down."""

from __future__ import annotations

from typing import Any

from tests.journeys.town import Callee, Requester, Town

NEWS = "Tell Oak Library that I am ill"
NOTED = "thank you i have written that down goodbye"


def library(town: Town, **script: Any) -> Callee:
    """A library that answers the phone, unless `script` says otherwise."""
    lines = [{"say": NOTED, "hang_up": True}]
    return town.callee(**{"greeting": "hello oak library", "lines": lines} | script)


def reader(town: Town, library: Callee, name: str = "Tom Baker") -> Requester:
    """Somebody who knows this library and its number."""
    person = town.requester(name)
    person.knows(library_name="Oak Library", library_number=library.number)
    return person
