"""Which sentences of ours bind the person: agreements, promises, accepted charges."""

from collections.abc import Iterable

from floyd.english import patterns
from relay.core.phrases import lowered, says, words

_SAYS = patterns("agreement")
_COVERED_SHARE = 0.6
"""So much of a sentence's content must be known from the plan for it not to be a new promise."""


def _clauses(text: str) -> list[str]:
    return [clause.strip() for clause in _SAYS["clause"].split(lowered(text)) if clause.strip()]


def commits(text: str, *, weakly: bool) -> bool:
    """Whether the sentence agrees to something. `weakly`: a mere "yes" or "perfect" is an agreement here."""
    question = text.rstrip().endswith("?")
    clauses = [clause for clause in _clauses(text) if not _SAYS["negated"].search(clause)]
    clauses = [clause for clause in clauses if not (question and _SAYS["asks"].match(clause))]
    if any(_SAYS["strong"].search(clause) for clause in clauses):
        return True
    weakly = weakly and not question
    return weakly and any(_SAYS["weak"].match(clause) or _SAYS["bare_price"].match(clause) for clause in clauses)


def promises(text: str) -> bool:
    """Whether the sentence binds somebody to do something, beyond checking, waiting and calling back."""
    found = (match for clause in _clauses(text) for match in _SAYS["promise"].finditer(clause))
    acts = (match["act"] or match["plan"] for match in found)
    return any(not act or not _SAYS["harmless"].match(act) for act in acts)


purchases = says(_SAYS["purchase"], lowered)
"""Whether the future in the sentence is a purchase, for the money rules to judge, rather than a promise."""
vows = says(_SAYS["vow"], lowered)
"""Whether the sentence gives somebody's word."""
asks_for_charges = says(_SAYS["charges"], lowered)
"""Whether a menu asks for keys as an agreement to pay."""


def covered_by(text: str, known: Iterable[str]) -> bool:
    """Whether the content of a sentence is in the plan or allowed as a promise."""
    content = {word for word in words(text) if not _SAYS["stop_word"].fullmatch(word)}
    return bool(content) and any(len(content & set(words(line))) >= _COVERED_SHARE * len(content) for line in known)
