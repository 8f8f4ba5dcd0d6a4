"""Text to telephone sound: the audible code always, a real synthetic voice when the `flite` program is installed."""

import shutil
import subprocess
import tempfile
import wave
from functools import lru_cache
from pathlib import Path

import numpy as np

from standins import tones
from standins.audio import FRAME, SAMPLE_RATE, SILENCE, Halver, encode_mulaw

TONES = "tones"
FLITE_VOICES = ("rms", "kal16", "slt")
"""Best understood first: word error rates through a telephone line of about 2, 2 and 4 in a hundred."""

LEVEL = 3277
"""-20 dB of full scale: the level at which a voice arrives on a telephone line."""

STRETCH = 0.88
"""Of flite's own slow pace: about 170 words a minute, as people and today's voices speak."""

_QUIET = 100
"""Samples below this (-50 dB) at either end are the synthesiser's own silence."""
_LEAD_IN = SAMPLE_RATE // 50
_LEAD_OUT = SAMPLE_RATE // 10
_DEADLINE_S = 20
"""Forty times what a long sentence takes on a busy machine."""


def available() -> tuple[str, ...]:
    """The voices which `render` can speak with here, the best first; `TONES` is always the last."""
    return (*FLITE_VOICES, TONES) if shutil.which("flite") else (TONES,)


@lru_cache(maxsize=512)
def render(text: str, voice: str = TONES) -> bytes:
    """Mu-law sound of *text*, whole frames, at `LEVEL`. Slow for a flite voice: call it in a thread.

    Raises ValueError for a voice not in `available()`.
    """
    if voice == TONES:
        return tones.encode(text)
    if voice not in available():
        raise ValueError(f"no voice {voice!r} here: choose one of {', '.join(available())} (others need flite)")
    if not text.strip():
        return b""
    with tempfile.TemporaryDirectory(prefix="speaker-") as folder:
        path = Path(folder, "speech.wav")
        pace = f"duration_stretch={STRETCH}"
        command = ["flite", "-voice", voice, "--setf", pace, "-t", " ".join(text.split()), "-o", str(path)]
        subprocess.run(command, check=True, timeout=_DEADLINE_S, stdin=subprocess.DEVNULL, capture_output=True)  # noqa: S603 - fixed program, no shell
        with wave.open(str(path)) as speech:  # these voices speak at 16 kHz
            pcm = Halver().feed(np.frombuffer(speech.readframes(speech.getnframes()), "<i2"))
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > _QUIET)
    gain = LEVEL / np.sqrt((pcm[loud].astype(np.float64) ** 2).mean())
    cut = pcm[max(0, int(loud[0]) - _LEAD_IN) : int(loud[-1]) + _LEAD_OUT]
    mulaw = encode_mulaw(np.clip(np.rint(cut * gain), -32768, 32767).astype(np.int16))
    return mulaw + SILENCE * (-len(mulaw) % FRAME)
