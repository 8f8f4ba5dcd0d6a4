"""Random conversations with every invariant checked at every step."""

from collections import Counter
from random import Random
from typing import Any, ClassVar

from relay.core import deadlines
from relay.core.actions import (
    Action,
    CancelReply,
    ClearPlayout,
    HandOver,
    HangUp,
    PressKeys,
    Speak,
    StartReply,
)
from relay.core.conversation import Conversation, Place, Transition
from relay.core.deadlines import Deadline
from relay.core.events import (
    AskRequested,
    CallStarted,
    DigitPressed,
    DrainRequested,
    EarLost,
    EarRestored,
    EndCallRequested,
    Event,
    FactNoted,
    FinalHeard,
    HangUpRequested,
    InterimHeard,
    KeysRequested,
    MarkReached,
    PersonAnswered,
    ReplyFailed,
    ReplyFinished,
    ReplyText,
    SegmentFailed,
    SegmentSent,
    SegmentStarted,
    StreamStopped,
    VoiceStarted,
    VoiceStopped,
)
from relay.core.log import SpokenTurn
from relay.core.playout import Progress
from relay.core.policy import Policy
from relay.core.state import Phase
from tests.relay.core.play import brief

CALLEE_WORDS = (
    "hello this is rosie",
    "okay",
    "mm-hm",
    "yes",
    "that would be five hundred and sixty dollars",
    "I can do seventy five instead",
    "one moment please",
    "are you a robot",
    "bye bye",
    "what is your phone number",
    "could you tell me when",
    "my number is five five",
    "no wait stop please",
    "thank you",
    "how much is it",
    "stop calling me",
    "you have reached the end of the world",
)
REPLY_WORDS = (
    "I see, thank you.",
    "We'll take it.",
    "Goodbye.",
    "Our limit is eighty dollars.",
    "The number is 312 555 0142.",
    "I promise that he will come.",
)


class Watched(Conversation):
    """Checks each move against its row of the table."""

    seen: ClassVar[Counter[tuple[Transition, str]]] = Counter()

    def _move(self, row: Transition, *input_: Any) -> None:
        before = len(self._state.actions)
        place = self.place
        super()._move(row, *input_)
        assert place in row.places
        stayed = row.stays and self.place is place
        assert stayed or self.place in row.becomes, f"{row}: {place} -> {self.place}"
        emitted = {type(action) for action in self._state.actions[before:]}
        assert emitted <= set(row.emits), f"{row} in {place} emitted {emitted - set(row.emits)}"
        Watched.seen[row, "stays" if stayed else self.place.name] += 1


