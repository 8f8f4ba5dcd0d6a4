"""What was said, as a value: one `Turn` per stretch of one party, in the order in which each took the floor."""

from enum import StrEnum

from pydantic.dataclasses import dataclass

from relay.core.outcome import Outcome
from relay.core.values import Count, Position, require_order


class Speaker(StrEnum):
    CALLEE = "callee"
    FLOYD = "floyd"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Stages:
    """When each stage of answering one callee turn was reached, in seconds of the session's clock (`now`).

    None: not reached, or not needed (a fixed answer has no text from the model).
    """

    reply_id: int
    end_of_speech: float | None = None
    asked: float | None = None  # the model was asked; before the endpoint if that was done ahead
    endpoint: float | None = None  # the turn was committed
    first_final: float | None = None  # the recogniser's first final of the turn arrived, perhaps after the commit
    first_text: float | None = None  # the first speakable segment came from the model
    first_sound: float | None = None  # the first frame of the answer went out


@dataclass(frozen=True, slots=True)
class Turn:
    """All consecutive speech of one party until another takes the floor."""

    seq: Count
    """Rises from 1 and goes on from the turns before a resume. Never changes once given; a turn whose words are still
    on the way from the recogniser is left out of a snapshot, so a number may show up after its successor."""
    speaker: Speaker
    heard: str  # the callee's words; of ours only segments whose mark came back
    start_ms: Position
    end_ms: Position
    planned: str = ""  # ours: what passed the guards and was handed to the voice
    sent: str = ""  # ours: what left as audio; may exceed `heard` when a clear cut it
    cut: bool = False  # ours: part of it was cleared before it was heard
    stages: Stages | None = None  # ours: how this answer came about; None for lines nobody asked for

    def __post_init__(self) -> None:
        require_order(self.start_ms, self.end_ms)


@dataclass(frozen=True, slots=True)
class Speculations:
    """Replies that were asked for before the turn was over."""

    started: int = 0
    kept: int = 0
    wasted: int = 0


@dataclass(frozen=True, slots=True)
class Transcript:
    """The whole conversation so far. Each snapshot replaces the one before it."""

    turns: tuple[Turn, ...] = ()
    interim: str = ""  # words of the callee that are not yet a turn
    outcome: Outcome | None = None  # set from the moment the conversation begins to close
    noted: tuple[tuple[str, str], ...] = ()  # facts the model asked to keep: (key, value), in order
    speculations: Speculations = Speculations()
    line: str = "unknown"  # who is on the line, a `LineKind`
    held_s: float = 0.0  # on hold so far; of a hold under way only what has been counted
    silence_s: float = 15.0  # a silence of both sides longer than this is not meant: something is broken
