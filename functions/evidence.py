"""Does the cited turn say it? Numbers, days and key words of a claim against the callee's own words. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from floyd.documents import Released, Turn
from floyd.english import TOPICS, patterns
from floyd.figures import in_digits
from floyd.money import find_amounts
from floyd.plans import CheckedClaim, Claim, FoundFact, FoundTask

# A claim with no number and no day is proved by its words: so many of those that carry meaning must be the callee's.
SHARED_WORDS = 0.5
# `common`: words of a claim's own frame, and words too common to prove anything.
_EMPTY = frozenset(TOPICS["evidence"]["common"].split())
_SAYS = patterns("evidence")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def check_claims(
    claims: Iterable[Claim], turns: Mapping[int, Turn], own_lines: Iterable[str] = ()
) -> list[CheckedClaim]:
    """Each claim with whether its cited callee turns hold it. Turns that are not the callee's prove nothing.

    Nor does a callee's word prove what was to be said and never reached their ear. `own_lines`: what code says in every
    call; a callee who has heard nothing else can have confirmed nothing.
    """
    began, unsaid = errand_began(turns, own_lines), _unsaid(turns)
    checked = []
    for claim in claims:
        cited = [seq for seq in dict.fromkeys(claim.turns) if seq in turns and turns[seq].speaker == "callee"]
        said = " . ".join(
            turns[seq].heard
            for seq in cited
            if seq > began or not _SAYS["points_back"].search(_plain(turns[seq].heard))
        )
        proved = bool(said) and supports(said, claim.text) and not _words(claim.text) & unsaid
        checked.append(CheckedClaim(text=claim.text, turns=cited, proved=proved))
    return checked


def errand_began(turns: Mapping[int, Turn], own_lines: Iterable[str]) -> float:
    """The first turn of ours that brought the callee anything beyond `own_lines`; infinity if none did."""
    empty = _words(" ".join(own_lines))
    ours = (seq for seq, turn in sorted(turns.items()) if turn.speaker != "callee" and _words(turn.heard) - empty)
    return next(ours, math.inf)


def _unsaid(turns: Mapping[int, Turn]) -> set[str]:
    """Words that we had planned to say and that nobody has heard."""
    heard = {word for turn in turns.values() for word in _words(turn.heard)}
    planned = {word for turn in turns.values() if turn.speaker == "floyd" for word in _words(turn.planned or "")}
    return {word for word in planned if not any(_alike(word, other) for other in heard)}


def supports(said: str, claim: str) -> bool:
    """Whether the callee's words hold every number and day of the claim, and enough of its words."""
    heard = _plain(said)
    if not _days(claim) <= _days(said):
        return False
    if not all(_holds_number(number, said) for number in _numbers(claim)):
        return False
    words = _words(claim)
    shared = {word for word in words if any(_alike(word, other) for other in _words(heard))}
    if _numbers(claim) or _days(claim):
        # A number alone is not enough either: "done at 3" is not proved by "we close at 3" unless the words touch.
        return not words or bool(shared)
    return bool(words) and len(shared) >= SHARED_WORDS * len(words)


def supported_facts(facts: Iterable[FoundFact], turns: Mapping[int, Turn]) -> list[FoundFact]:
    """Facts whose value the cited turn holds; nothing else is proposed to the person."""
    cited = ((fact, turns[fact.turn]) for fact in facts if fact.turn in turns)
    return [fact for fact, turn in cited if turn.speaker == "callee" and holds(turn.heard, fact.value)]


def supported_tasks(tasks: Iterable[FoundTask], turns: Mapping[int, Turn]) -> list[FoundTask]:
    """Tasks that somebody spoke of in the cited turn; a due time that was not said there is dropped."""
    spoken = ((task, turns[task.turn].heard) for task in tasks if task.turn in turns)
    return [
        task if task.due and holds(said, task.due) else task.model_copy(update={"due": None})
        for task, said in spoken
        if said
    ]


def told(released: Sequence[Released], turns: Sequence[tuple[int, Turn]]) -> list[tuple[str, int]]:
    """(fact key, turn) for every released fact that reached the callee's ear, first time each; in a sentence that was
    cut, every one that may have."""
    ours = [(seq, turn.sent or turn.heard) for seq, turn in turns if turn.speaker != "callee"]
    when = {fact.key: next((seq for seq, said in ours if holds(said, fact.value)), None) for fact in released}
    return [(key, seq) for key, seq in when.items() if seq is not None]


def holds(said: str, value: str) -> bool:
    """Whether a value stands in what was said: word by word, or with numbers however they were spoken."""
    wanted, heard = re.findall(r"\w+", _plain(value)), re.findall(r"\w+", _plain(said))
    if not wanted:
        return False
    if any(wanted == heard[start : start + len(wanted)] for start in range(len(heard) - len(wanted) + 1)):
        return True
    # "three one two, five five five, 01 42" and "312-555-0142" hold the same digits.
    squeezed = "".join(wanted)
    return any(character.isdigit() for character in squeezed) and squeezed in "".join(heard)


def _plain(text: str) -> str:
    return in_digits(text.casefold().replace("\u2019", "'"))


def _days(text: str) -> set[str]:
    return set(_SAYS["day"].findall(_plain(text))) - {"may"}


def _numbers(text: str) -> set[str]:
    return {number.replace(",", "") for number in _NUMBER.findall(_plain(text))}


def _holds_number(number: str, said: str) -> bool:
    """Whether a number was said, in any reading: digit by digit, as a price, as a time of day."""
    if number in _numbers(said) or (len(number) >= 3 and number in re.sub(r"\D", "", _plain(said))):
        return True
    if number in {"0", "00"}:
        return True  # ":00" of a full hour is not spoken.
    try:
        wanted = Decimal(number)
    except InvalidOperation:
        return False
    if any(wanted == Decimal(other) for other in _numbers(said) if other.count(".") < 2):
        return True
    return any(
        wanted == money.amount for mention in find_amounts(said, price_context=True) for money in mention.readings
    )


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[^\W\d_]{2,}", _plain(text)) if word not in _EMPTY}


def _alike(one: str, other: str) -> bool:
    """The same word, or two forms of it: "delivered" and "delivery"."""
    return one == other or (min(len(one), len(other)) >= 4 and one[:4] == other[:4])
