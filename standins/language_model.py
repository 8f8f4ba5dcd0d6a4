"""What a recogniser with a large dictionary should expect on a telephone.

A general language model hears one word in ten wrongly on a telephone line; a model of what callees are likely to say
hears one in fifty wrongly, but answers anything else with fluent nonsense. So the model is built from the very lines
of the scripted callees, together with phrases and templates which anyone on a telephone might use.
"""

import random
import re
from pathlib import Path

PHRASES = Path(__file__).with_name("phone_phrases.txt")

_EXPANSIONS = 16
"""How often a phrase with places to fill is written out: enough to see each common filling next to its frame."""


def plain_words(text: str) -> str:
    """*text* in the recogniser's words: lower case, no punctuation. Numbers must be spelt out."""
    return " ".join(re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower()))


def phone_phrases(path: Path = PHRASES) -> list[str]:
    """General telephone talk: the file's phrases with their places filled, the same on every run."""
    chance = random.Random(8000)  # noqa: S311 - a fixed choice of examples, not a secret
    fillings: dict[str, list[str]] = {}
    phrases: list[str] = []

    def filled(phrase: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda place: filled(chance.choice(fillings[place[1]])), phrase)

    for line in path.read_text("utf-8").splitlines():
        name, separator, options = line.partition(" = ")
        if separator:
            fillings[name] = options.split(" | ")
        elif line and not line.startswith("#"):
            phrases += [filled(line) for _ in range(_EXPANSIONS if "{" in line else 2)]
    return phrases
