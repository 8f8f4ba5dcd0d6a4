"""Thousands of random conversations, replayable from their seed."""

from random import Random

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from relay.core.conversation import TRANSITIONS
from relay.core.deadlines import Deadline
from relay.core.events import CallStarted, Event, FinalHeard, InterimHeard, ReplyFinished, ReplyText, StreamStopped
from relay.core.events import VoiceStarted, VoiceStopped
from relay.core.state import Phase
from relay.core.transcript import Speaker
from tests.relay.core.walk import Walk, Watched

BATCHES = 10
WALKS = 200
STEPS = 120


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_walks_keep_every_invariant(batch: int) -> None:
    """If this fails some order of events leaves a call hanging, speaking what was cut, or misreported."""
    for number in range(WALKS):
        walk_seed = batch * WALKS + number
        walk = Walk(Random(walk_seed))
        try:
            for _ in range(STEPS):
                walk.step()
        except AssertionError:
            print(f"seed {walk_seed}, last inputs {walk.trace[-6:]}")
            raise
        assert walk.ended <= 1
