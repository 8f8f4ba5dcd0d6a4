"""Random conversations, replayable from their seed. Whole calls that make sense are in tests/simulation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.core.conversation import Conversation
from relay.core.events import CallStarted, Event, FinalHeard, StreamStopped, VoiceStarted, VoiceStopped
from tests.relay.core.play import brief
from tests.relay.core.walk import Walk
from tests.simulation.laws import BrokenLawError
from tests.simulation.reduction import replay, shortest, show

BATCHES, WALKS, STEPS = 6, 100, 120


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_walks_keep_every_law(batch: int) -> None:
    """If this fails some order of events leaves a call hanging, speaking what was cut, or misreported."""
    for seed in range(batch * WALKS, (batch + 1) * WALKS):
        _walk(seed)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(min_value=0, max_value=2**32))
def test_scattered_walks_keep_every_law(seed: int) -> None:
    """As above, with seeds from everywhere. `make simulate` plays new ones; a landing does not hang on luck."""
    _walk(seed)


@pytest.mark.parametrize("seed", [2534224])
def test_walks_that_broke_a_law_once(seed: int) -> None:
    """If this fails a fault that was mended is back: a goodbye taken back when the call had to end anyway."""
    _walk(seed)


def _walk(seed: int) -> None:
    walk = Walk(seed)
    judge = walk.judge
    try:
        for _ in range(STEPS):
            walk.step()
        judge.finish(walk.now)
    except BrokenLawError as broken:
        trace = shortest(judge.trace, judge.brief, judge.policy, broken.law)
        print(f"seed {seed}", show(replay(trace, judge.brief, judge.policy)[0]), sep="\n")
        raise


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([VoiceStarted(0), VoiceStopped(50), FinalHeard("hi", 1.0, 0, 10), StreamStopped("x")])))
def test_nothing_happens_before_the_call_and_after_its_end(events: list[Event]) -> None:
    """If this fails a late or early event makes a dead call act."""
    conversation = Conversation(brief())
    conversation.receive(FinalHeard("hi", 1.0, 0, 10), 1.0)
    assert not conversation.actions()
    conversation.receive(CallStarted("CA1", "MZ1"), 2.0)
    conversation.receive(StreamStopped("stop"), 3.0)
    conversation.actions()
    for event in events:
        conversation.receive(event, 4.0)
        assert not conversation.actions()
        assert conversation.next_deadline() is None
