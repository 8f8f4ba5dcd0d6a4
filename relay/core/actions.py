"""Everything a conversation can want done, in the imperative.

The driver executes them in the order of `Conversation.actions()`. It decides nothing: whether a reply is stale or a
segment still wanted is already settled here.
"""

from dataclasses import dataclass
from enum import StrEnum

from floyd.money import Money
from relay.core.events import KEYS
from relay.core.outcome import Outcome
from relay.core.refusal import require, require_seconds, require_text
from relay.core.transcript import Transcript


class Role(StrEnum):
    """Who a message to the model comes from, in the words of the Responses API."""

    CALLEE = "user"
    ASSISTANT = "assistant"
    NOTE = "developer"


@dataclass(frozen=True, slots=True)
class Message:
    """One item of what the model is told about the call so far."""

    role: Role
    text: str
    """The callee's words, what the callee *heard* of ours, or a note beginning with "note: "."""


class QuestionKind(StrEnum):
    FACT = "fact"
    """The model lacks something only the person knows."""
    APPROVAL = "approval"
    """The model wants a yes or no."""
    MANDATE = "mandate"
    """The callee asks for more than the person allowed."""


@dataclass(frozen=True, slots=True)
class StartReply:
    """Open one model stream; report its text as segments, its tool calls as events, with this id."""

    reply_id: int
    turns: tuple[Message, ...]
    speculative: bool = False
    """The callee's turn is not yet over: what comes of it is kept until it is, or thrown away."""

    def __post_init__(self) -> None:
        require(self.reply_id > 0, f"reply_id: expected > 0, got {self.reply_id}")


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Stop the model stream. Events still under way for it are ignored."""

    reply_id: int


@dataclass(frozen=True, slots=True)
class Speak:
    """Synthesise, send the frames, then a mark named `segment_id`. Segments never overlap or reorder."""

    segment_id: str
    text: str

    def __post_init__(self) -> None:
        require_text("segment_id", self.segment_id)
        require_text("text", self.text)


@dataclass(frozen=True, slots=True)
class PrepareSpeech:
    """Synthesise what will probably be said next, in place of what was prepared before; `Speak` with the same text
    finds it ready. Nothing of it is heard until then."""

    text: str

    def __post_init__(self) -> None:
        require_text("text", self.text)


@dataclass(frozen=True, slots=True)
class PressKeys:
    """Queue the keys' tones as audio like a segment: reported by the same events, followed by the same mark."""

    segment_id: str
    digits: str

    def __post_init__(self) -> None:
        require_text("segment_id", self.segment_id)
        require(bool(self.digits) and set(self.digits) <= KEYS, f"digits: expected keys, got {self.digits!r}")


@dataclass(frozen=True, slots=True)
class CancelSpeech:
    """Abandon every segment whose mark is not yet sent; after it, no frame of theirs leaves."""


@dataclass(frozen=True, slots=True)
class ClearPlayout:
    """Have the carrier drop what it has buffered. Always follows `CancelSpeech`."""


@dataclass(frozen=True, slots=True)
class PausePlayout:
    """Silence at the ear at once, but nothing is given up: all that was not heard is kept, and nothing leaves."""


@dataclass(frozen=True, slots=True)
class ResumePlayout:
    """Go on where the ear was when it paused, from the quietest moment shortly before."""


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Put a question to the person, in the app and by message; the answer comes back as `PersonAnswered`."""

    question_id: str
    """Unique within the call."""
    question: str
    choices: tuple[str, ...]
    kind: QuestionKind
    amount: Money | None
    """What the callee asks, when the question is about money."""
    wait_s: float
    """How long the callee is kept company; a later answer becomes a call back."""

    def __post_init__(self) -> None:
        require_text("question", self.question)
        require_seconds("wait_s", self.wait_s)


@dataclass(frozen=True, slots=True)
class RecordOptOut:
    """The callee does not want to be called again: store it now, before anything else can go wrong."""

    text: str
    """The callee's words."""


@dataclass(frozen=True, slots=True)
class RestEars:
    """Nobody is on the line: send nothing to the recogniser until something like a voice is heard."""


@dataclass(frozen=True, slots=True)
class WakeEars:
    """Listen to everything again."""


@dataclass(frozen=True, slots=True)
class SaveTranscript:
    """Write the snapshot over the one before; the driver may skip to the newest."""

    snapshot: Transcript


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call at the carrier. At most once, and the last action of all."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class HandOver:
    """Close the media stream but not the call, so that the carrier opens it at another relay. In place of `HangUp`."""


Action = (
    StartReply
    | CancelReply
    | Speak
    | PrepareSpeech
    | PressKeys
    | CancelSpeech
    | ClearPlayout
    | PausePlayout
    | ResumePlayout
    | AskPerson
    | RecordOptOut
    | RestEars
    | WakeEars
    | SaveTranscript
    | HangUp
    | HandOver
)
