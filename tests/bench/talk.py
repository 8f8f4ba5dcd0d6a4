"""What is said while it is measured: complete sentences with ever new words, so that neither side sees a loop."""

from __future__ import annotations

import itertools

from standins.phone_network.script import NEVER, Line, Script

_THINGS = ["books", "maps", "films", "songs", "plays", "papers", "letters", "pictures", "stories", "poems", "games"]
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_NAMES = [
    "".join(syllables) for syllables in itertools.product(["ba", "ko", "li", "mu", "ne", "ro", "sa", "ti"], repeat=3)
]
"""A new word a turn: without one a talk gets nowhere, and Floyd says goodbye."""
_PLACES = ["upstairs", "downstairs", "outside", "inside", "nearby", "across", "behind", "beside", "around", "above"]


def callee(lines: int, *, interrupts: bool = False) -> Script:
    """Somebody with `lines` complete sentences of about two seconds."""
    combinations = itertools.product(_DAYS, _THINGS, _PLACES)
    said = [
        f"we have {name} {thing} {place} every {day}"
        for name, (day, thing, place) in zip(
            _NAMES, itertools.islice(itertools.cycle(combinations), 3, None, 11), strict=False
        )
    ]
    return Script(
        name="library",
        voice="tones",
        answer_after_s=0.3,
        greeting="hello oak library",
        lines=[
            Line(say=text, interrupt_after_s=1.2 if interrupts and place % 3 == 2 else NEVER)
            for place, text in enumerate(said[:lines])
        ],
    )


def replies(count: int) -> list[str]:
    """Floyd's side: two sentences, about four seconds in the audible code."""
    combinations = itertools.product(_THINGS, _DAYS, _PLACES)
    return [
        f"Thank you. Would the {thing} be {place} on {day} as well?"
        for thing, day, place in itertools.islice(itertools.cycle(combinations), count)
    ]
