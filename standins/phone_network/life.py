"""A call from queue to end: ringing, answering, and every way in which it can stop."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from standins.listener import Mode
from standins.phone_network.call import FINAL, Call, rfc2822
from standins.phone_network.forms import Instructions
from standins.phone_network.handset import Handset
from standins.phone_network.person import Person, Phone
from standins.phone_network.script import Script
from standins.phone_network.verbs import Performer

if TYPE_CHECKING:
    from standins.phone_network.exchange import Exchange

SIP_CODES = {"completed": 200, "busy": 486, "no-answer": 487, "canceled": 487, "failed": 404}

log = logging.getLogger(__name__)


class Subscriber:
    """Whoever has a number: a persona, or a person at a keyboard."""

    def __init__(self, script: Script) -> None:
        """script: how and when the phone is picked up."""
        self.script = script

    async def prepare(self) -> None:
        """Have every line ready as sound; called while it rings."""

    def rung(self, call: Call) -> None:
        """The phone rings."""

    def answer(self, call: Call, phone: Phone, now: float) -> Person:
        """The person who picked up this phone."""
        raise NotImplementedError

    def ended(self, call: Call) -> None:
        """The call is over."""


class Life:
    """Carries one call out; the only writer of its status."""

    def __init__(self, call: Call, network: "Exchange") -> None:
        self.call = call
        self._network = network
        self._performer = Performer(call, network)
        self._over: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
        self._document: asyncio.Future[None] | None = None
        """The TwiML that is being carried out."""
        self._replacement: Instructions | None = None
        self._telling = asyncio.Lock()
        """Status callbacks go out one after the other."""
        self._held: list[dict[str, str]] = []

    def end(self, status: str, by: str) -> None:
        """Stop whatever is under way; the first reason counts."""
        if not self._over.done():
            self._over.set_result((status, by))

    def redirect(self, instructions: Instructions) -> None:
        """Stop the verb under way and carry out these instead."""
        self._replacement = instructions
        if self._document is not None:
            self._document.cancel()

    async def run(self) -> None:
        """From `queued` to a final status; raises nothing but cancellation."""
        call = self.call
        person = self._network.subscriber(call)
        try:
            await (self._incoming(person) if call.direction == "inbound" else self._dial(person))
            status, by = self._over.result() if self._over.done() else ("completed", "end of TwiML")
        except Exception as error:
            log.exception("call %s broke", call.sid)
            call.note("broke", error=repr(error))
            status, by = "failed", "the stand-in itself"
        call.ended, call.ended_by = datetime.now(UTC), by
        call.note("ended", by=by)
        self._status(status)
        if person is not None:
            person.ended(call)

    async def _dial(self, person: Subscriber | None) -> None:
        """The account rings somebody."""
        queued = time.monotonic()
        if not await self._unless_over(self._network.turn_to_dial()):
            return
        self.call.queued_ms = round((time.monotonic() - queued) * 1000)
        self.call.started = datetime.now(UTC)
        self._status("initiated")
        if person is None or person.script.outcome == "failed":
            self.end("failed", "nobody has this number")
            return
        self._ring()
        script, limit = person.script, self.call.order.ring_s
        rings = script.answer_after_s if script.outcome != "no-answer" else float("inf")
        preparing = asyncio.ensure_future(person.prepare())
        if not await self._unless_over(asyncio.sleep(min(rings, limit))) or not await self._unless_over(preparing):
            return
        if rings > limit:
            self.end("no-answer", "nobody picked up")
        elif script.outcome == "busy":
            self.end("busy", "the line was busy")
        else:
            await self._answered(person, self.call.order)

    async def _incoming(self, person: Subscriber | None) -> None:
        """A stranger rings one of the account's numbers: ask the number's voice URL what to do."""
        self.call.started = datetime.now(UTC)
        self._ring()
        text = await self._performer.text(self.call.order)
        verbs = self._performer.parsed(text)
        if person is None or not verbs:
            self.end("failed", "no instructions for an incoming call")
        elif verbs[0].name == "Reject":
            self.end("busy" if verbs[0].attributes.get("reason") == "busy" else "no-answer", "rejected")
        else:
            await person.prepare()
            await self._answered(person, Instructions.model_construct(twiml=text))

    def _ring(self) -> None:
        self._status("ringing")
        self._network.rang(self.call)

    async def _answered(self, person: Subscriber, instructions: Instructions) -> None:
        call, loop = self.call, asyncio.get_running_loop()
        call.answered, now = datetime.now(UTC), loop.time()
        handset = call.handset = Handset(now, person.script, lambda: self.end("completed", "callee"), call.note)
        handset.person = person.answer(call, handset, now)
        self._network.pace.join(handset)
        if handset.person.listens:
            call.listening = self._network.spawn(
                self._listen(handset, "tones" if person.script.voice == "tones" else "general")
            )
        limit = loop.call_later(call.order.time_limit_s, self.end, "completed", "time limit")
        self._status("in-progress")
        try:
            await self._converse(handset, instructions)
        finally:
            limit.cancel()
            self._network.pace.leave(handset)
            handset.ear.put_nowait((b"", float("inf")))

    async def _converse(self, handset: Handset, instructions: Instructions) -> None:
        """The document, and the documents that replace it by REST, until one ends by itself or the call is over."""
        while not self._over.done():
            self._replacement = None
            document = self._document = asyncio.ensure_future(self._performer.carry_out(handset, instructions))
            try:
                await _first(document, self._over)
            finally:
                document.cancel()
                await asyncio.wait({document})
            if not document.cancelled():
                document.result()
            if self._replacement is None:
                return
            self.call.note("redirected by REST")
            instructions = self._replacement

    async def _listen(self, handset: Handset, mode: Mode) -> None:
        """Make out words for the person as they come, until the call is over and all is made out."""
        settled = until = handset.answered_at
        while until < float("inf"):
            pieces = [await handset.ear.get(), *(handset.ear.get_nowait() for _ in range(handset.ear.qsize()))]
            sound, until = b"".join(piece for piece, _ in pieces), pieces[-1][1]
            words, more = await self._network.hearing.follow(self.call.sid, sound, mode, until == float("inf"))
            settled = settled if more else until
            handset.words += words
            if words:
                self.call.note("callee understood", words=" ".join(word.text for word in words))
            handset.person.understood([word.text for word in words], settled)

    async def _unless_over(self, work: Awaitable[None]) -> bool:
        """Do this, unless the call ends first; whether it was done."""
        doing = asyncio.ensure_future(work)
        try:
            await _first(doing, self._over)
            if not self._over.done():
                await doing
            return not self._over.done()
        finally:
            doing.cancel()

    def _status(self, status: str) -> None:
        call = self.call
        call.status, call.updated = status, datetime.now(UTC)
        call.note("status", status=status)
        event = "answered" if status == "in-progress" else "completed" if status in FINAL else status
        if event not in call.order.status_callback_events or not call.order.status_callback:
            return
        params = call.webhook_params(
            Timestamp=rfc2822(call.updated) or "",
            CallbackSource="call-progress-events",
            SequenceNumber=str(call.callbacks),
        )
        if status in FINAL:
            params |= {"CallDuration": str(call.duration_s), "Duration": str(-(-call.duration_s // 60))}
            params["SipResponseCode"] = str(SIP_CODES[status])
        call.callbacks += 1
        self._held.insert(0, params)
        if not self._network.faults.reorder_callbacks or len(self._held) == 2 or call.over:
            self._network.spawn(self._tell_status(self._held))
            self._held = []

    async def _tell_status(self, callbacks: list[dict[str, str]]) -> None:
        faults, order = self._network.faults, self.call.order
        async with self._telling:
            for params in callbacks:
                if faults.suppresses(params["CallStatus"]):
                    continue
                await asyncio.sleep(faults.delay_callbacks_s)
                for _ in range(1 + faults.duplicate_callbacks):
                    await self._performer.tell(order.status_callback, params, order.status_callback_method)


async def _first(*futures: asyncio.Future[Any]) -> None:
    """Wait for whichever is first."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
