"""Everything that can happen to a conversation, in the past tense.

The session turns what arrives from phone, ear, mind, mouth, person and operator into these values and hands them to
`Conversation.receive` one at a time. `_ms` fields are positions in the callee's audio, counted from the first frame
of the media stream; a moment on the session's clock is never part of an event, it is passed beside it as `now`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from relay.core.line_kinds import LineKind
from relay.core.outcome import Outcome
from relay.core.refusal import require, require_range_ms, require_seconds, require_share, require_text

KEYS = frozenset("0123456789*#ABCD")
"""The sixteen keys of ITU-T Q.23; A to D exist on lines though not on handsets."""


# From the phone


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The media stream is open: the callee can hear us from now on."""

    call_sid: str
    stream_sid: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_text("call_sid", self.call_sid)
        require_text("stream_sid", self.stream_sid)


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """The far end hung up, or the socket died."""

    reason: str
    """For the log: "stop" when the carrier said so, else what broke."""
    outcome: Outcome = Outcome.CALLEE_HUNG_UP
    """How the call ended if nothing else has decided it: `CALLEE_HUNG_UP` or `LINE_FAILED`."""


@dataclass(frozen=True, slots=True)
class MarkReached:
    """Play-out reached a mark, or a clear returned it unplayed: the ledger knows which."""

    name: str
    """The `segment_id` whose mark it is."""


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The callee pressed a key."""

    digit: str

    def __post_init__(self) -> None:
        require(self.digit in KEYS, f"digit: expected one of 0-9 * # A-D, got {self.digit!r}")


# From the ear


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    """The callee's voice began."""

    at_ms: int
    """Where in the callee's audio; at most the present, so that the detector's own delay is visible."""

    def __post_init__(self) -> None:
        require(self.at_ms >= 0, f"at_ms: expected >= 0, got {self.at_ms}")


@dataclass(frozen=True, slots=True)
class VoiceStopped:
    """The callee's voice ended."""

    at_ms: int
    """End of the last loud frame, not of the detector's hangover: patience is counted from here."""

    def __post_init__(self) -> None:
        require(self.at_ms >= 0, f"at_ms: expected >= 0, got {self.at_ms}")


@dataclass(frozen=True, slots=True)
class InterimHeard:
    """Words that may still change. Each replaces the interim before it."""

    text: str
    stability: float
    """0 to 1, the recogniser's guess that the text will not change."""
    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        require_text("text", self.text)
        require_share("stability", self.stability)
        require_range_ms(self.start_ms, self.end_ms)


@dataclass(frozen=True, slots=True)
class FinalHeard:
    """Words that will not change; replace whatever interim covered their range."""

    text: str
    confidence: float
    """0 to 1; 0 when the recogniser gives none."""
    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        require_text("text", self.text)
        require_share("confidence", self.confidence)
        require_range_ms(self.start_ms, self.end_ms)


@dataclass(frozen=True, slots=True)
class EarLost:
    """The recogniser is gone and could not be rolled over: words may be missed until `EarRestored`."""

    error: str


@dataclass(frozen=True, slots=True)
class EarRestored:
    """The recogniser hears again."""


@dataclass(frozen=True, slots=True)
class LineClassified:
    """The sound of the line tells who is on it; words are judged by the conversation itself."""

    kind: LineKind
    confidence: float
    """0 to 1."""
    evidence: str
    """What was heard: "music", "beep", "ringing", "busy", ...; see `sounds.KINDS`."""

    def __post_init__(self) -> None:
        require_share("confidence", self.confidence)


# From the mind


@dataclass(frozen=True, slots=True)
class ReplyText:
    """One speakable segment of an open reply, cut by `sentences.Segmenter`."""

    reply_id: int
    text: str

    def __post_init__(self) -> None:
        require_text("text", self.text)


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """The model has said all it wants to say in this reply, tool calls included."""

    reply_id: int


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """The model broke off. Text and tool calls reported before stay valid."""

    reply_id: int
    error: str


@dataclass(frozen=True, slots=True)
class EndCallRequested:
    """The model called `end_call`; its farewell may come before or after, in the same reply."""

    reply_id: int
    reason: str = ""
    """The model's own words, for the log; the core knows the outcome better."""


@dataclass(frozen=True, slots=True)
class KeysRequested:
    """The model called `press_keys`."""

    reply_id: int
    digits: str

    def __post_init__(self) -> None:
        require(
            0 < len(self.digits) <= 32 and set(self.digits) <= KEYS,
            f"digits: expected 1 to 32 of 0-9 * # A-D, got {self.digits!r}",
        )


@dataclass(frozen=True, slots=True)
class AskRequested:
    """The model called `ask_user`: it needs something only the person knows or may decide."""

    reply_id: int
    question: str
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_text("question", self.question)


@dataclass(frozen=True, slots=True)
class FactNoted:
    """The model called `note_fact`: something worth keeping was said."""

    reply_id: int
    key: str
    value: str

    def __post_init__(self) -> None:
        require_text("key", self.key)


# From the mouth


@dataclass(frozen=True, slots=True)
class SegmentStarted:
    """The segment's first frame is on the wire."""

    segment_id: str


@dataclass(frozen=True, slots=True)
class SegmentSent:
    """The segment's last frame and its mark are on the wire."""

    segment_id: str
    duration_s: float
    """Length of its audio; what the carrier has buffered plays at most this long."""

    def __post_init__(self) -> None:
        require_seconds("duration_s", self.duration_s)


@dataclass(frozen=True, slots=True)
class SegmentFailed:
    """The segment could not be synthesised; no mark of its will come."""

    segment_id: str
    error: str


# From the person and the operator


@dataclass(frozen=True, slots=True)
class PersonAnswered:
    """The person answered a question of `AskPerson`."""

    question_id: str
    answer: str

    def __post_init__(self) -> None:
        require_text("question_id", self.question_id)
        require_text("answer", self.answer)


@dataclass(frozen=True, slots=True)
class HangUpRequested:
    """Somebody with the right to do so wants the call to end politely."""

    outcome: Outcome = Outcome.CANCELLED
    """`CANCELLED` by the person, `COST_LIMIT` by the budget, `REFUSED_BY_POLICY` by the operator's switch."""


@dataclass(frozen=True, slots=True)
class DrainRequested:
    """This process is going away: finish the sentence and hand the call to another relay."""


Event = (
    CallStarted
    | StreamStopped
    | MarkReached
    | DigitPressed
    | VoiceStarted
    | VoiceStopped
    | InterimHeard
    | FinalHeard
    | EarLost
    | EarRestored
    | LineClassified
    | ReplyText
    | ReplyFinished
    | ReplyFailed
    | EndCallRequested
    | KeysRequested
    | AskRequested
    | FactNoted
    | SegmentStarted
    | SegmentSent
    | SegmentFailed
    | PersonAnswered
    | HangUpRequested
    | DrainRequested
)
