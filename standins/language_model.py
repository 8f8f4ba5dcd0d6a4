"""A trigram language model of telephone talk, for a recogniser with a large dictionary.

A general language model hears one word in ten wrongly on a telephone line; a model of what callees are likely to say
hears one in fifty wrongly, but answers anything else with fluent nonsense. So the model is built from the very lines
of the scripted callees, together with phrases and templates which anyone on a telephone might use.
"""

import math
import random
import re
from collections import Counter
from collections.abc import Iterable
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


def arpa(sentences: Iterable[str]) -> str:
    """A trigram model in the ARPA format, with Witten and Bell's smoothing, of sentences of plain words."""
    counts: list[Counter[tuple[str, ...]]] = [Counter(), Counter(), Counter()]
    for sentence in sentences:
        words = ["<s>", *sentence.split(), "</s>"]
        for order in range(3):
            counts[order].update(tuple(words[at : at + order + 1]) for at in range(len(words) - order))
    del counts[0][("<s>",)]
    followers, total = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    for gram, count in (pair for grams in counts for pair in grams.items()):
        followers[gram[:-1]] += 1
        total[gram[:-1]] += count

    def backoff(gram: tuple[str, ...]) -> float:
        kinds = followers[gram]
        return math.log10(kinds / (total[gram] + kinds)) if kinds else 0.0

    probability: dict[tuple[str, ...], float] = {}
    lines = ["\\data\\", *(f"ngram {order + 1}={len(counts[order]) + (order == 0)}" for order in range(3))]
    for order, grams in enumerate(counts):
        lines += ["", f"\\{order + 1}-grams:", *([f"-99 <s> {backoff(('<s>',)):.4f}"] if order == 0 else ())]
        for gram, count in sorted(grams.items()):
            lower = probability[gram[1:]] if order else 1 / len(grams)
            kinds = followers[gram[:-1]]
            probability[gram] = (count + kinds * lower) / (total[gram[:-1]] + kinds)
            tail = f" {backoff(gram):.4f}" if order < 2 else ""
            lines.append(f"{math.log10(probability[gram]):.4f} {' '.join(gram)}{tail}")
    return "\n".join([*lines, "", "\\end\\", ""])
