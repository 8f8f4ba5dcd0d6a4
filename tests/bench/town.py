"""A stack for measuring: stand-ins at their default delays, voices in the audible code, one relay."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from floyd import hours
from floyd.command.client import Client
from floyd.command.stack import Options, Stack
from floyd.documents import Fact, Person
from standins.phone_network.script import Script
from tests.scripted_network import ScriptedNetwork

AREAS = ("+12125550", "+18085550", "+442079460", "+61255500")
"""New York, Honolulu, London, Sydney: at any moment it is day at one of them."""
FIRST = 200
# The stand-ins' default delays without the recogniser's final: first token, first byte.
MODEL_AND_VOICE_MS = 450.0


@contextmanager
def running(folder: Path, *, calls: int, **settings: str) -> Iterator[tuple[Stack, ScriptedNetwork, list[str]]]:
    """The stack, its phones and `calls` numbers that may be rung now."""
    now = datetime.now(UTC)
    area = next(prefix for prefix in AREAS if hours.is_allowed(f"{prefix}{FIRST}", now))
    numbers = [f"{area}{FIRST + place}" for place in range(calls)]
    options = Options(
        directory=folder,
        relays=1,
        only_stand_ins=True,
        stand_ins={"google-speech": ("--mode=tones",), "google-tts": ("--voice=tones",)},
        settings={"FLOYD_MAX_CALLS": str(calls), "FLOYD_DAILY_SPEND": "100000", **settings},
        also_allowed=tuple(numbers),
    )
    with Stack(options) as stack:
        network = ScriptedNetwork(stack.running.phone)
        yield stack, network, numbers
        network.close()


def person(stack: Stack, network: ScriptedNetwork, number: str, script: Script) -> Client:
    """Somebody who knows one place, which answers `number` by this script."""
    network.enlist(number, script.model_dump(mode="json"))
    client = Client(stack.running, uuid.uuid4().hex, number="+12025550187", name="Tom Baker")
    client.introduce(Person(name="Tom Baker", number="+12025550187"))
    for key, value, category in (
        ("library_name", "Oak Library", "place"),
        ("library_number", number, "phone_number"),
    ):
        client.save_fact(Fact(key=key, value=value, category=category, share="always"))
    return client


def final_after(stack: Stack, milliseconds: float) -> None:
    """How long after the callee's last word the recogniser gives its final."""
    control = f"{stack.running.controls['google-speech']}/control/settings"
    httpx2.post(control, json={"final_delay_ms": milliseconds}, timeout=30).raise_for_status()


def say(stack: Stack, sentences: list[str]) -> None:
    """The mind's next replies, in this order, whatever it hears: measuring needs talk of a known length."""
    control = f"{stack.running.controls['openai']}/control/faults"
    with httpx2.Client(timeout=30) as http:
        for sentence in sentences:
            fault = {"kind": "reply", "of": "talk", "count": 1, "text": sentence, "calls": []}
            http.post(control, json=fault).raise_for_status()
