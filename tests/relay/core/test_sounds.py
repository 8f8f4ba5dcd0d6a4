"""What the line tells by sound alone: music, beeps, ringing, busy and fax tones, and voices that are none of these."""

import numpy as np
import pytest

from relay.core.dtmf import render
from relay.core.line_kinds import LineKind
from relay.core.sounds import KINDS, SoundDetector
from relay.core.voice_activity import EarGate, VoiceDetector
from standins import speaker
from standins.audio import encode_mulaw
from standins.phone_network.sounds import RENDERED, sound

FRAME = 160
QUIET = b"\xff" * 8000
SENTENCE = "thank you for calling we are open monday to friday from nine to five how may i help you today "


def heard(mulaw: bytes, detector: SoundDetector | None = None) -> list[str]:
    """The evidence found in this sound and the second after it."""
    detector = detector or SoundDetector()
    mulaw += QUIET
    events = (detector.receive(mulaw[at : at + FRAME]) for at in range(0, len(mulaw) - FRAME + 1, FRAME))
    return [event.evidence for event in events if event]


def tone(*hz: int, seconds: float, level: float = 3000.0) -> bytes:
    t = np.arange(round(seconds * 8000)) / 8000
    return encode_mulaw((level * sum(np.sin(2 * np.pi * each * t) for each in hz)).astype(np.int16))


def melody(timbre: tuple[float, ...], note_s: float, *, drums: float = 0.0, seed: int) -> bytes:
    """Half a minute of two voices on a scale; `timbre` gives the overtones' strengths, `drums` those of the noise."""
    random = np.random.default_rng(seed)
    t = np.arange(round(note_s * 8000)) / 8000
    notes = []
    for _ in range(round(30 / note_s)):
        wave = drums * random.standard_normal(len(t)) * np.exp(-40 * t)
        for octave in (110, 220, 330):
            hz = octave * 2 ** (random.choice([0, 2, 4, 5, 7, 9, 11]) / 12)
            wave += sum(share * np.sin(2 * np.pi * k * hz * t) for k, share in enumerate(timbre, 1)) * np.exp(-2 * t)
        notes.append(wave)
    whole = np.concatenate(notes)
    return encode_mulaw((whole / whole.std() * 2500).astype(np.int16))


MUSIC = {
    "the network's own": sound("music", 30, -20),
    "piano, slow": melody((1, 0.5, 0.3), 0.6, seed=1),
    "piano, quick": melody((1, 0.5, 0.3), 0.25, seed=2),
    "strings": melody((1, 0.8, 0.7, 0.5, 0.4, 0.3), 0.5, seed=3),
    "a band": melody((1, 0.6, 0.4, 0.2), 0.4, drums=1.5, seed=4),
}


@pytest.mark.parametrize("name", MUSIC)
def test_music_is_noticed_within_eight_seconds_and_again(name: str) -> None:
    """If this fails Floyd chats to hold music."""
    assert heard(MUSIC[name][: 8 * 8000])[:1] == ["music"]
    assert set(heard(MUSIC[name])) == {"music"}
    assert len(heard(MUSIC[name])) >= 3


@pytest.mark.parametrize("name", MUSIC)
def test_ears_sleep_through_music_and_wake_for_a_voice(name: str) -> None:
    """If this fails a recogniser is paid for music, or whoever comes back from hold is not heard."""
    sounds, voices, gate = SoundDetector(), VoiceDetector(), EarGate()
    voice = speaker.render(SENTENCE, speaker.TONES)
    awake, awake_frames, woken_at = False, 0, None
    whole = MUSIC[name] + QUIET + voice
    for at in range(0, len(whole) - FRAME + 1, FRAME):
        frame = whole[at : at + FRAME]
        sounds.receive(frame)
        voices.receive(frame)
        change = gate.receive(voice=voices.speaking and not sounds.musical)
        awake = awake if change is None else change
        if at < len(MUSIC[name]):
            awake_frames += awake
        elif awake and woken_at is None:
            woken_at = at - len(MUSIC[name]) - len(QUIET)
    assert awake_frames < 0.25 * len(MUSIC[name]) / FRAME
    assert woken_at is not None
    assert woken_at < 1.5 * 8000, "half the pre-roll"


def test_voices_are_no_signals() -> None:
    """If this fails a person is put on hold, or a sentence counts as a beep."""
    recorded = sorted(RENDERED.rglob("*.ulaw"))
    assert recorded
    voices = [path.read_bytes() for path in recorded]
    voices += [speaker.render(4 * SENTENCE, voice) for voice in speaker.available()]
    assert [heard(voice) for voice in voices] == [[]] * len(voices)


@pytest.mark.parametrize("level_db", [-50, -40, -20])
def test_noise_is_no_signal(level_db: int) -> None:
    """If this fails a bad line is music."""
    assert heard(sound("noise", 20, level_db)) == []


def test_keys_are_no_signals() -> None:
    """If this fails our own keys, or the callee's, are taken for a beep."""
    assert heard(render("0123456789*#")) == []


@pytest.mark.parametrize("hz", [440, 1000, 1400, 2000])
@pytest.mark.parametrize("seconds", [0.3, 0.6, 1.5])
@pytest.mark.parametrize("offset", [0, 333])
def test_a_beep_is_one_tone_and_then_quiet(hz: int, seconds: float, offset: int) -> None:
    """If this fails messages are left before the tape runs."""
    assert heard(b"\xff" * offset + tone(hz, seconds=seconds)) == ["beep"]


def test_a_beep_after_words() -> None:
    """If this fails only a bare beep is heard."""
    greeting = speaker.render("please leave a message after the tone", speaker.TONES)
    assert heard(greeting + QUIET[:3200] + sound("beep", 0.6, -20)) == ["beep"]


@pytest.mark.parametrize(
    ("evidence", "mulaw"),
    [
        ("ringing", sound("ringback", 6, -20)),
        ("ringing", tone(400, 450, seconds=0.4)),
        ("busy", sound("busy", 5, -20)),
        ("busy", 4 * (tone(480, 620, seconds=0.25) + QUIET[:2000])),
        ("dial tone", tone(350, 440, seconds=4)),
        ("fax", sound("fax", 3.3, -20)),
        ("intercept", b"\xff" * 500 + b"".join(tone(hz, seconds=0.33) for hz in (950, 1400, 1800))),
    ],
)
def test_signals_of_the_network(evidence: str, mulaw: bytes) -> None:
    """If this fails Floyd introduces itself to a busy tone."""
    assert heard(mulaw)[:1] == [evidence]


def test_faint_music_behind_a_voice_is_in_a_room() -> None:
    """If this fails a radio in a shop puts Floyd on hold."""
    detector = SoundDetector()
    voice = speaker.render(SENTENCE, speaker.TONES)
    assert heard(voice + voice + sound("music", 12, -45), detector) == []


def test_every_sound_says_something_about_the_line() -> None:
    """If this fails a sound is found and ignored."""
    assert {kind for kind, _ in KINDS.values()} == {LineKind.HOLD, LineKind.VOICEMAIL, LineKind.TONE}


def test_half_frames_do_no_harm() -> None:
    """If this fails a peer with odd frames breaks the call."""
    detector = SoundDetector()
    for size in (0, 1, 80, 160, 161, 400) * 10:
        detector.receive(b"\x55" * size)
