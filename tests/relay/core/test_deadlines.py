"""Which deadlines are armed when."""

from relay.core.actions import PausePlayout, ResumePlayout
from relay.core.events import VoiceStarted
from tests.relay.core.play import Play


def test_a_noise_across_the_opening_silences_it_once() -> None:
    """If this fails a noisy line makes the disclosure stop and go, seconds at a time."""
    play = Play()
    play.wait(1.6)
    play.receive(VoiceStarted(play.ms))
    play.wait(6.0)
    assert len(play.did(PausePlayout)) == 1
    assert len(play.did(ResumePlayout)) == 1
