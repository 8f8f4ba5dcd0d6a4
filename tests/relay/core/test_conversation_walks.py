"""Thousands of random conversations, replayable from their seed."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.core.conversation import TRANSITIONS, Conversation
from relay.core.events import CallStarted, Event, FinalHeard, InterimHeard, StreamStopped, VoiceStarted, VoiceStopped
from relay.core.state import Phase
from relay.core.transcript import Speaker
from tests.relay.core.play import Play, brief, says
from tests.relay.core.walk import Walk, Watched

BATCHES = 8
WALKS = 150
STEPS = 120
UTTERANCES = 12


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_walks_keep_every_invariant(batch: int) -> None:
    """If this fails some order of events leaves a call hanging, speaking what was cut, or misreported."""
    for number in range(batch * WALKS, (batch + 1) * WALKS):
        _walk(number)


@settings(max_examples=100, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_fresh_walks_keep_every_invariant(number: int) -> None:
    """As above, with seeds that differ from run to run, so that years of runs cover more than one list of seeds."""
    _walk(number)


def _walk(number: int) -> None:
    walk = Walk(Random(number))
    try:
        for _ in range(STEPS):
            walk.step()
    except AssertionError:
        print(f"seed {number}, last inputs {walk.trace[-6:]}")
        raise
    assert walk.ended <= 1


def test_a_walk_replays_exactly() -> None:
    """If this fails a bug report cannot be replayed from its list of (now, event)."""
    walk = Walk(Random(7))
    for _ in range(STEPS):
        walk.step()
    again = Conversation(walk.brief, walk.policy)
    for now, event in walk.trace:
        if event is None:
            again.handle_timer(now)
        else:
            again.receive(event, now)
    assert again.transcript() == walk.conversation.transcript()
    assert again.phase is walk.conversation.phase


def test_the_walks_use_every_row_of_the_table() -> None:
    """If this fails a row of the table is dead, or the walks above prove nothing about it."""
    number = 10_000
    while number < 14_000 and len({row for row, _ in Watched.seen}) < len(TRANSITIONS):
        _walk(number)
        number += 1
    used = {row for row, _ in Watched.seen}
    assert [row for row in TRANSITIONS if row not in used] == []


@pytest.mark.parametrize("batch", range(10))
def test_callee_words_are_never_lost_or_doubled(batch: int) -> None:
    """If this fails words of the callee vanish from, or appear twice in, what the person and the model read."""
    for number in range(batch * 80, (batch + 1) * 80):
        talk = _Recogniser(Random(number))
        finals = talk.run()
        turns = [turn for turn in talk.play.conversation.transcript().turns if turn.speaker is Speaker.CALLEE]
        kept = [word for turn in turns for word in turn.heard.split()]
        assert sorted(kept) == sorted(finals), f"seed {number}"


class _Recogniser:
    """A recogniser that behaves: growing interims, then a final of the same range, late, in order, sometimes twice."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.play = Play(brief(opening=("Hello.",)), says("Alright then, and what else would you like to tell us?"))
        self.word = 0

    def run(self) -> list[str]:
        finals: list[str] = []
        for _ in range(UTTERANCES):
            finals += self._utterance()
            self.play.wait(self.random.choice((0.05, 0.2, 0.5, 1.0, 3.0)))
            if self.play.conversation.phase is Phase.CLOSED:
                break
        self.play.wait(2.5)
        self.play.receive(StreamStopped("stop"))
        return finals

    def _utterance(self) -> list[str]:
        """Words with pauses inside, all one recognition result."""
        play, random = self.play, self.random
        start_ms = play.ms
        said: list[str] = []
        for _ in range(random.randrange(1, 4)):
            play.receive(VoiceStarted(play.ms))
            for _ in range(random.randrange(1, 5)):
                self.word += 1
                said.append(f"alpha{self.word}")
                play.wait(0.3)
                if random.random() < 0.6:
                    play.receive(InterimHeard(" ".join(said), 0.5, start_ms, play.ms))
            play.receive(VoiceStopped(play.ms))
            play.wait(random.choice((0.1, 0.3, 0.6, 0.9)))
        end_ms = play.ms
        final = FinalHeard(" ".join(said), 0.9, start_ms, end_ms)
        play.wait(random.choice((0.0, 0.2, 0.6)))
        if play.conversation.phase is Phase.CLOSED:
            return []
        play.receive(final)
        if random.random() < 0.2:
            play.receive(final)
        return said


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
