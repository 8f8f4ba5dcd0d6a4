"""Which values a sentence gives away, and whether they were released.

Values are what can be recognised as such: numbers and runs of digits however they are spoken, e-mail addresses, links,
words spelled letter by letter. The model holds no other secret than its rules, which are matched by their wording.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from floyd.english import patterns
from floyd.figures import in_digits
from floyd.money import find_amounts
from relay.core.phrases import lowered, says, words

_SAYS = patterns("disclosure")

SHINGLE_WORDS = 6
"""So many words in a row from a confidential text are a quotation, unless they are speakable as well."""

_CHUNK_DIGITS = 3
"""A part of a released number may be said alone from this length on ("the last four are 0142")."""


reads_out_data = says(_SAYS["data"], str)
"""JSON, field names or markup: never something to say on the telephone."""


def claims_to_be_human(text: str) -> bool:
    """Denies being a machine."""
    said = re.sub(r"\s+", " ", lowered(text))
    return bool(_SAYS["human"].search(said)) and not _SAYS["not_human"].search(_SAYS["not_a_machine"].sub("", said))


def quotes(text: str, confidential: tuple[str, ...], speakable: tuple[str, ...]) -> bool:
    """Whether the text holds a stretch of a confidential one."""
    return bool(_shingles((text,)) & _secret_shingles(confidential, speakable))


@lru_cache(maxsize=64)
def _secret_shingles(confidential: tuple[str, ...], speakable: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    return _shingles(confidential) - _shingles(speakable)


def _shingles(texts: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    said = map(words, texts)
    return frozenset(
        tuple(each[start : start + SHINGLE_WORDS]) for each in said for start in range(len(each) - SHINGLE_WORDS + 1)
    )


class Disclosable:
    """The values that may be spoken: those of some texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        kinds = zip(*map(_values, ("", *texts)), strict=True)
        self._numbers, self._runs, self._letters, self._nets = (frozenset[str]().union(*kind) for kind in kinds)

    def number(self, digits: str) -> bool:
        """Whether these digits may be given away in a row."""
        return digits in self._runs or (len(digits) >= _CHUNK_DIGITS and any(digits in run for run in self._runs))

    def holds(self, text: str, said_before: str = "") -> bool:
        """Whether every value in the text may be spoken; digits that go on from what was said before count with it."""
        written = in_digits(text, small_words=False)
        whole = in_digits(f"{said_before} {text}", small_words=False)
        spelled = (_letters(match.group()) for match in _SAYS["spelled"].finditer(text.lower()))
        return (
            all(self._run_allowed(run) for run in _runs(written) + _runs(whole)[-1:])
            and all(any(letters in known for known in self._letters) for letters in spelled)
            and _nets(text) <= self._nets
        )

    def _run_allowed(self, run: str) -> bool:
        numbers = _SAYS["number"].findall(run)
        if all(_canonical(number) in self._numbers for number in numbers) and len(numbers) <= 3:
            return True
        return self.number(_digits(run))


@lru_cache(maxsize=512)
def _values(text: str) -> tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]:
    """Numbers, runs of digits, letters, and addresses of the net."""
    written = in_digits(text)
    numbers = {_canonical(number) for number in _SAYS["number"].findall(written)}
    for hour, minute in _SAYS["clock"].findall(written):
        numbers |= {str(int(hour) % 12 or 12), str(int(hour)), str(int(minute)), minute}
    for amount in find_amounts(text, price_context=True):
        numbers |= {_canonical(str(money.amount)) for money in amount.readings}
    runs = frozenset(filter(None, map(_digits, _runs(written))))
    return frozenset(numbers), runs, frozenset((_letters(text),)), _nets(text)


def _runs(written: str) -> list[str]:
    return [match.group().strip() for match in _SAYS["run"].finditer(written)]


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())


def _canonical(number: str) -> str:
    whole, _, fraction = number.partition(".")
    fraction = fraction.rstrip("0")
    return f"{int(whole)}.{fraction}" if fraction else str(int(whole))


def _nets(text: str) -> frozenset[str]:
    said = (match.group().replace(" dot ", ".").replace(" at ", "@") for match in _SAYS["net"].finditer(text.lower()))
    return frozenset(re.sub(r"\s+", "", net).strip(".,") for net in said)
