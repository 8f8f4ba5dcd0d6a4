"""Lines as sound: the rendered files that lie beside the personas, else synthesis, each made once."""

import asyncio
from collections.abc import Iterable
from functools import cache

from standins import speaker
from standins.phone_network.script import rendered_path


@cache
def sound_of(text: str, voice: str) -> bytes:
    """A line as mu-law. A voice that is not installed here is replaced by the audible code."""
    path = rendered_path(text, voice)
    if path.exists():
        return path.read_bytes()
    return speaker.render(text, voice if voice in speaker.available() else speaker.TONES)


async def prepare(texts: Iterable[str], voice: str) -> None:
    """Make these lines beside everything else, so that `sound_of` has them at once."""
    for text in texts:
        await asyncio.to_thread(sound_of, text, voice)
