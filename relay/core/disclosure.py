"""Which values a sentence gives away, and whether they were released.

Values are what can be recognised as such: numbers and runs of digits however they are spoken, e-mail addresses, links,
words spelled letter by letter. The model holds no other secret than its rules, which are matched by their wording.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from floyd.figures import in_digits
from floyd.money import find_amounts
from relay.core.phrases import words

SHINGLE_WORDS = 6
"""So many words in a row from a confidential text are a quotation, unless they are speakable as well."""

_DATA = re.compile(
    r"[{}\[\]]|\"\w+\"\s*:|\b\w+_\w+\b(?![\w.]*@)|</?\w+>|^\s*(?:note|errand|system|developer)\s*:", re.IGNORECASE
)
_HUMAN = re.compile(
    r"\b(?:i'm|i am|you're (?:talking|speaking) (?:to|with)|this is|yes,? i'm"
    r"|of course i'm)(?: \w+){0,3}? (?:a |an )?(?:real |actual |live |human |fellow )*"
    r"(?:human(?: being)?|person|man|woman|guy|real)\b(?! (?:assistant ai|in charge))"
    r"|\b(?:i'm|i am|this is|it's|it is)(?: \w+)? not(?: \w+){0,2} (?:a |an )?(?:robot|bot|machine|ai|a\.i\."
    r"|computer|recording|artificial|automated|program|chatbot|virtual)\b"
    r"|\bnot an? (?:robot|bot|machine|ai|computer|chatbot)\b|\bi (?:have|am made of) (?:flesh|a body"
    r"|feelings)\b|\bno robots? here\b"
)
_NOT_HUMAN = re.compile(
    r"\b(?:not|n't|never|no) (?:\w+ ){0,3}?(?:human|person|man|woman|real)\b|\b(?:ai|robot|machine) and not\b"
    r"|\bai\b.*\bnot an?\b"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_RUN = re.compile(r"\d(?:[\d ().-]|,\s(?=\d))*")
_CLOCK = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)\b")
_SPELLED = re.compile(r"\b(?:[a-z](?:[\s.,-]+|\b)){4,}")
_NET = re.compile(
    r"\S+@\S+|\bhttps?:\S+|\bwww\.\S+|\b\w+(?: (?:dot|at) \w+)* dot (?:com|org|net|edu|gov|io|co|us)\b"
    r"|\b[\w.-]+\.(?:com|org|net|edu|gov|io)\b"
)
_CHUNK_DIGITS = 3
"""A part of a released number may be said alone from this length on ("the last four are 0142")."""


def reads_out_data(text: str) -> bool:
    """JSON, field names or markup: never something to say on the telephone."""
    return bool(_DATA.search(text))


def claims_to_be_human(text: str) -> bool:
    """Denies being a machine."""
    plain = re.sub(r"\s+", " ", text.lower().replace("\u2019", "'"))
    return bool(_HUMAN.search(plain)) and not _NOT_HUMAN.search(
        re.sub(r"not an? (?:robot|bot|machine|ai|computer|chatbot)", "", plain)
    )


def quotes(text: str, confidential: tuple[str, ...], speakable: tuple[str, ...]) -> bool:
    """Whether the text holds a stretch of a confidential one."""
    return bool(_shingles((text,)) & _secret_shingles(confidential, speakable))


@lru_cache(maxsize=64)
def _secret_shingles(confidential: tuple[str, ...], speakable: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    return _shingles(confidential) - _shingles(speakable)


def _shingles(texts: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for text in texts:
        said = words(text)
        found.update(tuple(said[start : start + SHINGLE_WORDS]) for start in range(len(said) - SHINGLE_WORDS + 1))
    return frozenset(found)


class Disclosable:
    """The values that may be spoken: those of some texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        known = [_known(text) for text in texts]
        self._numbers = frozenset[str]().union(*(value.numbers for value in known))
        self._runs = frozenset[str]().union(*(value.runs for value in known))
        self._letters = " ".join(value.letters for value in known)
        self._nets = frozenset[str]().union(*(value.nets for value in known))

    def number(self, digits: str) -> bool:
        """Whether these digits may be given away in a row."""
        return digits in self._runs or (len(digits) >= _CHUNK_DIGITS and any(digits in run for run in self._runs))

    def holds(self, text: str, said_before: str = "") -> bool:
        """Whether every value in the text may be spoken; digits that go on from what was said before count with it."""
        written = in_digits(text, small_words=False)
        whole = in_digits(f"{said_before} {text}", small_words=False)
        if any(not self._run_allowed(run) for run in _runs(written) + _runs(whole)[-1:]):
            return False
        for match in _SPELLED.finditer(text.lower()):
            if re.sub(r"[^a-z]", "", match.group()) not in self._letters:
                return False
        return all(_net(match.group()) in self._nets for match in _NET.finditer(text.lower()))

    def _run_allowed(self, run: str) -> bool:
        numbers = _NUMBER.findall(run)
        if all(_canonical(number) in self._numbers for number in numbers) and len(numbers) <= 3:
            return True
        return self.number(re.sub(r"\D", "", run))


class _Known:
    """Values of one text."""

    def __init__(self, text: str) -> None:
        written = in_digits(text)
        self.runs = frozenset(digits for run in _runs(written) if (digits := re.sub(r"\D", "", run)))
        numbers = {_canonical(number) for number in _NUMBER.findall(written)}
        for hour, minute in _CLOCK.findall(written):
            numbers |= {str(int(hour) % 12 or 12), str(int(hour)), str(int(minute)), minute}
        for amount in find_amounts(text, price_context=True):
            numbers |= {_canonical(str(money.amount)) for money in amount.readings}
        self.numbers = frozenset(numbers)
        self.letters = (
            re.sub(r"[^a-z ]", "", text.lower()).replace(" ", " ") + " " + re.sub(r"[^a-z]", "", text.lower())
        )
        self.nets = frozenset(_net(match.group()) for match in _NET.finditer(text.lower()))


@lru_cache(maxsize=512)
def _known(text: str) -> _Known:
    return _Known(text)


def _runs(written: str) -> list[str]:
    return [match.group().strip() for match in _RUN.finditer(written)]


def _canonical(number: str) -> str:
    whole, _, fraction = number.partition(".")
    fraction = fraction.rstrip("0")
    return f"{int(whole)}.{fraction}" if fraction else str(int(whole))


def _net(text: str) -> str:
    return re.sub(r"\s+", "", text.replace(" dot ", ".").replace(" at ", "@")).strip(".,")
