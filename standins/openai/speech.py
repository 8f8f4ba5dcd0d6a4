"""What the vendor accepts at `POST /v1/audio/speech`, and the sound it answers with."""

from typing import Annotated, Literal

from pydantic import Field

from standins import speaker
from standins.audio import decode_mulaw
from standins.openai.protocol import Strict

RATE = 24_000
PIECE_S = 0.1
PIECE_BYTES = int(2 * RATE * PIECE_S)
VOICES = Literal[
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse"
]


class SpeechRequest(Strict):
    """Formats other than PCM, other speeds and server-sent events are not imitated, so they are refused."""

    model: Literal["tts-1", "tts-1-hd", "gpt-4o-mini-tts"]
    input: Annotated[str, Field(min_length=1, max_length=4096)]
    voice: VOICES
    instructions: str | None = None
    response_format: Literal["pcm"]
    speed: Annotated[float, Field(ge=1, le=1)] = 1
    stream_format: Literal["audio"] = "audio"


def spoken(text: str, voice: str) -> bytes:
    """PCM, 16-bit signed little-endian at `RATE`: each sample of the telephone's three times."""
    return decode_mulaw(speaker.render(text, voice)).repeat(3).astype("<i2").tobytes()
