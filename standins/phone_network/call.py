"""One call from queue to end: what was asked for, what Twilio would answer about it, and what really happened."""

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from standins.listener import Mode
from standins.phone_network.forms import API_VERSION, Instructions, Order, new_sid, rfc2822
from standins.phone_network.handset import Handset
from standins.phone_network.sounds import prepare
from standins.phone_network.subscribers import Subscriber
from standins.phone_network.twiml import Verb
from standins.phone_network.verbs import Performer

if TYPE_CHECKING:
    from standins.phone_network.exchange import Exchange

FINAL = {"completed": 200, "busy": 486, "no-answer": 487, "canceled": 487, "failed": 404}
"""The statuses that end a call, and what its last SIP answer is then."""

EAR_S = 0.1  # what was heard goes to the recogniser this often
# Fields of the resource that are always null here.
NULL = "price answered_by parent_call_sid phone_number_sid forwarded_from caller_name group_sid trunk_sid annotation"

Ending = tuple[str, str]
"""The final status, and who or what brought it about."""

log = logging.getLogger(__name__)


class Call:
    """Carries itself out, and is kept after its end with all that was heard."""

    def __init__(
        self, order: Order, network: "Exchange", direction: Literal["outbound-api", "inbound"] = "outbound-api"
    ) -> None:
        self.order, self.network, self.direction = order, network, direction
        self.sid, self.account_sid = new_sid("CA"), network.account_sid
        self.status = "queued"
        self.created = self.updated = datetime.now(UTC)
        self.started: datetime | None = None  # when dialling began; queued calls have none
        self.answered: datetime | None = None
        self.ended: datetime | None = None
        self.ended_by = ""
        self.handset: Handset | None = None
        self.listening: asyncio.Future[None] | None = None  # makes out the words; done some time after the end
        self.timeline: list[dict[str, object]] = []
        self.violations: list[dict[str, object]] = []
        self._epoch = time.monotonic()
        self._performer = Performer(self)
        self._ending: Ending | None = None
        self._replacement: Instructions | None = None
        self._telling = asyncio.Lock()  # status callbacks go out one after the other
        self._held: list[dict[str, str]] = []
        self._callbacks = 0
        self._task = network.spawn(self._run())

    @property
    def over(self) -> bool:
        return self.status in FINAL

    @property
    def rest_status(self) -> str:
        """The REST API knows no `initiated`, which only callbacks say."""
        return "queued" if self.status == "initiated" else self.status

    @property
    def duration_s(self) -> int:
        """Whole seconds from answer to end."""
        return int((self.ended - self.answered).total_seconds()) if self.ended and self.answered else 0

    def note(self, what: str, **details: object) -> None:
        """A line of the timeline."""
        self.timeline.append({"at_ms": self.ms(time.monotonic()), "what": what, **details})

    def violation(self, code: int, message: str) -> None:
        """Something the program under test did wrong, under Twilio's error number."""
        self.violations.append({"at_ms": self.ms(time.monotonic()), "code": code, "message": message})
        self.note("violation", code=code, message=message)

    def ms(self, moment: float) -> int:
        """Monotonic seconds to milliseconds since the call was placed."""
        return round((moment - self._epoch) * 1000)

    def resource(self) -> dict[str, Any]:
        base = f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"
        queued_s = (self.started - self.created).total_seconds() if self.started else 0
        ids = {"sid": self.sid, "account_sid": self.account_sid, "api_version": API_VERSION, "uri": f"{base}.json"}
        to, from_ = self.order.to, self.order.from_
        parties = {"to": to, "to_formatted": to, "from": from_, "from_formatted": from_}
        times = {
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "start_time": rfc2822(self.started),
            "end_time": rfc2822(self.ended),
            "duration": str(self.duration_s) if self.ended else None,
            "queue_time": str(round(queued_s * 1000)),
        }
        parts = {part: f"{base}/{part.title()}.json" for part in ("notifications", "recordings", "streams")}
        state = {"status": self.rest_status, "direction": self.direction, "price_unit": "USD"}
        return {**ids, **parties, **state, **times, **dict.fromkeys(NULL.split()), "subresource_uris": parts}

    def webhook_params(self, **more: str) -> dict[str, str]:
        """The form fields that every voice webhook carries."""
        to, from_ = self.order.to, self.order.from_
        parties = {"From": from_, "To": to, "Caller": from_, "Called": to}
        places = {f"{party}{part}": "" for party in parties for part in ("City", "State", "Zip", "Country")}
        ids = {"CallSid": self.sid, "AccountSid": self.account_sid, "ApiVersion": API_VERSION}
        return {**ids, **parties, **places, "CallStatus": self.status, "Direction": self.direction, **more}

    # What may be asked of it from outside

    def end(self, status: str, by: str) -> None:
        """Stop whatever is under way; the first reason counts."""
        if self._ending is None:
            self._ending = status, by
            self._task.cancel()

    def redirect(self, instructions: Instructions) -> None:
        """Stop the verb under way and carry out these instead."""
        self._replacement = instructions
        self._task.cancel()

    # Its life

    async def _run(self) -> None:
        """From `queued` to a final status; raises nothing but cancellation."""
        person = self.network.subscriber(self)
        try:
            ending = await (self._incoming(person) if self.direction == "inbound" else self._dial(person))
        except asyncio.CancelledError:
            if self._ending is None:
                raise
            ending = self._ending
        except Exception as error:
            log.exception("call %s broke", self.sid)
            self.note("broke", error=repr(error))
            ending = "failed", "the stand-in itself"
        status, self.ended_by = self._ending = ending
        self.ended = datetime.now(UTC)
        self.note("ended", by=self.ended_by)
        self._become(status)
        if person is not None:
            person.ended(self)

    async def _dial(self, person: Subscriber | None) -> Ending:
        """The account rings somebody."""
        await self.network.turn_to_dial()
        self.started = datetime.now(UTC)
        self._become("initiated")
        if person is None or person.script.outcome == "failed":
            return "failed", "nobody has this number"
        self._ring()
        script, limit = person.script, self.order.ring_s
        preparing = self.network.spawn(self._prepare(person))
        rings = script.answer_after_s if script.outcome != "no-answer" else float("inf")
        await asyncio.sleep(min(rings, limit))
        if rings > limit:
            return "no-answer", "nobody picked up"
        if script.outcome == "busy":
            return "busy", "the line was busy"
        await preparing
        return await self._answered(person)

    async def _incoming(self, person: Subscriber | None) -> Ending:
        """A stranger rings one of the account's numbers: ask the number's voice URL what to do."""
        self.started = datetime.now(UTC)
        self._ring()
        verbs = await self._performer.document(self.order)
        if person is None or not verbs:
            return "failed", "no instructions for an incoming call"
        if verbs[0].name == "Reject":
            return "busy" if verbs[0].attributes.get("reason") == "busy" else "no-answer", "rejected"
        await self._prepare(person)
        return await self._answered(person, verbs)

    def _ring(self) -> None:
        self._become("ringing")
        self.network.rang(self)

    async def _prepare(self, person: Subscriber) -> None:
        """Render every line; the audible code needs no recogniser of voices."""
        if person.script.listens and person.script.voice != "tones":
            self.network.spawn(self.network.hearing.warm())
        await prepare(person.script.texts(), person.script.voice)

    async def _answered(self, person: Subscriber, verbs: list[Verb] | None = None) -> Ending:
        """From answer to end: these verbs, or the order's, and those that replace them by REST."""
        loop = asyncio.get_running_loop()
        self.answered, now = datetime.now(UTC), loop.time()
        handset = self.handset = Handset(now, person.script, lambda: self.end("completed", "callee"), self.note)
        handset.person = person.answer(self, handset, now)
        self.network.pace.join(handset)
        if handset.person.listens:
            self.listening = self.network.spawn(self._listen(handset, person.script.voice))
        limit = loop.call_later(self.order.time_limit_s, self.end, "completed", "time limit")
        self._become("in-progress")
        instructions: Instructions = self.order
        try:
            while True:
                try:
                    await self._performer.carry_out(handset, instructions, verbs)
                    return "completed", "end of TwiML"
                except asyncio.CancelledError:
                    if self._replacement is None or self._ending is not None:
                        raise
                    self.note("redirected by REST")
                    instructions, verbs, self._replacement = self._replacement, None, None
        finally:
            limit.cancel()
            self.network.pace.leave(handset)

    async def _listen(self, handset: Handset, voice: str) -> None:
        """Make out words for the person as they come, until the call is over and all is made out."""
        mode: Mode = "tones" if voice == "tones" else "general"
        heard, settled, over = 0, handset.answered_at, False
        while not over:
            await asyncio.sleep(EAR_S)
            over, until = self.over, handset.now
            sound = bytes(handset.heard[heard:])
            heard += len(sound)
            words, more = await self.network.hearing.follow(self.sid, sound, mode, over)
            settled = settled if more else until
            handset.words += words
            if words:
                self.note("callee understood", words=" ".join(word.text for word in words))
            handset.person.understood([word.text for word in words], settled)

    def _become(self, status: str) -> None:
        """The only place where the status changes, and is told."""
        self.status, self.updated = status, datetime.now(UTC)
        self.note("status", status=status)
        event = "answered" if status == "in-progress" else "completed" if self.over else status
        if event not in self.order.status_callback_events or not self.order.status_callback:
            return
        params = self.webhook_params(
            Timestamp=rfc2822(self.updated) or "",
            CallbackSource="call-progress-events",
            SequenceNumber=str(self._callbacks),
        )
        if self.over:
            params |= {"CallDuration": str(self.duration_s), "Duration": str(-(-self.duration_s // 60))}
            params["SipResponseCode"] = str(FINAL[status])
        self._callbacks += 1
        self._held.insert(0, params)
        if not self.network.faults.reorder_callbacks or len(self._held) == 2 or self.over:
            self.network.spawn(self._tell(self._held))
            self._held = []

    async def _tell(self, callbacks: list[dict[str, str]]) -> None:
        faults, order = self.network.faults, self.order
        async with self._telling:
            for params in callbacks:
                if faults.suppresses(params["CallStatus"]):
                    continue
                await asyncio.sleep(faults.delay_callbacks_s)
                for _ in range(1 + faults.duplicate_callbacks):
                    await self.network.webhooks.send(
                        order.status_callback, params, self.violation, order.status_callback_method
                    )
