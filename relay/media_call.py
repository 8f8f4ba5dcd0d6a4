"""One call on its media stream: from the admitted start to the last document."""

from __future__ import annotations

import asyncio
import logging
from collections import ChainMap
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from google.api_core.exceptions import GoogleAPIError
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from floyd import lines, logs
from floyd.carrier import Carrier
from floyd.documents import Cost
from floyd.errors import LostGuardError, NotFoundError, VendorError
from floyd.lifecycle.events import CallFinished
from floyd.prices import DOLLARS_PER_MINUTE
from floyd.store import InboxCommand, Store, request_path
from relay.admission import Admitted
from relay.briefing import brief_for, first_seq, local_time, prior_turns
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
from relay.gaps import turn_lines
from relay.line import Line
from relay.media_stream import Digit, MarkEchoed, MediaStream, Outbound, Started, Stopped, ViolationError
from relay.prices import cost_of
from relay.prompt import prompt_for
from relay.rendered import RenderedLines
from relay.session import Session, Tools
from relay.tape import Tape
from relay.turns import CallRecord, Reachable

logger = logging.getLogger(__name__)

QUEUED_MESSAGES = 25
"""Two seconds of sound at 80 ms a message."""
FLUSH_S = 5.0
HAND_OVER_FLUSH_S = 1.5
"""The process has little time left, and the other relay reads these turns."""
PATIENCE_S = 600.0
"""How long a finished call waits for a store that is away, before the sweeper has to work out what became of it."""
COST_EVERY_S = 15.0
STOCK_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Stock lines are looked for again after each: they are being prepared while the phone rings."""
HOP_S = 3000.0
"""Cloud Run ends every websocket after 60 minutes: before that the call moves to a fresh one."""
MOST_CENTS = int(100 * DOLLARS_PER_MINUTE * 60)
"""What dialling set aside for the call; a person's `limits` may say otherwise, as `call_cents`."""


@dataclass(frozen=True, slots=True)
class House:
    """What every call of a process needs."""

    store: Store
    carrier: Carrier
    tools: Tools
    rendered: RenderedLines
    from_number: str
    policy: Policy = field(default_factory=Policy)


