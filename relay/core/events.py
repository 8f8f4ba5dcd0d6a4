"""Everything that can happen to a conversation, in the past tense.

The session turns what arrives from phone, ear, mind, mouth, person and operator into these values and hands them to
`Conversation.receive` one at a time. `_ms` fields are positions in the callee's audio, counted from the first frame
of the media stream; a moment on the session's clock is never part of an event, it is passed beside it as `now`.
"""

from pydantic.dataclasses import dataclass

from relay.core.line_kinds import LineKind
from relay.core.outcome import Outcome
from relay.core.values import Key, Keys, Position, Seconds, Share, Words, require_order


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The media stream is open: the callee can hear us from now on."""

    call_sid: Words
    stream_sid: Words


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """The far end hung up, or the socket died."""

    reason: str  # for the log: "stop" when the carrier said so, else what broke
    outcome: Outcome = Outcome.CALLEE_HUNG_UP  # or `LINE_FAILED`; counts only if nothing else has decided it


@dataclass(frozen=True, slots=True)
class MarkReached:
    """Play-out reached a mark, or a clear returned it unplayed: the ledger knows which."""

    name: str  # the `segment_id` whose mark it is


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The callee pressed a key."""

    digit: Key


FromPhone = CallStarted | StreamStopped | MarkReached | DigitPressed


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    """The callee's voice began."""

    at_ms: Position  # at most the present, so that the detector's own delay is visible


@dataclass(frozen=True, slots=True)
class VoiceStopped:
    """The callee's voice ended."""

    at_ms: Position  # end of the last loud frame, not of the detector's hangover: patience is counted from here


@dataclass(frozen=True, slots=True)
class InterimHeard:
    """Words that may still change. Each replaces the interim before it."""

    text: Words
    stability: Share  # the recogniser's guess that the text will not change
    start_ms: Position
    end_ms: Position

    def __post_init__(self) -> None:
        require_order(self.start_ms, self.end_ms)


@dataclass(frozen=True, slots=True)
class FinalHeard:
    """Words that will not change; replace whatever interim covered their range."""

    text: Words
    confidence: Share  # 0 when the recogniser gives none
    start_ms: Position
    end_ms: Position

    def __post_init__(self) -> None:
        require_order(self.start_ms, self.end_ms)


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
    confidence: Share
    evidence: str  # what was heard: "music", "beep", "ringing", "busy", ...; see `sounds.KINDS`


FromEar = VoiceStarted | VoiceStopped | InterimHeard | FinalHeard | EarLost | EarRestored | LineClassified


@dataclass(frozen=True, slots=True)
class ReplyText:
    """One speakable segment of an open reply, cut by `sentences.Segmenter`."""

    reply_id: int
    text: Words


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
    reason: str = ""  # the model's own words, for the log; the core knows the outcome better


@dataclass(frozen=True, slots=True)
class KeysRequested:
    """The model called `press_keys`."""

    reply_id: int
    digits: Keys


@dataclass(frozen=True, slots=True)
class AskRequested:
    """The model called `ask_user`: it needs something only the person knows or may decide."""

    reply_id: int
    question: Words
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FactNoted:
    """The model called `note_fact`: something worth keeping was said."""

    reply_id: int
    key: Words
    value: str


FromMind = ReplyText | ReplyFinished | ReplyFailed | EndCallRequested | KeysRequested | AskRequested | FactNoted


@dataclass(frozen=True, slots=True)
class SegmentStarted:
    """The segment's first frame is on the wire."""

    segment_id: str


@dataclass(frozen=True, slots=True)
class SegmentSent:
    """The segment's last frame and its mark are on the wire."""

    segment_id: str
    duration_s: Seconds  # length of its audio; what the carrier has buffered plays at most this long


@dataclass(frozen=True, slots=True)
class SegmentFailed:
    """The segment could not be synthesised; no mark of its will come."""

    segment_id: str
    error: str


FromMouth = SegmentStarted | SegmentSent | SegmentFailed


@dataclass(frozen=True, slots=True)
class PersonAnswered:
    """The person answered a question of `AskPerson`."""

    question_id: Words
    answer: Words


@dataclass(frozen=True, slots=True)
class HangUpRequested:
    """Somebody with the right to do so wants the call to end politely."""

    outcome: Outcome = Outcome.CANCELLED  # by the person; COST_LIMIT by the budget, REFUSED_BY_POLICY by the operator


@dataclass(frozen=True, slots=True)
class DrainRequested:
    """This process is going away: finish the sentence and hand the call to another relay."""


Event = FromPhone | FromEar | FromMind | FromMouth | PersonAnswered | HangUpRequested | DrainRequested
