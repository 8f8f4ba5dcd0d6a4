"""Words, and how alike they are. Recognised speech has no casing, no punctuation and small errors: match loosely."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from typing import Any

from standins.openai.mind.phrases import PHRASES, words_of

STOP_WORDS, CALENDAR = words_of("stop"), words_of("calendar")
PERSON_WORDS = words_of("person")
"""A phone number named by these alone is the requester's own."""
RELATED = {word: others.split() for some, others in PHRASES["related"].items() for word in some.split()}


def plain(text: str) -> str:
    """Straight quotes, single spaces."""
    return " ".join(text.replace("’", "'").replace("“", '"').replace("”", '"').split())


def words(text: str) -> list[str]:
    """Lower-case words, possessives taken off; `snake_case` keys fall apart into theirs."""
    return [re.sub(r"'s?$", "", word) for word in re.findall(r"[a-z0-9]+(?:'[a-z]+)?", plain(text).lower())]


def content(text: str) -> set[str]:
    """The words that carry meaning."""
    return {word for word in words(text) if word not in STOP_WORDS}


def alike(first: str, second: str) -> bool:
    """The same word, another form of it, or a slip of the recogniser."""
    if first == second or first + "s" == second or second + "s" == first:
        return True
    longest = max(len(first), len(second))
    shared = next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
    if shared >= 4 and shared >= 0.55 * longest:
        return True
    return min(len(first), len(second)) >= 5 and SequenceMatcher(None, first, second).ratio() >= 0.85


def shared(first: Iterable[str], second: Iterable[str]) -> set[str]:
    """The words of `first` that `second` holds in some form."""
    others = tuple(second)
    return {word for word in first if any(alike(word, other) for other in others)}


def widened(found: Iterable[str]) -> set[str]:
    """The words and those that go together with them."""
    kept = set(found)
    return kept | {other for word in kept for key, others in RELATED.items() if alike(word, key) for other in others}


def names(text: str) -> list[str]:
    """Capitalised names inside a sentence, in order: `Rose Miller`, `Luigi`. A sentence's first word is none."""
    found = re.findall(r"(?<![.?!] )(?<!^)\b[A-Z][\w'-]*(?: (?:[A-Z][\w'-]*))*", plain(text))
    kept = [re.sub(r"'s?$", "", name) for name in found]
    return [name for name in kept if name.lower() not in CALENDAR and name not in ("I", "AI", "I'm", "TV")]


def sentence(text: str) -> str:
    """Capitalised and closed."""
    text = plain(text).strip(" ,")
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


def key_words(key: str) -> list[str]:
    return words(key.replace("_", " "))


def fact_score(question: str, key: str) -> float:
    """How well a fact's key answers a question; below 1 it does not. Words any key may hold count half."""
    asked = content(question) | ({"where"} & set(words(question)))
    vague = {"number", "name", "date", "time"}
    direct = shared(key_words(key), asked)
    related = shared(set(key_words(key)) - direct, widened(asked) - asked)
    return sum(0.5 if word in vague else 1.0 for word in direct | related)


def best_fact(question: str, facts: Mapping[str, Any]) -> str | None:
    """The key of the fact that answers the question best, or None when none does."""
    scored = sorted(((fact_score(question, key), key) for key in facts), key=lambda each: (-each[0], len(each[1])))
    return scored[0][1] if scored and scored[0][0] >= 1 else None
