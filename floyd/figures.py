"""Numbers as people say them, turned into digits: "five hundred and sixty" becomes "560".

Recognised speech mixes words and digits freely ("five hundred 60", "2 hundred", "a grand"); everything that judges
numbers (money, offers, guards, claims) first brings them into the one form that `in_digits` gives.
"""

import re
from decimal import Decimal
from functools import lru_cache

from text_to_num import alpha2digit

from floyd.english import TOPICS

_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014", "''\"\"--")
_THOUSANDS_COMMA = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_WORD_HYPHEN = re.compile(r"(?<=[a-z])-(?=[a-z])")
_DIGIT_WORD = "zero|one|two|three|four|five|six|seven|eight|nine"
_OH = re.compile(rf"(?<=\b)(?:oh|o)(?= (?:oh|o|{_DIGIT_WORD}|\d)\b)|(?<=\d )(?:oh|o)\b|(?<=[a-z] )\boh\b(?= \d)")
_SPOKEN_FORMS = [(re.compile(spoken), written) for spoken, written in TOPICS["spoken_forms"].items()]
_LARGEST_SMALL_WORD = 10
_MULTIPLIED = re.compile(r"(?<![\d.])(\d{1,2}(?:\.\d+)?|0\.5) (100|1000|1000000)(?![\d.])")


@lru_cache(maxsize=2048)
def in_digits(text: str, *, small_words: bool = True) -> str:
    """The text in lower case with every number in digits and no thousands commas.

    Digits said one by one stay apart ("4 1 1"). With `small_words` false a lone word up to "ten" stays a word, because
    "one moment" and "the last four digits" carry no number worth judging. Ordinals become "23rd".
    """
    text = text.translate(_QUOTES).lower()
    text = _THOUSANDS_COMMA.sub("", text)
    text = _WORD_HYPHEN.sub(" ", text)
    for pattern, replacement in _SPOKEN_FORMS:
        text = pattern.sub(replacement, text)
    text = _OH.sub("zero", text)
    text = alpha2digit(text, "en", 0 if small_words else _LARGEST_SMALL_WORD)
    return _MULTIPLIED.sub(lambda match: plain(Decimal(match[1]) * int(match[2])), text)


def plain(number: Decimal) -> str:
    """A decimal without exponent or trailing zeros: "600", "12.5"."""
    shown = format(number, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
