"""The demonstration's own parts; that it runs is shown by `tests/demo`."""

import io
import wave
from pathlib import Path

from floyd.command.demo import keep_sound


def call(seconds: int, level: int) -> bytes:
    """A stereo recording as the network gives it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes([level, 0] * 2) * 8000 * seconds)
    return file.getvalue()


def test_all_calls_are_kept_one_after_another(tmp_path: Path) -> None:
    """If this fails a recording holds only one of the calls, or plays them at once."""
    keep_sound(tmp_path / "calls.wav", [call(2, 1), call(3, 2)])

    with wave.open(str(tmp_path / "calls.wav")) as kept:
        assert (kept.getnchannels(), kept.getframerate(), kept.getnframes()) == (2, 8000, 6 * 8000)
        kept.setpos(2 * 8000)
        assert kept.readframes(8000) == bytes(4 * 8000)
        assert kept.readframes(1) == bytes([2, 0, 2, 0])
