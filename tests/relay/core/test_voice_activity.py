"""The detector on made-up sound: tones for voices, noise for lines."""

from math import pi, sin
from random import Random

from floyd.mulaw import FRAME_MS, FRAME_SAMPLES, SILENT_FRAME, encode_samples
from relay.core.events import VoiceStarted, VoiceStopped
from relay.core.voice_activity import EarGate, VoiceDetector

Heard = VoiceStarted | VoiceStopped


def voice(amplitude: int = 4000) -> bytes:
    return encode_samples([round(amplitude * sin(2 * pi * 200 * n / 8000)) for n in range(FRAME_SAMPLES)])


def noise(random: Random, amplitude: int) -> bytes:
    return encode_samples([random.randint(-amplitude, amplitude) for _ in range(FRAME_SAMPLES)])


def run(detector: VoiceDetector, frames: list[bytes]) -> list[Heard]:
    return [event for frame in frames if (event := detector.receive(frame))]


def test_a_voice_starts_and_stops_where_it_does() -> None:
    """If this fails turn ends are counted from the wrong moment."""
    events = run(VoiceDetector(), [SILENT_FRAME] * 50 + [voice()] * 40 + [SILENT_FRAME] * 50)
    assert events == [VoiceStarted(1000), VoiceStopped(1800)]


def test_a_short_pause_does_not_stop_it_and_a_click_does_not_start_it() -> None:
    """If this fails every "t" ends a turn, and every click begins one."""
    click = [voice()] * 2 + [SILENT_FRAME] * 20
    pause = [voice()] * 10 + [SILENT_FRAME] * 2 + [voice()] * 10 + [SILENT_FRAME] * 10
    assert run(VoiceDetector(), click) == []
    assert len(run(VoiceDetector(), pause)) == 2


def test_a_voice_that_goes_on_is_known_at_once() -> None:
    """If this fails Floyd begins to talk between two words of a greeting."""
    detector = VoiceDetector()
    heard = run(detector, [voice()] * 10 + [SILENT_FRAME] * 4 + [voice()])
    assert heard == [VoiceStarted(0), VoiceStopped(200), VoiceStarted(280)]
    assert run(detector, [voice()] * 3 + [SILENT_FRAME] * 10 + [voice()]) == [VoiceStopped(360)], (
        "a click after a while"
    )


def test_steady_line_noise_is_not_a_voice_but_a_voice_over_it_is() -> None:
    """If this fails a noisy line is a callee who never stops, or drowns them."""
    random = Random(1)
    detector = VoiceDetector()
    assert run(detector, [noise(random, 60) for _ in range(500)]) == []
    assert isinstance(run(detector, [voice()] * 20)[0], VoiceStarted)
    assert isinstance(run(detector, [noise(random, 60) for _ in range(20)])[0], VoiceStopped)


def test_noise_that_begins_in_mid_call_is_learned() -> None:
    """If this fails a fan switched on keeps the floor for the rest of the call."""
    random = Random(2)
    detector = VoiceDetector()
    events = run(detector, [SILENT_FRAME] * 50 + [noise(random, 1500) for _ in range(600)])
    assert isinstance(events[-1], VoiceStopped)
    assert not detector.speaking
    assert detector.noise > 0


def test_odd_frames_are_taken_as_one_frame_each() -> None:
    """If this fails a short or empty frame raises in the middle of a call."""
    detector = VoiceDetector()
    assert detector.receive(b"") is None
    assert detector.receive(b"\xff") is None
    [started] = run(detector, [voice()] * 5)
    assert started.at_ms == 2 * FRAME_MS


# When ears wake and rest on hold


def changes(*voices: bool) -> list[tuple[int, bool]]:
    """At which frame (20 ms) the gate changes its mind, and to what."""
    gate = EarGate()
    assert [gate.receive(voice=False) for _ in range(200)][-1] is False, "words that were on their way have come"
    told = [(at, gate.receive(voice=voice)) for at, voice in enumerate(voices)]
    return [(at, change) for at, change in told if change is not None]


def test_it_rests_again_after_the_voice_and_not_before_the_finals() -> None:
    """If this fails one announcement keeps the recogniser for the rest of the hold, or its last words are lost."""
    assert changes(*[True] * 50, *[False] * 400) == [(14, True), (249, False)]


def test_beats_and_clicks_do_not_wake() -> None:
    """If this fails every drum in the music costs seconds of recognition."""
    beat = [True] * 4 + [False] * 16
    assert changes(*beat * 50) == []


def test_a_voice_with_gaps_wakes() -> None:
    """If this fails a slow speaker is not heard."""
    syllable = [True] * 8 + [False] * 3
    assert changes(*syllable * 4)[:1] == [(23, True)]
