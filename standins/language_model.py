"""A trigram language model of telephone talk, and pronunciations, for a recogniser with a large dictionary.

A general language model hears one word in ten wrongly on a telephone line; a model of what callees are likely to say
hears one in fifty wrongly, but answers anything else with fluent nonsense. So the model is built from the very lines
of the scripted callees, together with phrases and templates which anyone on a telephone might use.
"""

import math
import random
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

PHRASES = Path(__file__).with_name("phone_phrases.txt")
PERSONAS = Path(__file__).with_name("personas")

_EXPANSIONS = 16
"""How often a phrase with places to fill is written out: enough to see each common filling next to its frame."""

_SPOKEN_KEYS = frozenset({"say", "greeting", "hello", "again_greeting"})

_ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def number_words(number: int) -> str:
    """A number below a million as it is read aloud: ``560`` is "five hundred sixty"."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10 - 2] + (f" {_ONES[number % 10]}" if number % 10 else "")
    unit, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    rest = f" {number_words(number % unit)}" if number % unit else ""
    return f"{number_words(number // unit)} {name}{rest}"


def plain_words(text: str) -> str:
    """*text* in the recogniser's words: lower case, numbers read aloud, no punctuation."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text.lower().replace("’", "'"))
    text = re.sub(
        r"\$ ?(\d+)(?:\.(\d\d))?", lambda m: f"{m[1]} dollars" + (f" and {int(m[2])} cents" if m[2] else ""), text
    )
    text = re.sub(r"(?<=\d)\s*([ap])m\b|\b([ap])\.m\b\.?", r" \1\2 m ", text)
    text = re.sub(r"\d{7,}|\d+", _spoken_number, text)
    return " ".join(re.findall(r"[a-zà-ÿ]+(?:'[a-z]+)*", text))


def _spoken_number(match: re.Match[str]) -> str:
    digits = match[0]
    if len(digits) > 6 or (digits.startswith("0") and len(digits) > 1):
        return " " + " ".join(_ONES[int(digit)] for digit in digits) + " "
    return f" {number_words(int(digits))} "


# What may be said


def persona_lines(folder: Path = PERSONAS) -> list[str]:
    """Everything the scripted callees say: each string under one of `_SPOKEN_KEYS` in their TOML files."""
    lines: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        lines += _said(tomllib.loads(path.read_text("utf-8")), spoken=False)
    return lines


def _said(node: object, spoken: bool) -> Iterator[str]:
    if isinstance(node, str) and spoken:
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _said(value, spoken or key in _SPOKEN_KEYS)
    elif isinstance(node, list):
        for value in node:
            yield from _said(value, spoken)


