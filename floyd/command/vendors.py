"""Which vendors are the real ones: a vendor is real when its key is set, and a stand-in otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

# A vendor needs all of its variables: one alone means that somebody is half-way.
NEEDED = {
    "openai": ("OPENAI_API_KEY",),
    "google": ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"),
    "twilio": (
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKEN",
        "FLOYD_CALLER_NUMBER",
        "FLOYD_CARRIER_URL",
        "FLOYD_RELAY_URLS",
        "FLOYD_DIAL_ALLOW",
    ),
}
OPTIONAL = {
    "openai": ("OPENAI_BASE_URL",),
    "google": (),
    "twilio": ("FLOYD_TWILIO_AUTH_TOKEN_NEXT", "FLOYD_DIAL_OVERRIDE", "FLOYD_DIAL_REGIONS"),
}
# Where something else than the vendor answers, and what has no stand-in.
ELSEWHERE = (
    *("OPENAI_BASE_URL", "FLOYD_SPEECH_ENDPOINT", "FLOYD_TTS_ENDPOINT", "FLOYD_TWILIO_API_BASE", "FLOYD_RELAY_URL"),
    *("FLOYD_PLACES_API_KEY", "FLOYD_PLACES_ENDPOINT"),
)
# Every variable that leads to a vendor or to a phone. Nothing of these reaches a process of the stack except through
# `real_environment`, so that a key left in the shell cannot ring anybody by accident.
VENDOR_VARIABLES = {*ELSEWHERE, *chain(*NEEDED.values(), *OPTIONAL.values())}
REPLACES = {
    "openai": "planning, talking and judging the outcome",
    "google": "recognising and speaking",
    "twilio": "the telephone network, with a tunnel to this machine",
}


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor's state. `missing` are the variables that would have to be set to make it real."""

    name: str
    real: bool
    missing: tuple[str, ...]

    @property
    def sentence(self) -> str:
        if self.real:
            return "the real one"
        return f"stand-in (set {', '.join(self.missing)} for the real one: {REPLACES[self.name]})"


def choose(environment: Mapping[str, str], *, only_stand_ins: bool = False) -> dict[str, Vendor]:
    """Every vendor by name, as the environment's keys decide."""
    chosen = {}
    for name, needed in NEEDED.items():
        missing = needed if only_stand_ins else tuple(key for key in needed if not environment.get(key, "").strip())
        chosen[name] = Vendor(name, not missing, missing)
    return chosen


def real_environment(vendors: Mapping[str, Vendor], environment: Mapping[str, str]) -> dict[str, str]:
    """What the processes need to reach the vendors that are real."""
    names = [
        key for vendor in vendors.values() if vendor.real for key in (*NEEDED[vendor.name], *OPTIONAL[vendor.name])
    ]
    return {key: environment[key] for key in names if key in environment}
