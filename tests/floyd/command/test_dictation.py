"""Recordings: whatever a WAV file holds arrives as 16 kHz mono, or is refused by name."""

import wave
from pathlib import Path

import numpy as np
import pytest

from floyd.command.dictation import RATE_HZ, read_sound
from floyd.errors import InvalidInputError


def record(path: Path, rate_hz: int, *, channels: int = 1, seconds: float = 1.0, width: int = 2) -> Path:
    """A 440 Hz tone of half loudness on every channel."""
    times = np.arange(int(rate_hz * seconds)) / rate_hz
    tone = (16000 * np.sin(2 * np.pi * 440 * times)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat(tone, channels).tobytes() if width == 2 else bytes(len(tone)))
    return path


@pytest.mark.parametrize(("rate_hz", "channels"), [(16_000, 1), (8_000, 1), (44_100, 2), (48_000, 1)])
def test_any_rate_becomes_sixteen_kilohertz(tmp_path: Path, rate_hz: int, channels: int) -> None:
    """If this fails a recording from a phone or a computer is heard too fast, too slow or not at all."""
    sound = np.frombuffer(read_sound(record(tmp_path / "a.wav", rate_hz, channels=channels)), "<i2")

    times = np.arange(RATE_HZ) / RATE_HZ
    expected = 16000 * np.sin(2 * np.pi * 440 * times)
    assert len(sound) == RATE_HZ
    assert np.abs(sound - expected).max() < 200


def test_what_is_no_recording_is_refused_by_name(tmp_path: Path) -> None:
    """If this fails a wrong file ends in a stack trace, or is spoken as noise."""
    (tmp_path / "text.wav").write_text("hello")
    for path in (tmp_path / "text.wav", tmp_path / "absent.wav", record(tmp_path / "8bit.wav", 8000, width=1)):
        with pytest.raises(InvalidInputError, match=path.name):
            read_sound(path)


def test_an_endless_recording_is_refused(tmp_path: Path) -> None:
    """If this fails an hour of sound is dictated in real time."""
    with pytest.raises(InvalidInputError, match="at most 120 s"):
        read_sound(record(tmp_path / "long.wav", 1000, seconds=121))
