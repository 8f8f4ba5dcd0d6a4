"""What a text says: its words and how alike they are, its questions, and the phrases of `phrases.toml` in it.

Recognised speech has no casing, no punctuation and small errors: all matching is loose.
"""

import re
import tomllib
from collections.abc import Iterable
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from text_to_num import alpha2digit

PHRASES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text("utf-8"))
ANY: dict[str, str] = {name: f"(?:{'|'.join(some)})" for name, some in PHRASES["any_of"].items()}
HEARD = {name: re.compile(rf"\b(?:{'|'.join(some)})\b") for name, some in PHRASES["heard"].items()}
HEARD["weak"] = re.compile(rf"^\W*(?:{ANY['assent']}\b\W*)+$")
"""Nothing but assent."""
WORDS: dict[str, frozenset[str]] = {name: frozenset(some.split()) for name, some in PHRASES["words"].items()}
RELATED = {word: others.split() for some, others in PHRASES["related"].items() for word in some.split()}
VERBS: dict[str, str] = {verb: kind for kind, verbs in PHRASES["verbs"].items() for verb in verbs.split()}


def plain(text: str) -> str:
    """Straight quotes, single spaces."""
    return " ".join(text.translate(str.maketrans("’“”", '\'""')).split())


def rewritten(text: str, rules: str, **names: str) -> str:
    """The text after the `rewrites` of this name, one after the other."""
    for pattern, replacement in PHRASES["rewrites"][rules]:
        text = re.sub(pattern, replacement.format(**names), text, flags=re.I)
    return text


def numerals(text: str) -> str:
    """Lower-case text with number words written as digits, so that spoken and written numbers look the same."""
    text = rewritten(plain(text).lower(), "before_numbers")
    text = rewritten(alpha2digit(text, "en", threshold=0), "zero")
    text = re.sub(r"\b\d(?: \d){2,}\b", lambda digits: digits[0].replace(" ", ""), text)  # read out one by one
    return rewritten(text, "after_numbers")


def sentence(text: str) -> str:
    """Capitalised and closed."""
    text = plain(text).strip(" ,")
    return text and text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


def words(text: str) -> list[str]:
    """Lower-case words, possessives taken off; `snake_case` keys fall apart into theirs."""
    return [re.sub(r"'s?$", "", word) for word in re.findall(r"[a-z0-9]+(?:'[a-z]+)?", plain(text).lower())]


def content(text: str) -> set[str]:
    """The words that carry meaning."""
    return set(words(text)) - WORDS["stop"]


def names(text: str) -> list[str]:
    """Capitalised names inside a sentence, in order: `Rose Miller`, `Luigi`. A sentence's first word is none."""
    found = re.findall(r"(?<![.?!] )(?<!^)\b[A-Z][\w'-]*(?: (?:[A-Z][\w'-]*))*", plain(text))
    kept = [re.sub(r"'s?$", "", name) for name in found]
    return [name for name in kept if name.lower() not in WORDS["calendar"] and name not in ("I", "AI", "I'm", "TV")]


def alike(first: str, second: str) -> bool:
    """The same word, another form of it, or a slip of the recogniser."""
    if first in (second, second + "s") or second == first + "s":
        return True
    same = next((place for place, (one, other) in enumerate(zip(first, second, strict=False)) if one != other), 99)
    longest, shortest = max(len(first), len(second)), min(len(first), len(second))
    if min(same, shortest) >= max(4, 0.55 * longest):
        return True
    return shortest >= 5 and SequenceMatcher(None, first, second).ratio() >= 0.85


def shared(first: Iterable[str], second: Iterable[str]) -> set[str]:
    """The words of `first` that `second` holds in some form."""
    others = tuple(second)
    return {word for word in first if any(alike(word, other) for other in others)}


def related(found: Iterable[str]) -> set[str]:
    """The words that go together with these: the kinds of fact, or of business, that they speak of."""
    return {other for word in found for key, others in RELATED.items() if alike(word, key) for other in others}


def best_fact(question: str, keys: Iterable[str]) -> str | None:
    """The key of the fact that answers the question best; None when none does. Words any key may hold count half."""
    asked = content(question) | ({"where"} & set(words(question)))
    meant = related(asked) - asked

    def score(key: str) -> float:
        direct = shared(words(key), asked)
        found = direct | shared(set(words(key)) - direct, meant)
        return sum(0.5 if word in ("number", "name", "date", "time") else 1.0 for word in found)

    best = max(sorted(keys), key=lambda key: (score(key), -len(key)), default=None)
    return best if best is not None and score(best) >= 1 else None


def says(text: str, *phrases: str) -> bool:
    """Whether one of these lists of phrases is heard in the text."""
    return any(HEARD[phrase].search(plain(text).lower()) for phrase in phrases)


def first_verb_kind(text: str) -> str:
    """The kind of errand, of `phrases.toml`, that a goal or task names with its first verb."""
    return VERBS.get(next(iter(words(text)), ""), "request")


def questions(text: str) -> list[str]:
    """The questions in a turn, without what came before them; statements that merely hold a "what" are left out."""
    found: list[str] = []
    another = rf"\s+and (?={HEARD['clear_question'].pattern}|{ANY['detail']})"
    for part in re.split(r"(?<=[.?!;])\s+", plain(text).lower()):
        clear = HEARD["clear_question"].search(part)
        opened = re.match(rf"(?:{ANY['lead_in']}\b[\s,.!-]*)*(?={ANY['asking']}\b)", part)
        if clear:
            found += re.split(another, part[min(clear.start(), opened.end() if opened else clear.start()) :])
        elif part.endswith("?") or (opened and len(part.split()) >= 3):
            found.append(part[opened.end() if opened else 0 :])
    return [stripped for question in found if (stripped := question.strip(" ,.?!"))]


def informs(text: str, about: set[str]) -> bool:
    """Whether a turn tells something: a number, a yes or no, or words of what was asked about."""
    if questions(text) or says(text, "hold") or (says(text, "weak") and not says(text, "yes_or_no")):
        return False
    return bool(re.search(r"\d", numerals(text)) or says(text, "plainly") or shared(about, content(text)))
