"""Whole calls in virtual time: a fixed lot, and those that broke a law. `make simulate` plays thousands of new ones."""

from __future__ import annotations

import pytest

from floyd.lifecycle.errand import CallEvent, Event, JobResult
from relay.core.policy import Policy
from tests.relay.core.play import brief
from tests.simulation.__main__ import play
from tests.simulation.errands import ErrandWorld
from tests.simulation.judge import SECRETS
from tests.simulation.laws import Tally
from tests.simulation.machines import Echo, Parrot
from tests.simulation.reduction import replay, shortest
from tests.simulation.world import World, talk

ONCE_BROKEN = (0, 39, 141, 206, 326, 414, 576, 988, 1103, 1285, 509039, 706501)
"""Seeds that have broken a law."""


def test_calls_that_once_broke_a_law_keep_it() -> None:
    """If this fails some call ends in silence, says what it must not, or is misreported; replay it by its seed."""
    report = play(ONCE_BROKEN)
    assert report.broken == [], "python -m tests.simulation --calls 1 --seed SEED"


def test_the_simulation_reaches_everything() -> None:
    """If this fails a row, rule, deadline, event, action or law is dead, or the simulated world is too tame to tell."""
    report = play(range(900))
    assert report.broken == []
    assert report.shortcomings() == []


def test_a_call_is_played_again_exactly_from_its_seed_and_from_its_trace() -> None:
    """If this fails a broken law cannot be found again."""
    one, same = World(7, Tally()), World(7, Tally())
    transcript = one.run()
    assert same.run() == transcript
    assert same.judge.trace == one.judge.trace
    steps, broken = replay(one.judge.trace, one.judge.brief, one.judge.policy)
    assert broken is None
    assert len(steps) == len([now for now, _ in one.judge.trace])


def test_a_broken_law_is_reduced_to_its_cause() -> None:
    """If this fails a bug report is a hundred events long."""
    plan = brief(opening=(f"Hello, the code is {SECRETS[0]}.",))
    world = World(7, Tally())
    world.run()
    trace = world.judge.trace
    broken = replay(trace, plan, Policy())[1]
    assert broken is not None
    assert broken.law == "secret"
    assert len(shortest(trace, plan, Policy(), "secret")) == 1, "the call's start and the silence after it"


@pytest.mark.parametrize("seed", range(20))
def test_two_floyds_end_their_call(seed: int) -> None:
    """If this fails two machines talk, or say goodbye, at the people's cost until somebody notices."""
    for transcript in talk(2 * seed, Tally()):
        assert transcript.outcome is not None


@pytest.mark.parametrize("far", [Echo, Parrot])
def test_an_echo_and_a_parrot_are_hung_up_on(far: type[Echo]) -> None:
    """If this fails a bad line or a toy is talked to for ever."""
    for seed in range(30):
        world = World(seed, Tally(), far)
        assert world.run().outcome is not None


def test_errands_end_and_ring_at_most_once_whatever_crashes() -> None:
    """If this fails a lost trigger, a dead worker or a lost answer makes a phone ring twice or a request hang."""
    seen: set[str] = set()
    for seed in range(600):
        world = ErrandWorld(seed)
        world.run()
        seen |= world.seen
    kinds = (kind for root in (Event, CallEvent, JobResult) for kind in root.__subclasses__())
    assert {kind.__name__ for kind in kinds} - {"CallEvent", "JobResult"} == seen
