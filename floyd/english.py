"""English, as Floyd hears it: the phrases of each topic in `english.toml`, beside this module, read once."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

TOPICS: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def patterns(topic: str, end: str = r"\b", **entries: str) -> dict[str, re.Pattern[str]]:
    """What to look for, by name. With an empty `end`, lists match beginnings of words. `entries` come before all."""
    found: dict[str, re.Pattern[str]] = {}
    for name, given in TOPICS[topic].items():
        text = given if isinstance(given, str) else f"(?:{'|'.join(given)})"
        entries[name] = text = re.sub(r"\{([a-z_]+)\}", lambda match: entries[match[1]], text.replace("\n", ""))
        found[name] = re.compile(text if isinstance(given, str) else rf"\b{text}{end}")
    return found
