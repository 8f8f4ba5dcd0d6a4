"""A stored call can be held again: same inputs, same moments, same actions."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from relay import tape as tape_module
from relay.core.actions import Speak, StartReply
from relay.core.conversation import Conversation
from relay.core.events import (
    CallStarted,
    Event,
    FinalHeard,
    InterimHeard,
    MarkReached,
    ReplyFinished,
    ReplyText,
    SegmentSent,
    SegmentStarted,
    StreamStopped,
    VoiceStarted,
    VoiceStopped,
)
from relay.core.policy import Policy
from relay.tape import Tape
from tests.relay.core.play import brief

WORDS = ("lincoln elementary good morning", "it costs five hundred dollars", "one moment", "are you a robot", "yes")


def recorded(seed: int, inputs: int = 60) -> Tape:
    """A short talk with some chance in it; the mind answers everything, the voice is quick."""
    chance = random.Random(seed)
    tape = Tape(brief(), Policy())
    conversation = Conversation(tape.brief, tape.policy)
    now, coming = chance.uniform(0, 1e5), list[Event]([CallStarted("CA1", "MZ1")])

    def take(event: Event | None) -> None:
        if event is None:
            conversation.handle_timer(now)
        else:
            conversation.receive(event, now)
        actions = conversation.actions()
        tape.add(now, event, actions)
        for action in actions:
            if isinstance(action, Speak):
                coming.append(SegmentStarted(action.segment_id))
                coming.extend((SegmentSent(action.segment_id, 1.5), MarkReached(action.segment_id)))
            elif isinstance(action, StartReply):
                text = "I will take it for 60 dollars."
                coming.extend((ReplyText(action.reply_id, text), ReplyFinished(action.reply_id)))

    for step in range(inputs):
        deadline = conversation.next_deadline()
        now += chance.choice((0.02, 0.3, 1.1))
        if deadline is not None and deadline <= now:
            take(None)
        if not coming:
            at, words = step * 2000, chance.choice(WORDS)
            coming += [VoiceStarted(at), InterimHeard(words, 0.9, at, at + 900)]
            coming += [VoiceStopped(at + 900), FinalHeard(words, 0.9, at, at + 900)]
        take(coming.pop(0))
    take(StreamStopped("stop"))
    return tape


@settings(max_examples=30, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_a_stored_tape_holds_the_same_call_again(seed: int) -> None:
    """If this fails a call that went wrong cannot be studied after the fact."""
    tape = recorded(seed)

    again = Tape.decode(tape.encode())

    assert (again.brief, again.policy, again.cut, again.steps) == (tape.brief, tape.policy, tape.cut, tape.steps)
    assert any(isinstance(action, Speak) for _, _, actions in again.steps for action in actions)
    assert list(again.differences()) == []


def test_a_core_that_decides_otherwise_is_found_out() -> None:
    """If this fails a replay says "the same" whatever the core does."""
    tape = recorded(7)
    other = replace(tape, brief=replace(tape.brief, opening=("Good day, this is an AI assistant.",)))

    assert "Good day" in next(other.differences())


def test_every_event_can_be_stored() -> None:
    """If this fails a call with a new kind of event leaves no tape."""
    assert {kind.__name__ for kind in get_args(Event)} <= tape_module._KINDS.keys()
    for name in tape_module._KINDS:
        tape_module._adapter(name)


def test_a_tape_never_outgrows_its_document() -> None:
    """If this fails the longest calls, which need it most, are the ones without a tape."""
    tape = recorded(1)
    for n in range(tape_module.MOST_STEPS + 1):
        tape.add(float(n), InterimHeard(random.Random(n).randbytes(60).hex(), 0.9, n, n), ())

    data = tape.encode()

    assert len(data) <= tape_module.MOST_BYTES
    assert Tape.decode(data).cut
    assert len(Tape.decode(data).steps) > 1000


def test_the_command_compares_and_refuses_what_is_no_tape() -> None:
    """If this fails `floyd replay --core` has nothing to call."""

    def run(data: bytes) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "relay.tape"], input=data, capture_output=True, timeout=60, check=False
        )
        return done.returncode, (done.stdout + done.stderr).decode()

    status, said = run(recorded(3).encode())
    assert (status, "every action the same" in said) == (0, True), said
    assert run(b"nonsense")[0] == 2