class MediaCall:
    """A live call. `run` returns when everything about it is done."""

    def __init__(
        self,
        house: House,
        admitted: Admitted,
        *,
        connection: ServerConnection,
        stream: MediaStream,
        started: Started,
        since: float,
    ) -> None:
        """`since`: when `started` came, on the loop's clock; the callee's sound counts from there."""
        self._house = house
        self._admitted = admitted
        self._connection = connection
        self._stream = stream
        self._started = started
        self._since = since
        self.key = admitted.key
        self.listeners: set[Line] = set()
        self.over = asyncio.Event()
        self._draining = False
        self._violation: ViolationError | None = None
        self._noted_at = 0.0
        self._told: set[int] = set()
        self._expires_at = datetime.now(UTC) + timedelta(days=admitted.person.retention_days)
        call = self.key
        self._about = {"uid": call.uid, "rid": call.rid, "attempt": call.attempt, "epoch": admitted.epoch}
        self._session: Session | None = None
        self._record: CallRecord | None = None
        self._earlier_s = _lasted_s(admitted, asyncio.get_running_loop().time() - since)

    async def run(self) -> None:
        """Talk until the conversation ends, then write down what it came to and let go of the line."""
        brief = brief_for(self._admitted)
        rendered = self._house.rendered.of_a_call()
        await self._house.rendered.load((*brief.opening, *lines.stock(brief.on_behalf_of)), rendered)
        line = Line(self._connection, limit=QUEUED_MESSAGES)
        outbound = Outbound(self._started.stream_sid)
        line.on_overflow = outbound.clear
        call = self._admitted.errand.call
        assert call is not None
        person = self._admitted.person
        record = CallRecord(
            self.key,
            self._house.store,
            self._house.carrier,
            epoch=self._admitted.epoch,
            callee_number=call.to,
            person=Reachable(person.number, self._house.from_number),
            first_seq=first_seq(self._admitted),
            known=prior_turns(self._admitted),
            gaps=call.gaps,
            began_ms=round(1000 * self._earlier_s),
            expires_at=self._expires_at,
        )
        tape = Tape(brief, self._house.policy)
        session = Session(
            Conversation(brief, tape.policy),
            self._house.tools,
            record,
            outbound=outbound,
            send=line.send,
            prompt=prompt_for(
                brief,
                call_key="/".join((self.key.uid, self.key.rid, str(self.key.attempt))),
                person_key=self.key.uid,
                now=local_time(person.time_zone),
            ),
            rendered=rendered,
            language=self._admitted.errand.request.language,
            monitor=self._monitor,
            tape=tape.add,
        )
        self._session, self._record = session, record
        loop = asyncio.get_running_loop()
        # The model is first asked after the opening; its connection is set up meanwhile.
        stock_lines = self._load_stock(lines.stock(brief.on_behalf_of), rendered)
        works = (line.run(), self._read(session), self._house.tools.mind.warm(), stock_lines)
        tasks = [loop.create_task(work) for work in works]
        try:
            session.begin(CallStarted(self._started.call_sid, self._started.stream_sid), self._since)
            if self._draining:
                session.feed(DrainRequested())
            await session.ended.wait()
            self.over.set()
            record.save(session.transcript())
            record.note(gaps=session.gaps(), cost=self._cost())
            await session.close()
            await self._end(session.outcome or Outcome.LINE_FAILED, record)
            await self._keep(tape, session)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await session.close()
            await record.close()
            self._log(session)

    # What reaches a live call from elsewhere

    def tick(self, now: float) -> None:
        """About once a second: the line's health and the bill so far."""
        if self._session is None or self._record is None or self._session.ended.is_set():
            return
        logs.trace.set(self._admitted.errand.request.trace)  # whoever ticks does it for all calls
        self._session.check_line()
        if now - self._noted_at > COST_EVERY_S:
            self._noted_at = now
            cost = self._cost()
            self._record.note(cost=cost)
            if 100 * Decimal(cost.amount) > self._admitted.person.limits.get("call_cents", MOST_CENTS):
                self._session.feed(HangUpRequested(Outcome.COST_LIMIT))
            elif self._session.age_s > HOP_S:
                self._session.feed(DrainRequested())
            self._tell_turns(self._session, settled=-1)  # the newest may still grow

    def deliver(self, command: InboxCommand) -> bool:
        """Carry out a command from this relay's inbox; False when the talk has not begun yet."""
        if self._session is None or self._record is None:
            return False
        logs.trace.set(self._admitted.errand.request.trace)
        if command.kind == "hang_up":
            self._session.feed(HangUpRequested())
        elif command.question and command.answer:
            self._session.feed(PersonAnswered(self._record.question_of(command.question), command.answer))
        return True

    def hang_up(self) -> None:
        """The person wants the call to end, politely."""
        if self._session:
            self._session.feed(HangUpRequested())

    def drain(self) -> None:
        """The process is going away: finish the sentence and hand the call over."""
        self._draining = True
        if self._session:
            self._session.feed(DrainRequested())

    def abandon(self) -> None:
        """No more time to finish the sentence."""
        if self._session:
            self._session.stop(Outcome.HANDED_OVER)

    # Inside

    async def _load_stock(self, texts: tuple[str, ...], rendered: ChainMap[str, bytes]) -> None:
        for pause_s in STOCK_PAUSES_S:
            await asyncio.sleep(pause_s)
            if await self._house.rendered.load(texts, rendered):
                return

    async def _read(self, session: Session) -> None:
        try:
            while True:
                item = self._stream.receive(await self._connection.recv())
                if type(item) is bytes:
                    session.hear(item)
                elif type(item) is MarkEchoed:
                    session.mark(item.name)
                elif type(item) is Digit:
                    session.feed(DigitPressed(item.digit))
                elif type(item) is Stopped:
                    session.feed(StreamStopped("stop", Outcome.CALLEE_HUNG_UP))
                    return
        except ViolationError as violation:
            self._violation = violation
            session.feed(StreamStopped(violation.reason, Outcome.LINE_FAILED))
        except ConnectionClosed as closed:
            session.feed(StreamStopped(f"closed with {closed.rcvd.code if closed.rcvd else 1006}", Outcome.LINE_FAILED))

    async def _end(self, outcome: Outcome, record: CallRecord) -> None:
        if outcome in (Outcome.HANDED_OVER, Outcome.LINE_FAILED):
            # The carrier goes on with the next instruction, which brings the call to another relay if it still lives.
            await record.flush(HAND_OVER_FLUSH_S)
            violation = self._violation or ViolationError(1012, "the call goes on elsewhere")
            await self._connection.close(violation.code, violation.reason)
            return
        hang_up = asyncio.create_task(self._hang_up(outcome))
        try:
            await self._finish(outcome, record)
        finally:
            # The stream closes last: the carrier would otherwise ask what to do with a call that is over.
            await hang_up
            await self._connection.close()

    async def _hang_up(self, outcome: Outcome) -> None:
        if outcome is Outcome.CALLEE_HUNG_UP:
            return
        try:
            await self._house.carrier.end_call(self._started.call_sid)
        except VendorError:
            logger.error("the carrier did not confirm the hang-up")

    async def _finish(self, outcome: Outcome, record: CallRecord) -> None:
        """Turns first: what the call came to is worked out from them."""
        give_up_at = asyncio.get_running_loop().time() + PATIENCE_S
        while not await record.flush(FLUSH_S):
            if self._draining or asyncio.get_running_loop().time() > give_up_at:
                return
        while True:
            try:
                await self._house.store.move(self.key.uid, self.key.rid, CallFinished(self.key.attempt, outcome.value))
                return
            except (NotFoundError, LostGuardError):
                return  # the request is gone, or others move it so fast that they need no help
            except GoogleAPIError:
                if self._draining or asyncio.get_running_loop().time() > give_up_at:
                    return
                await asyncio.sleep(1.0)

    async def _keep(self, tape: Tape, session: Session) -> None:
        """Store the call's tape. Last of all, and once: a call is complete without it."""
        fields = {
            "attempt": self.key.attempt,
            "epoch": self._admitted.epoch,
            "since": session.started_at,
            "earlier_s": self._earlier_s,
            "expires_at": self._expires_at,
            "tape": await asyncio.to_thread(tape.encode),
        }
        name = f"tapes/{self.key.attempt}-{self._admitted.epoch}"
        try:
            await self._house.store.create(f"{request_path(self.key.uid, self.key.rid)}/{name}", {"v": 1, **fields})
        except GoogleAPIError as error:
            logger.warning("a tape was not stored: %s", type(error).__name__)

    def _cost(self) -> Cost:
        session = self._session
        assert session is not None
        call = self._admitted.errand.call
        assert call is not None
        return cost_of(
            line_s=self._earlier_s + session.age_s,
            recognised_s=session.ears_usage.sent_s,
            characters=session.characters,
            usages=session.usages,
            earlier=call.cost,
        )

    def _monitor(self, track: int, sound: bytes) -> None:
        if not self.listeners:
            return
        prefix = bytes((track,))
        for start in range(0, len(sound), 160):
            for listener in self.listeners:
                listener.send(prefix + sound[start : start + 160])

    def _tell_turns(self, session: Session, settled: int | None = None) -> None:
        """Log each turn of this relay's once, by the number of its document."""
        turns = session.transcript().turns[len(prior_turns(self._admitted)) :]
        for line in turn_lines(turns, session.gaps())[:settled]:
            if line["turn"] not in self._told:
                self._told.add(line["turn"])
                number = first_seq(self._admitted) + line["turn"]
                logger.info("turn ended", extra=self._about | line | {"turn": number})

    def _log(self, session: Session) -> None:
        self._tell_turns(session)
        answered = sorted(gap.frame_ms for gap in session.gaps() if gap.frame_ms is not None)
        ears = session.ears_usage
        about = self._about | {
            "kind": "stream",
            "reason": (session.outcome or Outcome.LINE_FAILED).value,
            "seconds": round(session.age_s, 1),
            "turns": len(session.transcript().turns),
            "gap_p50_ms": answered[len(answered) // 2] if answered else None,
            "gap_max_ms": answered[-1] if answered else None,
            "thought_ahead": asdict(session.transcript().speculations),
            "holes": session.starved,
            "ear_rotations": ears.rotations,
            "ear_dropped_ms": ears.dropped_ms,
            "tokens_in": sum(usage.input for usage in session.usages),
            "tokens_cached": sum(usage.cached for usage in session.usages),
            "frames_missing": self._stream.gaps,
        }
        logger.info("stream ended", extra=about)


def _lasted_s(admitted: Admitted, ago_s: float) -> float:
    """How long the callee had been on the line when this stream began, `ago_s` ago: nothing but for a resumed call."""
    call = admitted.errand.call
    assert call is not None
    if admitted.epoch == 1 or call.answered_at is None:
        return 0.0
    by_the_clock = (datetime.now(UTC) - call.answered_at).total_seconds() - ago_s
    # Two machines' clocks: what was said here comes after what was said there all the same.
    return max(by_the_clock, *(turn.end_ms / 1000 for turn in prior_turns(admitted)), 0.0)
