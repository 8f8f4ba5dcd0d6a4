"""Which vendors are the real ones: a vendor is real when its keys are set, and a stand-in otherwise."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KNOWN = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
KNOWN: Mapping[str, Mapping[str, Any]] = _KNOWN["vendors"]
# Every variable that leads to a vendor or to a phone. None reaches a process of the stack except through
# `Vendor.environment`, so that a key left in the shell rings nobody by accident.
VENDOR_VARIABLES = {
    *_KNOWN["elsewhere"],
    *(key for each in KNOWN.values() for key in each["needed"] + each["optional"]),
}


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor's state. `missing` are the variables that would have to be set to make it real."""

    name: str
    missing: tuple[str, ...]

    @property
    def real(self) -> bool:
        return not self.missing

    @property
    def sentence(self) -> str:
        needed = f"stand-in (set {', '.join(self.missing)} for the real one: {KNOWN[self.name]['replaces']})"
        return "the real one" if self.real else needed

    @property
    def stand_ins(self) -> Mapping[str, list[str]]:
        """The arguments of each program that stands in for it."""
        return {} if self.real else KNOWN[self.name]["stand_ins"]

    def environment(self, given: Mapping[str, str], places: Mapping[str, str]) -> dict[str, str]:
        """What leads every process to it, or to its stand-ins; `places`: host:port of each part of the stack."""
        if self.real:
            known = KNOWN[self.name]
            return {key: given[key] for key in known["needed"] + known["optional"] if key in given}
        return {key: value.format_map(places) for key, value in KNOWN[self.name]["settings"].items()}


def choose(environment: Mapping[str, str], *, only_stand_ins: bool = False) -> dict[str, Vendor]:
    """Every vendor by name, as the environment's keys decide."""
    given = {} if only_stand_ins else environment
    return {
        name: Vendor(name, tuple(key for key in known["needed"] if not given.get(key, "").strip()))
        for name, known in KNOWN.items()
    }
