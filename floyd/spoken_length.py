"""Whether sound is the whole of a text: what is far too short was cut off, what is far too long is something else."""

from __future__ import annotations

from floyd.mulaw import LOUDNESS

LOUD = 64
"""Mean loudness of a voice in mid-word, about -30 dB of full scale. Speech dies away at its end; a cut does not."""
SLACK_S = 0.2
FASTEST = 20.0  # letters and digits a second; voices say 10 to 14, the audible code 15
FASTEST_IF_CUT = 17.0
SLOWEST = 5.0
PAUSES_S = 6.0
SAME = 0.05
DIGIT_LETTERS = 6  # a digit may be spoken as a word of its own ("seven"), and so may a currency sign


def is_whole(text: str, seconds: float, tail: bytes) -> bool:
    """`tail`: the last frame of it, mu-law."""
    cut = sum(tail.translate(LOUDNESS)) > LOUD * len(tail)
    return seconds >= sum(map(str.isalnum, text)) / (FASTEST_IF_CUT if cut else FASTEST) - SLACK_S


def is_pace(seconds: float, again: float) -> bool:
    """Whether a text that came out too short twice is as long as this voice makes it: what is cut ends anywhere."""
    return seconds > 0 and abs(seconds - again) <= SAME * seconds


def longest_s(text: str) -> float:
    """No voice takes more time for a text."""
    letters = sum(DIGIT_LETTERS if each.isdigit() or each in "$\u20ac\u00a3" else each.isalpha() for each in text)
    return PAUSES_S + letters / SLOWEST
