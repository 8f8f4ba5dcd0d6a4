"""What a judge listens for in the words that reached an ear."""

from __future__ import annotations

import re

from standins.tones import spoken_words

_AGREES = re.compile(
    r"\b(?:yes|yeah|sure|okay|ok|agreed?|deal|accept(?:ed)?|confirm(?:ed)?|go ahead|take it|(?:i|we)'ll take"
    r"|(?:is|are|sounds) (?:fine|good|all right|okay))\b"
)


def spoken(text: str) -> str:
    """A text as an ear that heard it writes it down."""
    return " ".join(spoken_words(text))


def agreements(heard: str) -> list[str]:
    """Every word of agreement in what was heard."""
    return _AGREES.findall(heard)
