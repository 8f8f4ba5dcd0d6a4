"""What the mind knows of telephone talk and of errands, in words: `phrases.toml`."""

import tomllib
from pathlib import Path
from typing import Any

PHRASES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text("utf-8"))


def words_of(name: str) -> frozenset[str]:
    """A list of single words."""
    return frozenset(PHRASES["words"][name].split())


def any_of(name: str, table: str = "any_of") -> str:
    """One pattern from the alternatives."""
    return f"(?:{'|'.join(PHRASES[table][name])})"


def heard(name: str) -> str:
    """One pattern from the alternatives, each a run of whole words."""
    return rf"\b{any_of(name, 'heard')}\b"
