"""The whole stack, started once, with every vendor a stand-in and every voice the audible code.

Each journey has a person and phones of its own, so journeys cannot meet. The code makes lost, doubled or
reordered sound show up as wrong words.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from floyd import hours
from floyd.command.stack import Options, Stack
from tests.journeys.town import Town
from tests.journeys.trouble import Trouble
from tests.scripted_network import ScriptedNetwork

# New York, Honolulu, London, Sydney: at any moment it is day at one of them.
DISTRICTS = ("+12125550", "+18085550", "+442079460", "+61255500")
PHONES = range(200, 1000)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The stack, started for the first journey and stopped after the last."""
    with built(tmp_path_factory.mktemp("stack")) as town:
        yield town


@contextmanager
def built(directory: Path, **settings: str) -> Iterator[Town]:
    """A town of its own; `settings` are added to every process."""
    now = datetime.now(UTC)
    whole_run = (now, now + timedelta(hours=1))
    by_day = next(
        prefix for prefix in DISTRICTS if all(hours.is_allowed(f"{prefix}{PHONES[0]}", at) for at in whole_run)
    )
    numbers = tuple(f"{by_day}{phone}" for phone in PHONES)
    options = Options(
        directory=directory,
        only_stand_ins=True,
        sweep_every_s=5,
        # Thinking at the default pace would be a third of every journey.
        stand_ins={
            "google-speech": ("--mode=tones",),
            "google-tts": ("--voice=tones",),
            "openai": ("--tokens-per-s=1000",),
        },
        settings={"FLOYD_MAX_CALLS": "10", **settings},
        also_allowed=numbers,
    )
    with Stack(options) as stack:
        network = ScriptedNetwork(stack.running.phone)
        yield Town(stack, network, iter(numbers))
        network.close()


@pytest.fixture(autouse=True)
def _all_parts_alive(town: Town) -> Iterator[None]:
    """A part that died is the reason of whatever failed, and fails journeys that did not notice."""
    yield
    town.stack.check()


@pytest.fixture
def trouble(town: Town) -> Iterator[Trouble]:
    """What a journey breaks is mended before the next."""
    trouble = Trouble(town.stack, town.network)
    yield trouble
    trouble.mend()
    trouble.close()
