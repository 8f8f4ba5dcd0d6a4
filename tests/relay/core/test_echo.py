"""Our own voice coming back is no voice; a voice over it is one."""

from math import pi, sin
from random import Random

import pytest

from floyd.mulaw import FRAME_MS, FRAME_SAMPLES, LINEAR, encode_samples
from relay.core.echo import STRETCH, EchoGate, is_echo
from relay.core.events import VoiceStarted, VoiceStopped


def talk(seed: int, seconds: float) -> bytes:
    """Something like speech: syllables of three harmonics with wandering pitch."""
    random, samples, phase = Random(seed), [], 0.0
    while len(samples) < seconds * 8000:
        pitch, length = random.uniform(90, 250), random.randrange(600, 2400)
        weights = [random.random() for _ in range(12)]
        for at in range(length):
            phase += 2 * pi * pitch / 8000
            swell = sin(pi * at / length) * 3000
            samples.append(
                round(swell * sum(weight * sin((place + 1) * phase) for place, weight in enumerate(weights)) / 3)
            )
    return encode_samples(samples[: int(seconds * 8000)])


def mixed(*sounds: tuple[bytes, float]) -> bytes:
    """Sounds of one length, each with its gain, on a line that hisses."""
    random = Random(0)
    columns = zip(*([LINEAR[code] * gain for code in sound] for sound, gain in sounds), strict=True)
    return encode_samples([round(sum(column) + random.gauss(0, 30)) for column in columns])


@pytest.mark.parametrize("delay_ms", [0, 35, 120, 400, 700])
@pytest.mark.parametrize("gain", [1.0, 0.5, 0.1])
def test_an_echo_is_known_at_any_level_and_delay(gain: float, delay_ms: int) -> None:
    """If this fails a loudspeaker in the callee's room makes Floyd fall silent."""
    played = talk(1, 1.0)
    end = len(played) - delay_ms * 8
    heard = mixed((played[end - STRETCH * FRAME_SAMPLES : end], gain))
    assert is_echo(heard, played)


@pytest.mark.parametrize("seed", range(2, 12))
def test_another_voice_is_no_echo_alone_or_above_ours(seed: int) -> None:
    """If this fails a callee on a loudspeaker cannot interrupt."""
    played, other = talk(1, 1.0), talk(seed, STRETCH * FRAME_MS / 1000)
    assert not is_echo(other, played)
    assert not is_echo(mixed((other, 1.0), (played[4000 : 4000 + len(other)], 0.3)), played)


def test_the_gate_holds_an_echo_back_and_lets_a_voice_over_it_through() -> None:
    """If this fails an echo interrupts us, or a voice that begins during one does not."""
    played, gate = talk(1, 1.0), EchoGate()
    echo = [played[at : at + FRAME_SAMPLES] for at in range(0, 4800, FRAME_SAMPLES)]
    voice = [talk(5, 1.0)[at : at + FRAME_SAMPLES] for at in range(800, 4000, FRAME_SAMPLES)]
    events = [
        gate.receive(frame, VoiceStarted(40) if place == 2 else None, lambda: played)
        for place, frame in enumerate(echo)
    ]
    assert events == [None] * len(echo)
    passed = [event for frame in voice if (event := gate.receive(frame, None, lambda: played))]
    assert len(passed) == 1
    assert isinstance(passed[0], VoiceStarted)
    assert passed[0].at_ms >= 40 + (len(echo) - STRETCH) * FRAME_MS
    assert gate.receive(echo[0], VoiceStopped(900), None) == VoiceStopped(900)


def test_the_end_of_an_echo_is_as_silent_as_its_beginning() -> None:
    """If this fails the conversation hears of the end of a voice that never began."""
    gate = EchoGate()
    assert gate.receive(b"", VoiceStarted(0), lambda: b"") is None
    assert gate.receive(b"", VoiceStopped(100), lambda: b"") is None
    assert gate.receive(b"", VoiceStarted(200), None) == VoiceStarted(200)


def test_a_voice_that_goes_on_is_not_judged_again() -> None:
    """If this fails every word of somebody who talks after us is noticed late."""
    gate = EchoGate()
    assert gate.receive(b"", VoiceStarted(100), None) == VoiceStarted(100)
    assert gate.receive(b"", VoiceStopped(400), lambda: b"") == VoiceStopped(400)
    assert gate.receive(b"", VoiceStarted(480), lambda: b"") == VoiceStarted(480)
