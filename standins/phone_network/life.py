"""A call from queue to end: ringing, answering, the verbs one by one, and every way in which it can stop."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from standins.phone_network import twiml
from standins.phone_network.call import Call, Instructions, new_sid, rfc2822
from standins.phone_network.handset import Handset
from standins.phone_network.person import Person
from standins.phone_network.script import Script
from standins.phone_network.stream import Ending, MediaStream
from standins.phone_network.webhooks import FINAL, StatusCallbacks, WebhookError

if TYPE_CHECKING:
    from standins.phone_network.exchange import Exchange

SIP_CODES = {"completed": 200, "busy": 486, "no-answer": 487, "canceled": 487, "failed": 404}

PLAY_WAIT_S = 0.5
"""A `w` among the digits of `<Play>`, and the time that one key takes here."""

log = logging.getLogger(__name__)


class Subscriber(Protocol):
    """Whoever has a number: a persona, or a person at a keyboard."""

    @property
    def script(self) -> Script:
        """How and when the phone is picked up."""

    async def prepare(self) -> None:
        """Have every line ready as sound; called while it rings."""

    def answer(self, call: Call, now: float) -> Person:
        """The person who picked up."""

    def ended(self, call: Call) -> None:
        """The call is over."""


class Life:
    """Carries one call out; the only writer of its status."""

    def __init__(self, call: Call, network: "Exchange") -> None:
        self.call = call
        self._network = network
        self._over: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
        self._redirected: asyncio.Future[Instructions] = asyncio.get_running_loop().create_future()
        order = call.order
        self._callbacks = StatusCallbacks(
            network.webhooks, network.faults, order.status_callback, order.status_callback_method
        )

    # From outside

    def end(self, status: str, by: str) -> None:
        """Stop whatever is under way; the first reason counts."""
        if not self._over.done():
            self._over.set_result((status, by))

    def redirect(self, instructions: Instructions) -> None:
        """Stop the verb under way and carry out these instead."""
        if self._redirected.done():
            self._redirected = asyncio.get_running_loop().create_future()
        self._redirected.set_result(instructions)

    # The life

    async def run(self) -> None:
        """From `queued` to a final status; raises nothing but cancellation."""
        if self.call.order.status_callback:
            self._network.spawn(self._callbacks.run())
        person = self._network.subscriber(self.call)
        try:
            if self.call.order.direction == "inbound":
                await self._incoming(person)
            elif await self._dial(person):
                assert person is not None, "a call that nobody takes is not answered"
                await self._answered(person, self.call.order.instructions)
            status, by = self._over.result() if self._over.done() else ("completed", "end of TwiML")
        except Exception as error:
            log.exception("call %s broke", self.call.sid)
            self.call.note("broke", error=repr(error))
            status, by = "failed", "the stand-in itself"
        self._end(status, by)
        if person is not None:
            person.ended(self.call)

    async def _dial(self, person: Subscriber | None) -> bool:
        """Whether somebody picked up."""
        queued = time.monotonic()
        if not await self._unless_over(self._network.turn_to_dial()):
            return False
        self.call.queued_ms = round((time.monotonic() - queued) * 1000)
        self.call.started = datetime.now(UTC)
        self._status("initiated")
        if person is None or person.script.outcome == "failed":
            self.end("failed", "nobody has this number")
            return False
        self._status("ringing")
        self._network.rang(self.call)
        script = person.script
        rings = script.answer_after_s if script.outcome != "no-answer" else float("inf")
        limit = self.call.order.ring_s
        preparing = asyncio.ensure_future(person.prepare())
        if not await self._unless_over(asyncio.sleep(min(rings, limit))) or not await self._unless_over(preparing):
            return False
        if rings > limit:
            self.end("no-answer", "nobody picked up")
        elif script.outcome == "busy":
            self.end("busy", "the line was busy")
        return not self._over.done()

    async def _incoming(self, person: Subscriber | None) -> None:
        """A stranger rings one of the account's numbers: ask the number's voice URL what to do."""
        self.call.started = datetime.now(UTC)
        self._status("ringing")
        self._network.rang(self.call)
        verbs = await self._verbs(self.call.order.instructions)
        if person is None or not verbs:
            self.end("failed", "no instructions for an incoming call")
        elif verbs[0].name == "Reject":
            self.end("busy" if verbs[0].attributes.get("reason") == "busy" else "no-answer", "rejected")
        else:
            await person.prepare()
            await self._answered(person, verbs)

    async def _answered(self, person: Subscriber, instructions: Instructions | list[twiml.Verb]) -> None:
        call, loop = self.call, asyncio.get_running_loop()
        call.answered, now = datetime.now(UTC), loop.time()
        holder = person.answer(call, now)
        handset = call.handset = Handset(holder, now, lambda: self.end("completed", "callee"), call.note)
        self._network.pace.join(handset)
        listening = self._network.spawn(self._listen(handset))
        self._status("in-progress")
        limit = loop.call_later(call.order.time_limit_s, self.end, "completed", "time limit")
        try:
            await self._converse(handset, instructions)
        finally:
            limit.cancel()
            listening.cancel()
            self._network.pace.leave(handset)

    async def _converse(self, handset: Handset, instructions: Instructions | list[twiml.Verb]) -> None:
        """The document, and the documents that replace it by REST, until one ends by itself or the call is over."""
        while not self._over.done():
            self._redirected = asyncio.get_running_loop().create_future()
            document = asyncio.ensure_future(self._carry_out(handset, instructions))
            try:
                await _first(document, self._over, self._redirected)
            finally:
                document.cancel()
                await asyncio.wait({document})
            if not self._redirected.done():
                if not document.cancelled():
                    document.result()
                return
            self.call.note("redirected by REST")
            instructions = self._redirected.result()

    async def _carry_out(self, handset: Handset, instructions: Instructions | list[twiml.Verb]) -> None:
        verbs = instructions if isinstance(instructions, list) else await self._verbs(instructions)
        while verbs:
            verb, *verbs = verbs
            self.call.note("verb", verb=verb.name)
            if verb.stream is not None:
                ending = await self._connect(handset, verb.stream)
                if ending is Ending.DROPPED and self._network.faults.abnormal_drop == "end":
                    return
                if action := verb.attributes.get("action"):
                    verbs = await self._verbs(Instructions(url=action, method=verb.method))
                continue
            match verb.name:
                case "Redirect":
                    verbs = await self._verbs(Instructions(url=verb.text, method=verb.method))
                case "Say":
                    await handset.play(await self._network.speech(verb.text))
                case "Pause":
                    await asyncio.sleep(int(verb.attributes.get("length", "1")))
                case "Play":
                    for digit in verb.attributes["digits"]:
                        self.call.note("key played", digit=digit)
                        await asyncio.sleep(PLAY_WAIT_S * (2 if digit == "W" else 1))
                case "Hangup" | "Reject":
                    return
                case other:
                    self.call.violation(12200, f"<{other}> is no voice verb")

    async def _verbs(self, instructions: Instructions) -> list[twiml.Verb]:
        """Fetch and read TwiML; with an error noted, nothing to do, which ends the call as it does at Twilio."""
        try:
            text = instructions.twiml
            if not text:
                answer = await self._network.webhooks.send(
                    instructions.url, self.call.webhook_params(), instructions.method
                )
                if answer.content_type not in {"text/xml", "application/xml", "text/html"}:
                    raise WebhookError(12300, f"{instructions.url} answered {answer.content_type}, not XML")
                text = answer.text
            return twiml.parse(text)
        except (WebhookError, twiml.TwimlError) as error:
            self.call.violation(error.code, str(error))
            return []

    async def _connect(self, handset: Handset, stream: twiml.Stream) -> Ending:
        sids = (self.call.order.account_sid, self.call.sid, new_sid("MZ"))
        handset.stream = MediaStream(stream, sids, handset.playout, self._network.faults, self)
        try:
            return await handset.stream.run(lambda url: self._network.webhooks.sign(url, {}))
        finally:
            handset.stream = None
            handset.playout.clear()

    async def _listen(self, handset: Handset) -> None:
        """Make out words for the person, one turn at a time."""
        while True:
            wish = await handset.listening.get()
            words = [word.text for word in await self._network.hearing.words(handset.heard_since(wish.since))]
            self.call.note("callee understood", words=" ".join(words))
            handset.person.understood(wish.turn, words, asyncio.get_running_loop().time())

    async def _unless_over(self, work: Awaitable[None]) -> bool:
        """Do this, unless the call ends first; whether it was done."""
        doing = asyncio.ensure_future(work)
        try:
            await _first(doing, self._over)
            if self._over.done():
                return False
            await doing
            return True
        finally:
            doing.cancel()

    # What the world is told

    def stream_event(self, stream: twiml.Stream, stream_sid: str, event: str, error: str = "") -> None:
        """Tell the stream's status callback, beside the call."""
        if not stream.status_callback:
            return
        params = {
            "AccountSid": self.call.order.account_sid,
            "CallSid": self.call.sid,
            "StreamSid": stream_sid,
            "StreamName": stream.name or stream_sid,
            "StreamEvent": event,
            "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        if error:
            params["StreamError"] = error
        self._network.spawn(self._tell(stream.status_callback, params, stream.status_callback_method))

    async def _tell(self, url: str, params: dict[str, str], method: str) -> None:
        try:
            await self._network.webhooks.send(url, params, method)
        except WebhookError as error:
            self.call.violation(error.code, str(error))

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
            seconds = call.duration_s or 0
            params |= {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60))}
            params["SipResponseCode"] = str(call.sip_response_code)
        call.callbacks += 1
        self._callbacks.put(params)

    def _end(self, status: str, by: str) -> None:
        call = self.call
        call.ended, call.ended_by = datetime.now(UTC), by
        call.sip_response_code = SIP_CODES[status]
        call.note("ended", by=by)
        self._status(status)
        self._callbacks.put(None)


async def _first(*futures: asyncio.Future[Any]) -> None:
    """Wait for whichever is first."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
