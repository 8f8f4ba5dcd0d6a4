"""Cuts a stream of model tokens into segments worth speaking.

The first segment is cut early, at the first clause, because the callee is waiting for it; later ones are whole
sentences, because a voice sounds better with more to go on. A cut never falls inside a number, a price, a time, an
abbreviation or an address of the net. Joined with single spaces, the segments are the text that came in.
"""

import re

from relay.core.phrases import word_set

FIRST_CLAUSE_WORDS = 3
"""A first clause needs so many words: "Yes," alone sounds chopped."""
LONG_CLAUSE_WORDS = 9
"""A first clause this long is cut before a conjunction even without a comma."""
LONGEST_CHARACTERS = 240
"""A sentence beyond this is cut at its last comma or space: about 16 s of speech, more than anyone listens to."""

_ABBREVIATIONS = word_set(
    "mr mrs ms mx dr prof rev st ave blvd rd jr sr vs etc e.g i.e approx apt dept ext inc ltd co no nos fig gen"
    " sgt capt mt ft jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri sat sun u.s"
    " u.k a.m p.m"
)
_MAY_END_A_SENTENCE = frozenset({"etc", "a.m", "p.m", "u.s", "u.k", "no", "jr", "sr", "inc", "ltd", "co"})
"""Abbreviations after which a capital letter does begin a new sentence ("at 3 p.m. Then ...", "No. I can't.")."""

_END = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019)\]]*(?=\s)")
_CLAUSE_END = re.compile(r"[,;:\u2014](?=\s)|\s-(?=\s)")
_CONJUNCTION = re.compile(r"\s(?=(?:and|but|because|so|which|if|when|or)\s)")
_NUMBERISH = re.compile(
    r"(?:\d|\b(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty"
    r"|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundred|thousand|point|dollars?|dash|dot|at))\W*$",
    re.IGNORECASE,
)
_SPACES = re.compile(r"\s+")
_EMPHASIS = str.maketrans("", "", "*`")
"""Marks that models write and no voice can say."""


class Segmenter:
    """One reply's tokens in, its segments out. Feed with `receive`, then call `finish` once."""

    def __init__(self) -> None:
        self._pending = ""
        self._emitted = 0

    def receive(self, text: str) -> list[str]:
        """Take the next piece of text; the segments that are now complete."""
        self._pending += text.translate(_EMPHASIS)
        segments = []
        while (cut := self._cut()) is not None:
            segments += self._take(cut)
        return segments

    def finish(self) -> list[str]:
        """The text has ended: what remains, if anything."""
        self._pending += " "
        segments = []
        while (cut := self._cut(ended=True)) is not None:
            segments += self._take(cut)
        return segments + self._take(len(self._pending))

    def _take(self, cut: int) -> list[str]:
        segment = _SPACES.sub(" ", self._pending[:cut]).strip()
        self._pending = self._pending[cut:].lstrip()
        if not segment:
            return []
        self._emitted += 1
        return [segment]

    def _cut(self, ended: bool = False) -> int | None:
        """Where the next segment ends in the pending text, or None while it may go on."""
        for match in _END.finditer(self._pending):
            if (verdict := _ends_sentence(self._pending, match, ended)) is None:
                return None
            if verdict:
                return match.end()
        if not self._emitted and (cut := self._first_clause()):
            return cut
        if len(self._pending) > LONGEST_CHARACTERS:
            return self._forced()
        return None

    def _first_clause(self) -> int | None:
        for match in _CLAUSE_END.finditer(self._pending):
            head = self._pending[: match.end()]
            if len(head.split()) >= FIRST_CLAUSE_WORDS and not _NUMBERISH.search(head):
                return match.end()
        for match in _CONJUNCTION.finditer(self._pending):
            head = self._pending[: match.start()]
            if len(head.split()) >= LONG_CLAUSE_WORDS and not _NUMBERISH.search(head):
                return match.start()
        return None

    def _forced(self) -> int:
        """A cut in an endless sentence: its last clause, else its last space that no number touches."""
        clauses = [match.end() for match in _CLAUSE_END.finditer(self._pending, 0, LONGEST_CHARACTERS)]
        spaces = [match.start() for match in _SPACES.finditer(self._pending, 1, LONGEST_CHARACTERS)]
        for cut in reversed([*spaces, *clauses]):
            if not _NUMBERISH.search(self._pending[:cut]):
                return cut
        return LONGEST_CHARACTERS


def _ends_sentence(text: str, end: re.Match[str], ended: bool) -> bool | None:
    """Whether this punctuation ends a sentence; None when only the next character can tell."""
    if end.group()[0] != "." or end.group().startswith(".."):
        return True
    word = text[: end.start()].rsplit(None, 1)[-1].lstrip("(\"'\u201c").lower() if text[: end.start()].strip() else ""
    initial = len(word) == 1 and word.isalpha() and word != "i"
    if word not in _ABBREVIATIONS and not initial:
        return True
    following = text[end.end() :].lstrip()
    if not following:
        return True if ended else None
    if initial or word not in _MAY_END_A_SENTENCE:
        return False
    return following[0].isupper()


def segments_of(text: str) -> list[str]:
    """A whole text cut as a stream of it would be."""
    segmenter = Segmenter()
    return [segment for character in text for segment in segmenter.receive(character)] + segmenter.finish()
