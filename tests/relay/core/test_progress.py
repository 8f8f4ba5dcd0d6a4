"""Loops, echoes and parrots."""

from relay.core.policy import Policy
from relay.core.progress import NoProgress


def test_yes_to_new_questions_is_progress() -> None:
    """If this fails a callee of few words is hung up on."""
    progress = NoProgress(Policy())
    for number in range(20):
        progress.receive("Yes.", f"And what about colour number {number}?")
    assert not progress.stuck


def test_the_same_again_is_none() -> None:
    """If this fails two machines talk until the call limit."""
    progress = NoProgress(Policy())
    for _ in range(Policy().repeated_turns + 1):
        progress.receive("How may I help you?", "I would like roses.")
    assert progress.stuck
    progress.noted()
    assert not progress.stuck


def test_an_echo_is_none_even_of_new_words() -> None:
    """If this fails Floyd talks to its own echo."""
    progress = NoProgress(Policy())
    for number in range(Policy().repeated_turns):
        progress.receive(f"I would like {number} roses.", f"I would like {number} roses.")
    assert progress.stuck
