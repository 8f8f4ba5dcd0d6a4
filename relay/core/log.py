"""The call's log: turns of both parties and notes, in the order in which each began.

Three views of it are derived and never stored: the transcript, the model's messages, and what the guards may take as
said. All of them hold only what was heard.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from relay.core.actions import Message, Role
from relay.core.hearing import HeardTurn
from relay.core.playout import SETTLED, Progress, Segment
from relay.core.transcript import Speaker, Stages, Turn

FASTEST_CHARACTERS_PER_S = 22.0
"""No voice is quicker: some 15 are usual. Bounds what was said before a cut from above."""
INTERRUPTED = "note: you were interrupted there; the callee heard nothing of yours after that."


@dataclass(slots=True, eq=False)
class SpokenTurn:
    """A turn of ours: its segments are the ledger's own, so what was heard is always up to date."""

    seq: int
    start_ms: int
    end_ms: int
    segments: list[Segment] = field(default_factory=list)
    stages: Stages | None = None
    settled: Turn | None = None
    """What the transcript shows of it, once nothing can change that any more."""

    def text_of(self, segments: Iterable[Segment]) -> str:
        return " ".join(segment.text for segment in segments)

    @property
    def planned(self) -> str:
        return self.text_of(self.segments)

    @property
    def sent(self) -> str:
        """Including what the ear may have had of a sentence that was cut: whoever was told a value must be known."""
        return " ".join(filter(None, (segment.audible(FASTEST_CHARACTERS_PER_S) for segment in self.segments)))

    @property
    def heard(self) -> str:
        return self.text_of(segment for segment in self.segments if segment.progress is Progress.HEARD)

    @property
    def cut(self) -> bool:
        return any(segment.progress is Progress.CLEARED for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Note:
    """Something only the model is told, at this point of the call."""

    text: str


Entry = HeardTurn | SpokenTurn | Note


@dataclass(slots=True, eq=False)
class Log:
    """Entries after those of an earlier relay (`prior`)."""

    prior: tuple[Turn, ...] = ()
    entries: list[Entry] = field(default_factory=list)
    _floor_taken: bool = False
    """The callee had the floor since our last turn: what we say next is a new one."""

    @property
    def next_seq(self) -> int:
        for entry in reversed(self.entries):
            if not isinstance(entry, Note):
                return entry.seq + 1
        return self.prior[-1].seq + 1 if self.prior else 1

    @property
    def last_heard_turn(self) -> HeardTurn | None:
        """The newest turn if it is the callee's."""
        newest = next((entry for entry in reversed(self.entries) if not isinstance(entry, Note)), None)
        return newest if isinstance(newest, HeardTurn) else None

    @property
    def last_spoken_turn(self) -> SpokenTurn | None:
        return next((entry for entry in reversed(self.entries) if isinstance(entry, SpokenTurn)), None)

    @property
    def last_spoken(self) -> str:
        """The newest words of ours that the callee heard: what they are answering."""
        for entry in reversed(self.entries):
            if isinstance(entry, SpokenTurn) and entry.heard:
                return entry.heard
        return next((turn.heard for turn in reversed(self.prior) if turn.speaker is Speaker.FLOYD and turn.heard), "")

    def add_heard(self, turn: HeardTurn) -> None:
        self.entries.append(turn)
        self._floor_taken = True

    def remove_heard(self, turn: HeardTurn) -> None:
        """A turn that is taken back; its number is given out again."""
        assert self.last_heard_turn is turn
        self.entries.remove(turn)

    def remove_unspoken(self) -> None:
        """A turn of ours of which no frame left never was."""
        turn = self.last_spoken_turn
        if turn and not any(segment.began for segment in turn.segments):
            self.entries.remove(turn)

    def add_spoken(self, segment: Segment, at_ms: int) -> SpokenTurn:
        """Append a segment to our present turn, or begin one if the callee had the floor since."""
        turn = self.last_spoken_turn
        if turn is None or self._floor_taken:
            turn = SpokenTurn(self.next_seq, at_ms, at_ms)
            self.entries.append(turn)
            self._floor_taken = False
        turn.segments.append(segment)
        return turn

    def yield_floor(self) -> None:
        """We were cut: what we say next is a new turn even if the callee's words never come."""
        self._floor_taken = True

    def note(self, text: str) -> None:
        self.entries.append(Note(f"note: {text}"))

    def turns(self) -> tuple[Turn, ...]:
        """Everything said, for the transcript. A turn whose words are still to come is left out."""
        newest = self.last_spoken_turn
        return (*self.prior, *(shown for entry in self.entries if (shown := _shown(entry, entry is newest))))

    def messages(self, notes: Iterable[str]) -> tuple[Message, ...]:
        """Everything said, for the model."""
        before = [Message(Role.NOTE, f"note: {note}") for note in notes]
        for turn in self.prior:
            if turn.heard:
                before.append(Message(Role.CALLEE if turn.speaker is Speaker.CALLEE else Role.ASSISTANT, turn.heard))
        return (*before, *(message for entry in self.entries for message in _messages(entry)))

    def callee_texts(self) -> tuple[str, ...]:
        """All that the callee said so far."""
        earlier = [turn.heard for turn in self.prior if turn.speaker is Speaker.CALLEE]
        return (*earlier, *(entry.text for entry in self.entries if isinstance(entry, HeardTurn)))


def _shown(entry: Entry, newest: bool) -> Turn | None:
    match entry:
        case HeardTurn() if entry.pieces:
            return Turn(entry.seq, Speaker.CALLEE, entry.text, entry.start_ms, entry.end_ms)
        case SpokenTurn(settled=Turn() as settled):
            return settled
        case SpokenTurn():
            turn = Turn(
                entry.seq,
                Speaker.FLOYD,
                entry.heard,
                entry.start_ms,
                max(entry.start_ms, entry.end_ms),
                planned=entry.planned,
                sent=entry.sent,
                cut=entry.cut,
                stages=entry.stages,
            )
            if not newest and all(segment.progress in SETTLED for segment in entry.segments):
                entry.settled = turn
            return turn
        case _:
            return None


def _messages(entry: Entry) -> list[Message]:
    match entry:
        case HeardTurn() if entry.pieces:
            return [Message(Role.CALLEE, entry.text)]
        case SpokenTurn() if entry.heard or entry.cut:
            heard = [Message(Role.ASSISTANT, entry.heard)] if entry.heard else []
            return [*heard, Message(Role.NOTE, INTERRUPTED)] if entry.cut else heard
        case Note():
            return [Message(Role.NOTE, entry.text)]
        case _:
            return []
