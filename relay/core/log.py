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

FASTEST_CHARACTERS_PER_S = 22.0  # no voice is quicker, some 15 are usual: bounds what was said before a cut from above
INTERRUPTED = "note: you were interrupted there; the callee heard nothing of yours after that."


@dataclass(slots=True, eq=False)
class SpokenTurn:
    """A turn of ours: its segments are the ledger's own, so what was heard is always up to date."""

    seq: int
    start_ms: int
    end_ms: int
    segments: list[Segment] = field(default_factory=list)
    stages: Stages | None = None
    settled: Turn | None = None  # what the transcript shows of it, once nothing can change that any more

    @property
    def planned(self) -> str:
        return " ".join(segment.text for segment in self.segments)

    @property
    def sent(self) -> str:
        """Including what the ear may have had of a sentence that was cut: whoever was told a value must be known."""
        return " ".join(filter(None, (segment.audible(FASTEST_CHARACTERS_PER_S) for segment in self.segments)))

    @property
    def heard(self) -> str:
        return " ".join(segment.text for segment in self.segments if segment.progress is Progress.HEARD)

    @property
    def cut(self) -> bool:
        return any(segment.progress is Progress.CLEARED for segment in self.segments)

    def shown(self, *, newest: bool) -> Turn:
        """As the transcript has it."""
        if self.settled:
            return self.settled
        start_ms, end_ms = self.start_ms, max(self.start_ms, self.end_ms)
        turn = Turn(
            self.seq, Speaker.FLOYD, self.heard, start_ms, end_ms, self.planned, self.sent, self.cut, self.stages
        )
        if not newest and all(segment.progress in SETTLED for segment in self.segments):
            self.settled = turn
        return turn


@dataclass(frozen=True, slots=True)
class Note:
    """Something only the model is told, at this point of the call."""

    text: str


Entry = Turn | HeardTurn | SpokenTurn | Note


@dataclass(slots=True, eq=False)
class Log:
    entries: list[Entry]  # begin with the turns that an earlier relay held
    floor_taken: bool = False  # the callee had the floor since our last turn: what we say next is a new one

    @property
    def _newest(self) -> Turn | HeardTurn | SpokenTurn | None:
        return next((entry for entry in reversed(self.entries) if not isinstance(entry, Note)), None)

    @property
    def next_seq(self) -> int:
        return self._newest.seq + 1 if self._newest else 1

    @property
    def last_heard_turn(self) -> HeardTurn | None:
        """The newest turn if it is the callee's."""
        return self._newest if isinstance(self._newest, HeardTurn) else None

    @property
    def last_spoken_turn(self) -> SpokenTurn | None:
        return next((entry for entry in reversed(self.entries) if isinstance(entry, SpokenTurn)), None)

    @property
    def last_spoken(self) -> str:
        """The newest words of ours that the callee heard: what they are answering."""
        for entry in reversed(self.entries):
            match entry:
                case SpokenTurn(heard=heard) | Turn(speaker=Speaker.FLOYD, heard=heard) if heard:
                    return heard
        return ""

    def add_heard(self, turn: HeardTurn) -> None:
        self.entries.append(turn)
        self.floor_taken = True

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
        if turn is None or self.floor_taken:
            turn = SpokenTurn(self.next_seq, at_ms, at_ms)
            self.entries.append(turn)
            self.floor_taken = False
        turn.segments.append(segment)
        return turn

    def note(self, text: str) -> None:
        self.entries.append(Note(f"note: {text}"))

    def turns(self) -> tuple[Turn, ...]:
        """Everything said, for the transcript. A turn whose words are still to come is left out."""
        newest, shown = self.last_spoken_turn, []
        for entry in self.entries:
            if isinstance(entry, Turn):
                shown.append(entry)
            elif isinstance(entry, SpokenTurn):
                shown.append(entry.shown(newest=entry is newest))
            elif isinstance(entry, HeardTurn) and entry.pieces:
                shown.append(Turn(entry.seq, Speaker.CALLEE, entry.text, entry.start_ms, entry.end_ms))
        return tuple(shown)

    def messages(self, notes: Iterable[str]) -> tuple[Message, ...]:
        """Everything said, for the model."""
        before = (Message(Role.NOTE, f"note: {note}") for note in notes)
        return (*before, *(message for entry in self.entries for message in _messages(entry)))

    def callee_texts(self) -> tuple[str, ...]:
        """All that the callee said so far."""
        earlier = [turn.heard for turn in self.entries if isinstance(turn, Turn) and turn.speaker is Speaker.CALLEE]
        return (*earlier, *(entry.text for entry in self.entries if isinstance(entry, HeardTurn)))


def _messages(entry: Entry) -> list[Message]:
    match entry:
        case Turn() if entry.heard:
            return [Message(Role.CALLEE if entry.speaker is Speaker.CALLEE else Role.ASSISTANT, entry.heard)]
        case HeardTurn() if entry.pieces:
            return [Message(Role.CALLEE, entry.text)]
        case SpokenTurn():
            heard = [Message(Role.ASSISTANT, entry.heard)] if entry.heard else []
            return [*heard, Message(Role.NOTE, INTERRUPTED)] if entry.cut else heard
        case Note():
            return [Message(Role.NOTE, entry.text)]
        case _:
            return []
