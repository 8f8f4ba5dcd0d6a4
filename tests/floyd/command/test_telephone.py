"""The simulated network as a judge: what it tells is what the commands rely on."""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from floyd import hours
from floyd.command import household
from floyd.command.child import Child
from tests.scripted_network import ScriptedNetwork

DEADLINE_S = 30.0


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedNetwork]:
    log = tmp_path_factory.mktemp("network") / "log"
    child = Child("network", [sys.executable, "-m", "standins", "phone-network"], log=log, environment=os.environ)
    try:
        child.wait_until(lambda: child.last_lines().endswith("}"), DEADLINE_S)
        network = ScriptedNetwork(f"http://127.0.0.1:{json.loads(child.last_lines())['port']}")
        yield network
        network.close()
    finally:
        child.kill()


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_at_any_hour_somebody_may_be_rung(network: ScriptedNetwork, hour: int) -> None:
    """If this fails the demonstration works only at some times of the day."""
    now = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=hour)
    for name in household.TOM["places"]:
        number = network.number_by_day(name, now)
        assert number is not None
        assert hours.is_allowed(number, now)


def test_nobody_was_rung_and_nothing_was_texted_yet(network: ScriptedNetwork) -> None:
    """If this fails the record of rings begins with somebody else's."""
    assert network.rings() == []
    assert network.messages() == []


def test_a_number_that_does_not_exist_is_refused(network: ScriptedNetwork) -> None:
    """If this fails a test scripts a phone that nobody can ring."""
    with pytest.raises(httpx2.HTTPStatusError):
        network.enlist("+1555", {"name": "nobody"})
