"""The callee's words: pieces of time with text, gathered into turns so that none is lost or doubled.

A recogniser reports the same stretch of sound several times: interims that replace each other, then a final. It does
not know where we end turns, so a result may arrive for a turn that is long committed (it amends that turn), reach
across a commit (its words are shared out), or belong to what is being said now (pending). `Hearing.place` decides
which, by time range alone.
"""

from dataclasses import dataclass, field

from relay.core.phrases import same_meaning

PAUSE_MS = 500  # longer than a breath: "one moment" said before such a pause is over with the words after it


@dataclass(slots=True, eq=False)
class Piece:
    """One recognition result, or the part of it that falls into one turn."""

    text: str
    start_ms: int
    end_ms: int
    final: bool

    def overlaps(self, other: "Piece") -> bool:
        return self.start_ms < other.end_ms and other.start_ms < self.end_ms


@dataclass(slots=True, eq=False)
class HeardTurn:
    """A committed turn of the callee. Late results still amend its pieces."""

    seq: int
    pieces: list[Piece]
    stop_ms: int  # where the callee's voice stopped before the commit: later sound belongs to another turn

    @property
    def text(self) -> str:
        return _joined(self.pieces)

    @property
    def latest(self) -> str:
        """Its words since the callee's last pause."""
        return latest(self.pieces)

    @property
    def start_ms(self) -> int:
        return min((piece.start_ms for piece in self.pieces), default=self.stop_ms)

    @property
    def end_ms(self) -> int:
        return max([self.stop_ms, *(piece.end_ms for piece in self.pieces)])

    def guessed(self, later: Piece, straddle_ms: int) -> list[Piece]:
        """The interim pieces that a later result is about; one that began clearly before it is cut in two by time."""
        found = []
        for piece in [piece for piece in self.pieces if not piece.final and piece.overlaps(later)]:
            words, inside_ms = piece.text.split(), later.start_ms - piece.start_ms
            before = 0
            if inside_ms > straddle_ms:
                before = round(len(words) * inside_ms / (piece.end_ms - piece.start_ms))
            if before == 0:
                found.append(piece)
            elif before < len(words):
                found.append(Piece(" ".join(words[before:]), later.start_ms, piece.end_ms, final=False))
                piece.text, piece.end_ms = " ".join(words[:before]), later.start_ms
                self.pieces = sorted([*self.pieces, found[-1]], key=_by_time)
        return found

    def replace(self, pieces: list[Piece], text: str, source: Piece) -> bool:
        """Put words of a later result in place of these pieces; whether the turn now means something else."""
        before = self.text
        kept = [piece for piece in self.pieces if piece not in pieces]
        if text:
            first, last = (pieces[0], pieces[-1]) if pieces else (source, source)
            kept.append(Piece(text, first.start_ms, last.end_ms, source.final))
        self.pieces = sorted(kept, key=_by_time)
        return not same_meaning(before, self.text)


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a result."""

    pending: bool = False  # words of the present stretch changed
    amended: tuple[HeardTurn, ...] = ()  # committed turns that now mean something else
    news: bool = True  # false: a repetition, or an interim that a final has overtaken


STALE = Placed(news=False)


@dataclass(slots=True, eq=False)
class Hearing:
    """Pending words and the turns they became."""

    straddle_ms: int
    turns: list[HeardTurn] = field(default_factory=list)
    finals: list[Piece] = field(default_factory=list)
    interim: Piece | None = None
    _known: set[tuple[int, int, str]] = field(default_factory=set)
    """Finals already placed, since a recogniser that reconnects may deliver one again."""

    @property
    def pending(self) -> list[Piece]:
        """In order of time."""
        return [*self.finals, self.interim] if self.interim else list(self.finals)

    @property
    def pending_text(self) -> str:
        return _joined(self.pending)

    @property
    def pending_end_ms(self) -> int:
        return max((piece.end_ms for piece in self.pending), default=0)

    def place(self, piece: Piece) -> Placed:
        """Put a result where it belongs."""
        if piece.final:
            key = (piece.start_ms, piece.end_ms, piece.text)
            if key in self._known:
                return STALE
            self._known.add(key)
        committed_ms = self.turns[-1].end_ms if self.turns else 0
        if piece.start_ms >= committed_ms:
            return self._place_pending(piece)
        return self._place_committed(piece, committed_ms)

    def commit(self, seq: int, stop_ms: int) -> HeardTurn:
        """Everything pending becomes a turn. With nothing pending it is one whose words are still to come."""
        turn = HeardTurn(seq, self.pending, stop_ms)
        self.finals, self.interim = [], None
        self.turns.append(turn)
        return turn

    def reopen(self, turn: HeardTurn) -> None:
        """Take the newest turn back: its words are pending again, before whatever is."""
        assert turn is self.turns[-1]
        self.turns.pop()
        words_so_far = [*turn.pieces, *self.pending]
        self.finals = [piece for piece in words_so_far if piece.final]
        interims = [piece for piece in words_so_far if not piece.final]
        if interims:
            self.interim = Piece(_joined(interims), interims[0].start_ms, interims[-1].end_ms, final=False)

    def _place_pending(self, piece: Piece) -> Placed:
        if piece.final:
            if self.interim and self.interim.start_ms < piece.end_ms:
                self.interim = None
            self.finals = sorted([*self.finals, piece], key=_by_time)
            return Placed(pending=True)
        if self.finals and piece.end_ms <= self.finals[-1].end_ms:
            return STALE
        news = self.interim is None or not same_meaning(self.interim.text, piece.text)
        self.interim = piece
        return Placed(pending=True, news=news)

    def _place_committed(self, piece: Piece, committed_ms: int) -> Placed:
        """A result that begins before the newest commit.

        Where turns were committed on interim words, as many of the result's words replace them, turn by turn; what
        is left belongs to the last turn covered, or is pending if the result reaches beyond the commit.
        """
        beyond = piece.end_ms > committed_ms + self.straddle_ms
        shares = [(turn, interims) for turn in self.turns if (interims := turn.guessed(piece, self.straddle_ms))]
        if not shares:
            if beyond:
                return self._place_pending(piece)
            if not piece.final:
                return STALE
            shares = [(next(turn for turn in self.turns if piece.start_ms < turn.end_ms), [])]
        words = piece.text.split()
        amended = []
        for turn, interims in shares:
            takes_the_rest = turn is shares[-1][0] and not beyond
            count = len(words) if takes_the_rest else len(_joined(interims).split())
            if turn.replace(interims, " ".join(words[:count]), piece):
                amended.append(turn)
            words = words[count:]
        if not words:
            if piece.final and self.interim and self.interim.start_ms < piece.end_ms:
                self.interim = None
            return Placed(amended=tuple(amended), news=piece.final or bool(amended))
        rest = self._place_pending(Piece(" ".join(words), committed_ms, piece.end_ms, piece.final))
        return Placed(pending=rest.pending, amended=tuple(amended), news=rest.news or bool(amended))


def _by_time(piece: Piece) -> tuple[int, int]:
    return piece.start_ms, piece.end_ms


def _joined(pieces: list[Piece]) -> str:
    return " ".join(piece.text for piece in pieces)


def latest(pieces: list[Piece]) -> str:
    """The words since the callee's last pause."""
    pauses = [at for at in range(1, len(pieces)) if pieces[at].start_ms - pieces[at - 1].end_ms > PAUSE_MS]
    return _joined(pieces[max(pauses, default=0) :])
