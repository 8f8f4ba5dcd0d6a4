"""Cuts a stream of model tokens into segments worth speaking.

The first segment is cut early, at the first clause or else the first phrase, because the callee is waiting for it;
later ones are whole sentences, because a voice sounds better with more to go on. A cut never falls inside a number, a
price, a time, an abbreviation or an address of the net. Joined with single spaces, the segments are the text that
came in.
"""

import re

from floyd.english import TOPICS, patterns

FIRST_CLAUSE_WORDS = 3  # a first clause needs so many words: "Yes," alone sounds chopped
FIRST_PHRASE_WORDS = 4  # a first phrase without a comma needs so many, before and after the cut
FOLLOWING_WORDS = 3
LONGEST_CHARACTERS = 240  # a longer sentence is cut at its last comma or space: 16 s of speech are more than enough

_SAYS = patterns("segments")
_ABBREVIATIONS, _MAY_END = (frozenset(TOPICS["segments"][name]) for name in ("abbreviations", "may_end"))
_DANGLING = frozenset(TOPICS["completeness_words"]["dangling"].split())
_END = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)\]]*(?=\s)")
_CLAUSE_END = re.compile(r"[,;:\u2014](?=\s)|\s-(?=\s)")
_NAME = re.compile(r"(?!I\b)[A-Z]")
_SPACES = re.compile(r"\s+")
_EMPHASIS = str.maketrans("", "", "*`")  # marks that models write and no voice can say


class Segmenter:
    """One reply's tokens in, its segments out. Feed with `receive`, then call `finish` once."""

    def __init__(self) -> None:
        self._pending = ""
        self._emitted = 0

    def receive(self, text: str, *, ended: bool = False) -> list[str]:
        """Take the next piece of text; the segments that are now complete."""
        self._pending += text.translate(_EMPHASIS)
        segments = []
        while (cut := self._cut(ended)) is not None:
            segments += self._take(cut)
        return segments

    def finish(self) -> list[str]:
        """The text has ended: what remains, if anything."""
        return self.receive(" ", ended=True) + self._take(len(self._pending))

    def _take(self, cut: int) -> list[str]:
        segment = _SPACES.sub(" ", self._pending[:cut]).strip()
        self._pending = self._pending[cut:].lstrip()
        self._emitted += bool(segment)
        return [segment] if segment else []

    def _cut(self, ended: bool) -> int | None:
        """Where the next segment ends in the pending text, or None while it may go on."""
        for match in _END.finditer(self._pending):
            if (verdict := _ends_sentence(self._pending, match, ended)) is None:
                return None
            if verdict:
                return match.end()
        if not self._emitted and (cut := self._first_part()):
            return cut
        return self._forced() if len(self._pending) > LONGEST_CHARACTERS else None

    def _first_part(self) -> int | None:
        for match in _CLAUSE_END.finditer(self._pending):
            head = self._pending[: match.end()]
            if len(head.split()) >= FIRST_CLAUSE_WORDS and not _numberish(head):
                return match.end()
        cuts = (match.start() for match in _SAYS["phrase"].finditer(self._pending))
        return next((cut for cut in cuts if _parts(self._pending[:cut].split(), self._pending[cut:])), None)

    def _forced(self) -> int:
        """A cut in an endless sentence: its last clause, else its last space that no number touches."""
        clauses = [match.end() for match in _CLAUSE_END.finditer(self._pending, 0, LONGEST_CHARACTERS)]
        spaces = [match.start() for match in _SPACES.finditer(self._pending, 1, LONGEST_CHARACTERS)]
        cuts = (cut for cut in reversed([*spaces, *clauses]) if not _numberish(self._pending[:cut]))
        return next(cuts, LONGEST_CHARACTERS)


def _numberish(head: str) -> bool:
    return bool(_SAYS["numberish"].search(head.lower()))


def _parts(head: list[str], rest: str) -> bool:
    """Whether a sentence may be cut here: between whole phrases, away from figures, names, refusals and consent."""
    following = re.findall(r"\S+(?=\s)", rest)[:FOLLOWING_WORDS]
    if len(head) < FIRST_PHRASE_WORDS or len(following) < FOLLOWING_WORDS or head[-1].lower() in _DANGLING:
        return False
    near = [*head[-2:], *following]
    return not any(_NAME.match(word) for word in near) and not _SAYS["whole"].search(" ".join(near).lower())


def _ends_sentence(text: str, end: re.Match[str], ended: bool) -> bool | None:
    """Whether this punctuation ends a sentence; None when only the next character can tell."""
    if end.group()[0] != "." or end.group().startswith(".."):
        return True
    word = (text[: end.start()].split() or [""])[-1].lstrip("(\"'\u201c").lower()
    initial = len(word) == 1 and word.isalpha() and word != "i"
    if word not in _ABBREVIATIONS and not initial:
        return True
    following = text[end.end() :].lstrip()
    if not following:
        return True if ended else None
    return word in _MAY_END and not initial and following[0].isupper()
