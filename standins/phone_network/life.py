"""A call from queue to end: ringing, answering, the verbs one by one, and every way in which it can stop."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from standins.audio import SAMPLE_RATE
from standins.phone_network import twiml
from standins.phone_network.call import FINAL, Call, new_sid, rfc2822
from standins.phone_network.forms import Instructions, TwilioError
from standins.phone_network.handset import Handset
from standins.phone_network.person import Person, Phone
from standins.phone_network.script import Script
from standins.phone_network.stream import MediaStream
from standins.phone_network.voices import sound_of

if TYPE_CHECKING:
    from standins.phone_network.exchange import Exchange

SIP_CODES = {"completed": 200, "busy": 486, "no-answer": 487, "canceled": 487, "failed": 404}

NETWORK_VOICE = "rms"
"""Of `<Say>`."""

PLAY_WAIT_S = 0.5
"""A `w` among the digits of `<Play>`, and the time that one key takes here."""

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
        text = await self._text(self.call.order)
        verbs = self._parsed(text)
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
        handset = call.handset = Handset(now, lambda: self.end("completed", "callee"), call.note)
        handset.person = person.answer(call, handset, now)
        self._network.pace.join(handset)
        listening = self._network.spawn(self._listen(handset))
        limit = loop.call_later(call.order.time_limit_s, self.end, "completed", "time limit")
        self._status("in-progress")
        try:
            await self._converse(handset, instructions)
        finally:
            limit.cancel()
            listening.cancel()
            self._network.pace.leave(handset)

    async def _converse(self, handset: Handset, instructions: Instructions) -> None:
        """The document, and the documents that replace it by REST, until one ends by itself or the call is over."""
        while not self._over.done():
            self._replacement = None
            document = self._document = asyncio.ensure_future(self._carry_out(handset, instructions))
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

    async def _carry_out(self, handset: Handset, instructions: Instructions) -> None:
        verbs = self._parsed(await self._text(instructions))
        while verbs:
            verb, *verbs = verbs
            self.call.note("verb", verb=verb.name)
            match verb.name:
                case "Connect":
                    if not await self._connect(handset, verb) and self._network.faults.abnormal_drop == "end":
                        return
                    if action := verb.attributes.get("action"):
                        verbs = self._parsed(await self._fetched(action, verb.method))
                case "Redirect":
                    verbs = self._parsed(await self._fetched(verb.text, verb.method))
                case "Say":
                    sound = await asyncio.to_thread(sound_of, verb.text, NETWORK_VOICE)
                    handset.playout.media(sound, asyncio.get_running_loop().time())
                    await asyncio.sleep(len(sound) / SAMPLE_RATE)
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

    async def _text(self, instructions: Instructions) -> str:
        return instructions.twiml or await self._fetched(instructions.url, instructions.method)

    async def _fetched(self, url: str, method: str) -> str:
        """The TwiML at an address; with an error noted, none, which ends the call as it does at Twilio."""
        try:
            answer = await self._network.webhooks.send(url, self.call.webhook_params(), method)
            if answer.content_type not in {"text/xml", "application/xml", "text/html"}:
                raise TwilioError(12300, f"{url} answered {answer.content_type}, not XML")
            return answer.text
        except TwilioError as error:
            self.call.violation(error.code, str(error))
            return "<Response/>"

    def _parsed(self, text: str) -> list[twiml.Verb]:
        try:
            return twiml.parse(text)
        except TwilioError as error:
            self.call.violation(error.code, str(error))
            return []

    async def _connect(self, handset: Handset, verb: twiml.Verb) -> bool:
        """False when the stream died without a close frame."""
        stream, sid = verb.stream, new_sid("MZ")
        assert stream is not None, "a Connect has a stream"
        told: set[int] = set()

        def tell(event: str, code: int = 0, message: str = "") -> None:
            """Every error is kept; of its kind Twilio tells about the first in a stream."""
            if code:
                self.call.violation(code, message)
            if code not in told and stream.status_callback:
                told.update({code} - {0})
                params = {
                    "AccountSid": self.call.account_sid,
                    "CallSid": self.call.sid,
                    "StreamSid": sid,
                    "StreamName": stream.name or sid,
                    "StreamEvent": event,
                    "Timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                    **({"StreamError": f"{code} {message}"} if code else {}),
                }
                self._network.spawn(self._tell(stream.status_callback, params, stream.status_callback_method))

        sids = (self.call.account_sid, self.call.sid, sid)
        handset.stream = MediaStream(sids, handset.playout, self._network.faults, self.call.note, tell)
        try:
            return await handset.stream.run(stream, self._network.webhooks.sign(stream.url, {}))
        finally:
            handset.stream = None
            handset.playout.clear()

    async def _listen(self, handset: Handset) -> None:
        """Make out words for the person, one turn at a time."""
        while True:
            since, turn = await handset.unclear.get()
            words = [word.text for word in await self._network.hearing.words(handset.heard_since(since))]
            self.call.note("callee understood", words=" ".join(words))
            handset.person.understood(turn, words)

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
                    await self._tell(order.status_callback, params, order.status_callback_method)

    async def _tell(self, url: str, params: dict[str, str], method: str) -> None:
        try:
            await self._network.webhooks.send(url, params, method)
        except TwilioError as error:
            self.call.violation(error.code, str(error))


async def _first(*futures: asyncio.Future[Any]) -> None:
    """Wait for whichever is first."""
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