class Walk:
    """One random conversation. Construct with a seeded Random, then call `step` as often as you like."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.brief = brief(limit_s=random.choice((30.0, 600.0)))
        self.policy = Policy(answer_s=random.choice((5.0, 90.0)), company_s=random.choice((0.5, 9.0)))
        self.conversation = Watched(self.brief, self.policy)
        self.now = random.uniform(0.0, 1000.0)
        self.started_at = self.now
        self.pace = random.choice(((0.0, 0.02, 0.1, 0.3), (0.02, 0.1, 0.4, 0.8), (0.1, 0.5, 1.0, 9.0)))
        """Seconds between inputs: hectic, natural or slow."""
        self.obliging = random.choice((0.3, 0.9, 0.97))
        """How often mouth and mind do the sensible thing."""
        self.recognised_ms = 0
        self.outstanding: list[str] = []
        self.cleared: set[str] = set()
        self.texts: dict[str, str] = {}
        self.reply_ids: list[int] = []
        self.open_reply: int | None = None
        self.ended = 0
        self.count = 0
        self.trace: list[tuple[float, Event | None]] = []

    def step(self) -> None:
        self._pass_time()
        self.feed(self._event())

    def feed(self, event: Event) -> None:
        self.trace.append((self.now, event))
        closed = self.conversation.phase is Phase.CLOSED
        self.conversation.receive(event, self.now)
        if isinstance(event, ReplyFinished | ReplyFailed) and event.reply_id == self.open_reply:
            self.open_reply = None
        if isinstance(event, MarkReached | SegmentFailed):
            name = event.name if isinstance(event, MarkReached) else event.segment_id
            self.outstanding = [segment_id for segment_id in self.outstanding if segment_id != name]
        self._check(closed)

    def _pass_time(self) -> None:
        end = self.now + self.random.choice(self.pace)
        while (deadline := self.conversation.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.trace.append((self.now, None))
            self.conversation.handle_timer(self.now)
            after = self.conversation.next_deadline()
            assert after is None or after > deadline, "a timer that acts moves the deadline past itself (6)"
            self._check(closed=False)
        self.now = end

    @property
    def ms(self) -> int:
        return round((self.now - self.started_at) * 1000)

    def _event(self) -> Event:
        if self.conversation.phase is Phase.CONNECTING and self.random.random() < 0.7:
            self.started_at = self.now
            return CallStarted("CA1", "MZ1")
        if self.random.random() < self.obliging:
            match self.conversation.place:
                case Place.SPEAKING if self.conversation._state.ledger.outstanding and self.random.random() < 0.6:
                    return self._next_of_mouth()
                case Place.THINKING | Place.SPEAKING if self.open_reply and self.random.random() < 0.6:
                    return self._mind(self.open_reply)
                case Place.LISTENING if self.random.random() < 0.6:
                    return self._callee()
                case Place.ENDPOINTING if self.random.random() < 0.6:
                    return MarkReached("nobody's")
        match self.random.randrange(8):
            case 0 | 1 | 2:
                return self._callee()
            case 3 | 4:
                return self._mouth()
            case 5 | 6:
                return self._mind(self.random.choice(self.reply_ids or [1]))
            case _:
                return self._anything()

    def _callee(self) -> Event:
        match self.random.randrange(5):
            case 0:
                return VoiceStarted(self.ms)
            case 1:
                return VoiceStopped(self.ms)
            case 2:
                return self._words(final=False)
            case 3:
                return self._words(final=True)
            case _:
                return DigitPressed(self.random.choice("0123456789*#"))

    def _words(self, final: bool) -> Event:
        end_ms = max(0, self.ms - self.random.choice((0, 200, 900)))
        start_ms = max(0, min(self.recognised_ms, end_ms) - self.random.choice((0, 0, 0, 500)))
        text = self.random.choice(CALLEE_WORDS) if self.random.random() < 0.7 else f"number {self.count} is {self.ms}"
        if final:
            self.recognised_ms = end_ms
            return FinalHeard(text, 0.9, start_ms, end_ms)
        return InterimHeard(text, 0.5, start_ms, end_ms)

    def _next_of_mouth(self) -> Event:
        segment = self.conversation._state.ledger.outstanding[0]
        match segment.progress:
            case Progress.QUEUED:
                return SegmentStarted(segment.segment_id)
            case Progress.SENDING:
                return SegmentSent(segment.segment_id, self.random.uniform(0.0, 4.0))
            case _:
                return MarkReached(segment.segment_id)

    def _mouth(self) -> Event:
        segment_id = self.random.choice(self.outstanding or list(self.texts) or ["9.9"])
        return self.random.choice(
            (
                SegmentStarted(segment_id),
                SegmentSent(segment_id, self.random.uniform(0.0, 4.0)),
                MarkReached(segment_id),
                SegmentFailed(segment_id, "broke"),
            )
        )

    def _mind(self, reply_id: int) -> Event:
        self.count += 1
        match self.random.randrange(10):
            case 0 | 1 | 2:
                return ReplyText(reply_id, f"{self.random.choice(REPLY_WORDS)} {'x' * self.count}")
            case 3 | 4 | 5:
                return ReplyFinished(reply_id)
            case 6:
                return ReplyFailed(reply_id, "broke")
            case 7:
                return EndCallRequested(reply_id)
            case 8:
                return self.random.choice((KeysRequested(reply_id, "1"), FactNoted(reply_id, "price", "560")))
            case _:
                return AskRequested(reply_id, "Is 560 all right?")

    def _anything(self) -> Event:
        rare: list[Event] = [
            EarLost("gone"),
            EarRestored(),
            PersonAnswered("none", "yes"),
            CallStarted("CA2", "MZ2"),
            MarkReached("nobody's"),
        ]
        state = self.conversation._state
        if state.inquiry:
            rare.append(PersonAnswered(state.inquiry.question_id, self.random.choice(("yes", "no", "up to 100"))))
        if self.random.random() < 0.05:
            rare += [HangUpRequested(), DrainRequested(), StreamStopped("stop")]
        return self.random.choice(rare)

    def _check(self, closed: bool) -> None:
        actions = self.conversation.actions()
        place = self.conversation.place
        deadline = self.conversation.next_deadline()
        if closed:
            assert not actions, "CLOSED emits nothing (1)"
        for action in actions:
            self._note(action)
        if place is Place.CLOSED:
            assert deadline is None, "CLOSED has no deadline (1)"
        elif place is not Place.CONNECTING:
            assert deadline is not None, "every living phase has a deadline (1)"
        self._check_floor(place)
        self._check_transcript()

    def _note(self, action: Action) -> None:
        assert not self.ended, "nothing follows a hang-up (3)"
        match action:
            case StartReply(reply_id):
                assert self.open_reply is None, "at most one open reply (3)"
                assert all(reply_id > earlier for earlier in self.reply_ids), "reply ids never repeat (3)"
                self.reply_ids.append(reply_id)
                self.open_reply = reply_id
            case CancelReply(reply_id):
                if self.open_reply == reply_id:
                    self.open_reply = None
            case Speak(segment_id, text):
                assert segment_id not in self.texts, "segment ids never repeat (3)"
                self.texts[segment_id] = text
                self.outstanding.append(segment_id)
            case PressKeys(segment_id, digits):
                self.texts[segment_id] = digits
                self.outstanding.append(segment_id)
            case ClearPlayout():
                self.outstanding = []
            case HangUp() | HandOver():
                self.ended += 1
            case _:
                pass

    def _check_floor(self, place: Place) -> None:
        state = self.conversation._state
        kinds = {kind for kind, _ in deadlines.armed(state)}
        if place is Place.THINKING:
            assert state.reply, "THINKING implies an open reply (2)"
            assert kinds & {Deadline.REPLY, Deadline.HELD}, "THINKING implies a reply deadline (2)"
        if place is Place.ENDPOINTING:
            assert state.hearing.pending, "ENDPOINTING implies pending text (2)"
            assert kinds & {Deadline.ENDPOINTING, Deadline.OPENING}, "ENDPOINTING implies its deadline (2)"
        if place is Place.SPEAKING:
            assert kinds & {Deadline.REPLY, Deadline.SPEECH, Deadline.PLAY_OUT}, "SPEAKING waits on something (2)"
        if place is Place.LISTENING:
            assert kinds - {Deadline.CALL_LIMIT, Deadline.CLOSING, Deadline.ANSWER, Deadline.EAR} or (
                self.conversation.phase is Phase.CLOSING
            ), "LISTENING never waits for the call limit alone (2)"

    def _check_transcript(self) -> None:
        state = self.conversation._state
        for entry in state.log.entries[-6:]:
            if not isinstance(entry, SpokenTurn):
                continue
            for segment in entry.segments:
                if segment.progress is Progress.CLEARED:
                    self.cleared.add(segment.segment_id)
                if segment.progress is Progress.HEARD:
                    assert segment.segment_id not in self.cleared, "a cleared segment is never heard (4)"
            heard, sent, planned = (set(text.split()) for text in (entry.heard, entry.sent, entry.planned))
            assert heard <= planned, "never more heard than planned (5)"
            assert sent <= planned, "never more sent than planned (5)"
            assert heard == planned or entry.cut or state.ledger.outstanding, "a cut turn is marked (5)"