def phone_phrases(path: Path = PHRASES) -> list[str]:
    """General telephone talk: the file's phrases with their places filled, the same on every run."""
    chance = random.Random(8000)  # noqa: S311 - a fixed choice of examples, not a secret
    fillings: dict[str, list[str]] = {}
    phrases: list[str] = []
    for line in path.read_text("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, separator, options = line.partition(" = ")
        if separator:
            fillings[name] = options.split(" | ")
        else:
            phrases += [_filled(line, fillings, chance) for _ in range(_EXPANSIONS if "{" in line else 2)]
    return phrases


def _filled(phrase: str, fillings: dict[str, list[str]], chance: random.Random) -> str:
    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name == "digits":
            return " ".join(chance.choice(_ONES[:10]) for _ in range(chance.choice((3, 4, 7, 10))))
        if name == "number":
            return number_words(chance.randint(0, 12))
        if name == "price":
            return _price(chance)
        return _filled(chance.choice(fillings[name]), fillings, chance)

    return re.sub(r"\{(\w+)\}", fill, phrase)


def _price(chance: random.Random) -> str:
    amount = chance.choice([chance.randint(2, 99), chance.randint(10, 99) * 10, chance.randint(100, 2000)])
    words = number_words(amount)
    if chance.random() < 0.5:
        words = words.replace("hundred ", "hundred and ")
    cents = f" and {number_words(chance.randint(1, 99))} cents" if chance.random() < 0.15 else ""
    return f"{words} dollars{cents}"


# The model


def arpa(sentences: Iterable[str]) -> str:
    """A trigram model in the ARPA format, with Witten and Bell's smoothing, of sentences of plain words."""
    counts: list[Counter[tuple[str, ...]]] = [Counter(), Counter(), Counter()]
    for sentence in sentences:
        words = ["<s>", *sentence.split(), "</s>"]
        for order in range(3):
            counts[order].update(tuple(words[at : at + order + 1]) for at in range(len(words) - order))
    del counts[0][("<s>",)]
    followers: defaultdict[tuple[str, ...], int] = defaultdict(int)
    total: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for order in range(3):
        for gram, count in counts[order].items():
            followers[gram[:-1]] += 1
            total[gram[:-1]] += count
    probability: dict[tuple[str, ...], float] = {}
    uniform = 1 / len(counts[0])
    for order in range(3):
        for gram, count in counts[order].items():
            history = gram[:-1]
            lower = probability[gram[1:]] if order else uniform
            kinds = followers[history]
            probability[gram] = (count + kinds * lower) / (total[history] + kinds)
    lines = ["\\data\\", *(f"ngram {order + 1}={len(counts[order]) + (order == 0)}" for order in range(3))]
    for order in range(3):
        lines += ["", f"\\{order + 1}-grams:"]
        if order == 0:
            lines.append(f"-99 <s> {_backoff(('<s>',), followers, total)}")
        for gram in sorted(counts[order]):
            backoff = _backoff(gram, followers, total) if order < 2 else ""
            lines.append(f"{math.log10(probability[gram]):.4f} {' '.join(gram)} {backoff}".rstrip())
    return "\n".join([*lines, "", "\\end\\", ""])


def _backoff(history: tuple[str, ...], followers: dict[tuple[str, ...], int], total: dict[tuple[str, ...], int]) -> str:
    kinds = followers.get(history, 0)
    return f"{math.log10(kinds / (total[history] + kinds)):.4f}" if kinds else "0"


# Pronunciation

_SPELLINGS: Sequence[tuple[str, str]] = [
    *(("tion", "SH AH N"), ("igh", "AY"), ("sch", "SH"), ("tch", "CH"), ("eau", "OW")),
    *(("ch", "CH"), ("sh", "SH"), ("th", "TH"), ("ph", "F"), ("wh", "W"), ("ck", "K"), ("ng", "NG"), ("qu", "K W")),
    *(("ee", "IY"), ("ea", "IY"), ("oo", "UW"), ("ou", "AW"), ("ow", "OW"), ("ai", "EY"), ("ay", "EY"), ("oa", "OW")),
    *(("ar", "AA R"), ("er", "ER"), ("ir", "ER"), ("or", "AO R"), ("ur", "ER"), ("oi", "OY"), ("oy", "OY")),
    *(("a", "AE"), ("b", "B"), ("c", "K"), ("d", "D"), ("e", "EH"), ("f", "F"), ("g", "G"), ("h", "HH"), ("i", "IH")),
    *(("j", "JH"), ("k", "K"), ("l", "L"), ("m", "M"), ("n", "N"), ("o", "OW"), ("p", "P"), ("q", "K"), ("r", "R")),
    *(("s", "S"), ("t", "T"), ("u", "AH"), ("v", "V"), ("w", "W"), ("x", "K S"), ("y", "IY"), ("z", "Z")),
]
"""Longest spellings first. Rough: for the few names that the dictionary of 134,000 words lacks."""


def guessed_pronunciation(word: str) -> str:
    """Phones for a word that is in no dictionary, by its spelling; at least one phone."""
    phones: list[str] = []
    rest = re.sub(r"([^eo])\1", r"\1", re.sub(r"[^a-z]", "", word))
    if len(rest) > 3 and rest.endswith("e"):
        rest = rest[:-1]
    while rest:
        spelling, sound = next(pair for pair in _SPELLINGS if rest.startswith(pair[0]))
        phones.append(sound)
        rest = rest[len(spelling) :]
    return " ".join(phones) or "AH"
