"""One call on its media stream: from the admitted start to the last document."""

import asyncio
import logging
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal

from google.api_core.exceptions import GoogleAPIError
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from floyd import lines, logs
from floyd.carrier import Carrier
from floyd.documents import Cost
from floyd.errors import LostGuardError, NotFoundError, VendorError
from floyd.lifecycle.during_the_call import CallFinished
from floyd.mulaw import FRAME_SAMPLES
from floyd.store import InboxCommand, Store, request_path
from relay.admission import Admitted
from relay.briefing import brief_for, local_time
from relay.core.conversation import Conversation
from relay.core.events import (
    CallStarted,
    DigitPressed,
    DrainRequested,
    HangUpRequested,
    PersonAnswered,
    StreamStopped,
)
from relay.core.outcome import Outcome
from relay.core.policy import Policy
from relay.line import Line
from relay.measures import cost_of, most_dollars, turn_lines
from relay.media_stream import MarkEchoed, MediaStream, Outbound, Started, ViolationError
from relay.mouth import RenderedLines
from relay.prompt import prompt_for
from relay.session import Session, Tools
from relay.tape import Tape
from relay.turns import CallRecord

logger = logging.getLogger(__name__)

QUEUED_MESSAGES = 25  # two seconds of sound at 80 ms a message
FLUSH_S = 5.0
HAND_OVER_FLUSH_S = 1.5  # the process has little time left, and the other relay reads these turns
PATIENCE_S = 600.0
"""How long a finished call waits for a store that is away, before the sweeper has to work out what became of it."""
COST_EVERY_S = 15.0
STOCK_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Stock lines are looked for again after each: they are being prepared while the phone rings."""
HOP_S = 3000.0  # Cloud Run ends every websocket after 60 minutes: before that the call moves to a fresh one


@dataclass(frozen=True, slots=True)
class House:
    """What every call of a process needs."""

    store: Store
    carrier: Carrier
    tools: Tools
    rendered: RenderedLines
    from_number: str
    policy: Policy


@dataclass(eq=False)
class MediaCall:
    """A live call. `run` returns when everything about it is done."""

    house: House
    admitted: Admitted
    connection: ServerConnection
    stream: MediaStream
    started: Started
    since: float  # when `started` came, on the loop's clock; the callee's sound counts from there

    def __post_init__(self) -> None:
        house, admitted = self.house, self.admitted
        self.key = admitted.key
        self.listeners: set[Line] = set()
        self.over = asyncio.Event()
        self._talking = False
        self._draining = False
        self._violation: ViolationError | None = None
        self._noted_at = 0.0
        self._told: set[int] = set()
        self._about = {**self.key._asdict(), "epoch": admitted.epoch}
        self._earlier_s = _lasted_s(admitted, asyncio.get_running_loop().time() - self.since)
        brief = brief_for(admitted, self._earlier_s)
        self._tape = Tape(brief, house.policy)
        self._stock = lines.stock(brief.on_behalf_of)
        self._opening = brief.opening
        outbound = Outbound(self.started.stream_sid)
        self._line = Line(self.connection, limit=QUEUED_MESSAGES, on_overflow=outbound.clear)
        began_ms = round(1000 * self._earlier_s)
        self._record = CallRecord(admitted, house.store, house.carrier, house.from_number, began_ms)
        self._session = Session(
            Conversation(brief, house.policy),
            house.tools,
            self._record,
            send=self._line.send,
            monitor=self._monitor,
            tape=self._tape.add,
            outbound=outbound,
            prompt=prompt_for(
                brief,
                call_key="/".join(map(str, self.key)),
                person_key=self.key.uid,
                now=local_time(admitted.person.time_zone),
            ),
            rendered=house.rendered,
            language=admitted.errand.request.language,
        )

    async def run(self) -> None:
        """Talk until the conversation ends, then write down what it came to and let go of the line."""
        session, record, loop = self._session, self._record, asyncio.get_running_loop()
        tasks: list[asyncio.Task[None]] = []
        try:
            await self.house.rendered.load((*self._opening, *self._stock))
            # The model is first asked after the opening: meanwhile it reads what will not change.
            works = (self._line.run(), self._read(), session.replies.warm(), self._load_stock())
            tasks = [loop.create_task(work) for work in works]
            self._talking = True
            session.begin(CallStarted(self.started.call_sid, self.started.stream_sid), self.since)
            if self._draining:
                session.feed(DrainRequested())
            await session.ended.wait()
            self.over.set()
            record.save(session.conversation.transcript())
            record.note(gaps=session.gaps(), cost=self._cost())
            await session.close()
            await self._end(session.outcome or Outcome.LINE_FAILED)
            await self._keep_tape()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await session.close()
            await record.close()
            self._log()

    # What reaches a live call from elsewhere

    def tick(self, now: float) -> None:
        """About once a second: the line's health and the bill so far."""
        if not self._talking or self._session.ended.is_set():
            return
        logs.trace.set(self.admitted.errand.request.trace)  # whoever ticks does it for all calls
        self._session.check_line()
        if now - self._noted_at > COST_EVERY_S:
            self._noted_at = now
            cost = self._cost()
            self._record.note(cost=cost)
            if Decimal(cost.amount) > most_dollars(self.admitted.person):
                self._session.feed(HangUpRequested(Outcome.COST_LIMIT))
            elif self._session.age_s > HOP_S:
                self._session.feed(DrainRequested())
            self._tell_turns(settled=-1)  # the newest may still grow

    def deliver(self, command: InboxCommand) -> bool:
        """Carry out a command from this relay's inbox; False when the talk has not begun yet."""
        if not self._talking:
            return False
        logs.trace.set(self.admitted.errand.request.trace)
        if command.kind == "hang_up":
            self._session.feed(HangUpRequested())
        elif command.question and command.answer:
            self._session.feed(PersonAnswered(self._record.question_of(command.question), command.answer))
        return True

    def hang_up(self) -> None:
        """The person wants the call to end, politely."""
        if self._talking:
            self._session.feed(HangUpRequested())

    def drain(self) -> None:
        """The process is going away: finish the sentence and hand the call over."""
        self._draining = True
        if self._talking:
            self._session.feed(DrainRequested())

    def abandon(self) -> None:
        """No more time to finish the sentence."""
        if self._talking:
            self._session.stop(Outcome.HANDED_OVER)

    # Inside

    async def _load_stock(self) -> None:
        for pause_s in STOCK_PAUSES_S:
            await asyncio.sleep(pause_s)
            if await self.house.rendered.load(self._stock):
                return

    async def _read(self) -> None:
        session = self._session
        try:
            while True:
                item = self.stream.receive(await self.connection.recv())
                if type(item) is bytes:
                    session.hear(item)
                elif type(item) is MarkEchoed:
                    session.mark(item.name)
                elif isinstance(item, DigitPressed | StreamStopped):
                    session.feed(item)
                    if isinstance(item, StreamStopped):
                        return
        except ViolationError as violation:
            self._violation = violation
            session.feed(StreamStopped(violation.reason, Outcome.LINE_FAILED))
        except ConnectionClosed as closed:
            session.feed(StreamStopped(f"closed with {closed.rcvd.code if closed.rcvd else 1006}", Outcome.LINE_FAILED))

    async def _end(self, outcome: Outcome) -> None:
        if outcome in (Outcome.HANDED_OVER, Outcome.LINE_FAILED):
            # The carrier goes on with the next instruction, which brings the call to another relay if it still lives.
            await self._record.flush(HAND_OVER_FLUSH_S)
            violation = self._violation or ViolationError(1012, "the call goes on elsewhere")
            await self.connection.close(violation.code, violation.reason)
            return
        hung_up = outcome is Outcome.CALLEE_HUNG_UP
        hang_up = None if hung_up else asyncio.create_task(end_call(self.house.carrier, self.started.call_sid))
        try:
            await self._finish(outcome)
        finally:
            # The stream closes last: the carrier would otherwise ask what to do with a call that is over.
            if hang_up:
                await hang_up
            await self.connection.close()

    async def _finish(self, outcome: Outcome) -> None:
        """Turns first: what the call came to is worked out from them."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + PATIENCE_S
        while True:
            try:
                if await self._record.flush(FLUSH_S):
                    finished = CallFinished(self.key.attempt, outcome.value)
                    await self.house.store.move(self.key.uid, self.key.rid, finished)
                    return
            except (NotFoundError, LostGuardError):
                return  # the request is gone, or others move it so fast that they need no help
            except GoogleAPIError:
                await asyncio.sleep(1.0)
            if self._draining or loop.time() > give_up_at:
                return

    async def _keep_tape(self) -> None:
        """Last of all, and once: a call is complete without it."""
        fields = {
            "v": 1,
            "attempt": self.key.attempt,
            "epoch": self.admitted.epoch,
            "since": self._session.started_at,
            "earlier_s": self._earlier_s,
            "expires_at": self._record.expires_at,
            "tape": await asyncio.to_thread(self._tape.encode),
        }
        path = f"{request_path(self.key.uid, self.key.rid)}/tapes/{self.key.attempt}-{self.admitted.epoch}"
        try:
            await self.house.store.create(path, fields)
        except GoogleAPIError as error:
            logger.warning("a tape was not stored: %s", type(error).__name__)

    def _cost(self) -> Cost:
        session = self._session
        return cost_of(
            line_s=self._earlier_s + session.age_s,
            recognised_s=session.ears.sent_ms / 1000,
            characters=session.mouth.characters,
            usages=session.replies.usages,
            earlier=self.admitted.call.cost.parts,
        )

    def _monitor(self, track: int, sound: bytes) -> None:
        if not self.listeners:
            return
        prefix = bytes((track,))
        for start in range(0, len(sound), FRAME_SAMPLES):
            for listener in self.listeners:
                listener.send(prefix + sound[start : start + FRAME_SAMPLES])

    def _tell_turns(self, settled: int | None = None) -> None:
        """Log each turn of this relay's once, by the number of its document."""
        turns = self._session.conversation.transcript().turns[len(self.admitted.prior_turns) :]
        for line in turn_lines(turns, self._session.gaps())[:settled]:
            if line["turn"] not in self._told:
                self._told.add(line["turn"])
                number = self.admitted.first_seq + line["turn"]
                logger.info("turn ended", extra=self._about | line | {"turn": number})

    def _log(self) -> None:
        self._tell_turns()
        session = self._session
        answered = sorted(gap.frame_ms for gap in session.gaps() if gap.frame_ms is not None)
        transcript, usages = session.conversation.transcript(), session.replies.usages
        about = self._about | {
            "kind": "stream",
            "reason": (session.outcome or Outcome.LINE_FAILED).value,
            "seconds": round(session.age_s, 1),
            "turns": len(transcript.turns),
            "gap_p50_ms": answered[len(answered) // 2] if answered else None,
            "gap_max_ms": answered[-1] if answered else None,
            "thought_ahead": asdict(transcript.speculations),
            "holes": session.playout.starved,
            "ear_rotations": session.ears.rotations,
            "ear_dropped_ms": session.ears.dropped_ms,
            "tokens_in": sum(usage.input for usage in usages),
            "tokens_cached": sum(usage.cached for usage in usages),
            "frames_missing": self.stream.gaps,
        }
        logger.info("stream ended", extra=about)


async def end_call(carrier: Carrier, call_sid: str) -> None:
    """Hang up, as far as the carrier can be reached; it asks again when the stream closes."""
    try:
        await carrier.end_call(call_sid)
    except VendorError:
        logger.error("the carrier did not confirm the hang-up")


def _lasted_s(admitted: Admitted, ago_s: float) -> float:
    """How long the callee had been on the line when this stream began, `ago_s` ago: nothing but for a resumed call."""
    if admitted.epoch == 1 or admitted.call.answered_at is None:
        return 0.0
    by_the_clock = (datetime.now(UTC) - admitted.call.answered_at).total_seconds() - ago_s
    # Two machines' clocks: what was said here comes after what was said there all the same.
    return max(by_the_clock, *(turn.end_ms / 1000 for turn in admitted.prior_turns), 0.0)
