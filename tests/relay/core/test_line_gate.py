"""When ears wake and rest on hold."""

from relay.core.line_gate import EarGate


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
