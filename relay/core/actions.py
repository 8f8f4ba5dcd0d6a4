"""Everything a conversation can want done, in the imperative.

The driver executes them in the order of `Conversation.actions()`. It decides nothing: whether a reply is stale or a
segment still wanted is already settled here.
"""

from enum import StrEnum

from pydantic.dataclasses import dataclass

from floyd.money import Money
from relay.core.outcome import Outcome
from relay.core.transcript import Transcript
from relay.core.values import Count, Keys, Seconds, Words


class Role(StrEnum):
    """Who a message to the model comes from, in the words of the Responses API."""

    CALLEE = "user"
    ASSISTANT = "assistant"
    NOTE = "developer"


@dataclass(frozen=True, slots=True)
class Message:
    """One item of what the model is told about the call so far."""

    role: Role
    text: str  # the callee's words, what the callee *heard* of ours, or a note beginning with "note: "


class QuestionKind(StrEnum):
    FACT = "fact"  # the model lacks something only the person knows
    APPROVAL = "approval"  # the model wants a yes or no
    MANDATE = "mandate"  # the callee asks for more than the person allowed


@dataclass(frozen=True, slots=True)
class StartReply:
    """Open one model stream; report its text as segments, its tool calls as events, with this id."""

    reply_id: Count
    turns: tuple[Message, ...]
    speculative: bool = False  # the callee's turn is not yet over: what comes of it is kept until it is, or thrown away


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Stop the model stream. Events still under way for it are ignored."""

    reply_id: int


@dataclass(frozen=True, slots=True)
class Speak:
    """Synthesise, send the frames, then a mark named `segment_id`. Segments never overlap or reorder."""

    segment_id: Words
    text: Words


@dataclass(frozen=True, slots=True)
class PrepareSpeech:
    """Synthesise what will probably be said next, in place of what was prepared before; `Speak` with the same text
    finds it ready. Nothing of it is heard until then."""

    text: Words


@dataclass(frozen=True, slots=True)
class PressKeys:
    """Queue the keys' tones as audio like a segment: reported by the same events, followed by the same mark."""

    segment_id: Words
    digits: Keys


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

    question_id: str  # unique within the call
    question: Words
    choices: tuple[str, ...]
    kind: QuestionKind
    amount: Money | None  # what the callee asks, when the question is about money
    wait_s: Seconds  # how long the callee is kept company; a later answer becomes a call back


@dataclass(frozen=True, slots=True)
class RecordOptOut:
    """The callee does not want to be called again: store it now, before anything else can go wrong."""

    text: str  # the callee's words


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


_ToMind = StartReply | CancelReply
_ToMouth = Speak | PrepareSpeech | PressKeys | CancelSpeech | ClearPlayout | PausePlayout | ResumePlayout
_ToRecord = AskPerson | RecordOptOut | SaveTranscript
Action = _ToMind | _ToMouth | _ToRecord | RestEars | WakeEars | HangUp | HandOver
