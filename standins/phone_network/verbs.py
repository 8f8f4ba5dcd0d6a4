"""TwiML carried out on a call, verb by verb."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from standins.audio import SAMPLE_RATE
from standins.phone_network import twiml
from standins.phone_network.call import Call, new_sid
from standins.phone_network.forms import Instructions, TwilioError
from standins.phone_network.handset import Handset
from standins.phone_network.person import FRAME_S
from standins.phone_network.stream import MediaStream
from standins.phone_network.voices import sound_of

if TYPE_CHECKING:
    from standins.phone_network.exchange import Exchange

NETWORK_VOICE = "rms"
"""Of `<Say>`."""

PLAY_WAIT_S = 0.5
"""A `w` among the digits of `<Play>`, and the time that one key takes here."""

SPEECH_END_S = 1.0
"""Quiet that ends what is said to a `<Gather>`."""

GATHER_STEP_S = 0.1


class Performer:
    """Fetches documents and does what they say; what goes wrong is a violation of the call."""

    def __init__(self, call: Call, network: "Exchange") -> None:
        self.call = call
        self._network = network

    async def carry_out(self, handset: Handset, instructions: Instructions) -> None:
        """To the end of the document, and of those it leads to."""
        verbs = self.parsed(await self.text(instructions))
        while verbs:
            verb, *verbs = verbs
            self.call.note("verb", verb=verb.name)
            match verb.name:
                case "Connect":
                    if not await self._connect(handset, verb) and self._network.faults.abnormal_drop == "end":
                        return
                    if action := verb.attributes.get("action"):
                        verbs = self.parsed(await self._fetched(action, verb.method))
                case "Gather":
                    if found := await self._gather(handset, verb):
                        verbs = self.parsed(await self._fetched(verb.attributes["action"], verb.method, **found))
                case "Redirect":
                    verbs = self.parsed(await self._fetched(verb.text, verb.method))
                case "Say" | "Pause" | "Play":
                    await self._perform(handset, verb)
                case "Hangup" | "Reject":
                    return
                case other:
                    self.call.violation(12200, f"<{other}> is no voice verb")

    async def _in_order(self, handset: Handset, verbs: Iterable[twiml.Verb]) -> None:
        for verb in verbs:
            await self._perform(handset, verb)

    async def _perform(self, handset: Handset, verb: twiml.Verb) -> None:
        """A verb of sound, to its end; cut short, no more of it is heard."""
        if verb.name == "Say":
            sound = await asyncio.to_thread(sound_of, verb.text, NETWORK_VOICE)
            handset.playout.media(sound, asyncio.get_running_loop().time())
            try:
                await asyncio.sleep(len(sound) / SAMPLE_RATE)
            except asyncio.CancelledError:
                handset.playout.clear()
                raise
        elif verb.name == "Pause":
            await asyncio.sleep(int(verb.attributes.get("length", "1")))
        else:
            for digit in verb.attributes["digits"]:
                self.call.note("key played", digit=digit)
                await asyncio.sleep(PLAY_WAIT_S * (2 if digit == "W" else 1))

    async def _gather(self, handset: Handset, verb: twiml.Verb) -> dict[str, str]:
        """What the callee keys or says while this is read out or soon after; nothing: on to the next verb."""
        options, loop, handset.keys = verb.attributes, asyncio.get_running_loop(), asyncio.Queue()
        timeout_s, most = float(options.get("timeout", "5")), int(options.get("numDigits", "1000"))
        by_voice, end = "speech" in options.get("input", "dtmf"), options.get("finishOnKey", "#")
        silence = options.get("speechTimeout", "auto")
        silence_s = SPEECH_END_S if silence == "auto" else float(silence)
        reading = self._network.spawn(self._in_order(handset, verb.nested))
        began = waiting_since = loop.time()
        digits = key = ""
        spoken_at, spoken = 0.0, False
        try:
            while (
                len(digits) < most
                and (not key or key != end)
                and loop.time() - (spoken_at if spoken else waiting_since) < (silence_s if spoken else timeout_s)
            ):
                key = await _key(handset.keys)
                spoken_at = handset.stopwatch.callee_loud_at or 0.0
                spoken = by_voice and spoken_at > began and not digits
                if key or spoken:
                    reading.cancel()
                if key or not reading.done():
                    waiting_since = loop.time()
                digits += key if key != end else ""
        finally:
            reading.cancel()
        if spoken:
            first = round((began - handset.answered_at) / FRAME_S)
            words = await self._network.hearing.words(b"".join(handset.said[first:]))
            return {"SpeechResult": " ".join(word.text for word in words), "Confidence": "0.9"} if words else {}
        wanted = digits or key or options.get("actionOnEmptyResult") == "true"
        return {"Digits": digits, **({"FinishedOnKey": key} if key and key == end else {})} if wanted else {}

    async def text(self, instructions: Instructions) -> str:
        """The TwiML itself."""
        return instructions.twiml or await self._fetched(instructions.url, instructions.method)

    async def _fetched(self, url: str, method: str, **more: str) -> str:
        """The TwiML at an address; with an error noted, none, which ends the call as it does at Twilio."""
        try:
            answer = await self._network.webhooks.send(url, self.call.webhook_params(**more), method)
            if answer.content_type not in {"text/xml", "application/xml", "text/html"}:
                raise TwilioError(12300, f"{url} answered {answer.content_type}, not XML")
            return answer.text
        except TwilioError as error:
            self.call.violation(error.code, str(error))
            return "<Response/>"

    def parsed(self, text: str) -> list[twiml.Verb]:
        """The verbs; of a document that makes no sense, none."""
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
                self._network.spawn(self.tell(stream.status_callback, params, stream.status_callback_method))

        sids = (self.call.account_sid, self.call.sid, sid)
        handset.stream = MediaStream(sids, handset.playout, self._network.faults, self.call.note, tell)
        try:
            return await handset.stream.run(stream, self._network.webhooks.sign(stream.url, {}))
        finally:
            handset.stream = None
            handset.playout.clear()

    async def tell(self, url: str, params: dict[str, str], method: str) -> None:
        """A webhook whose answer does not matter."""
        try:
            await self._network.webhooks.send(url, params, method)
        except TwilioError as error:
            self.call.violation(error.code, str(error))


async def _key(keys: asyncio.Queue[str]) -> str:
    """The next key, or none after a moment."""
    try:
        return await asyncio.wait_for(keys.get(), GATHER_STEP_S)
    except TimeoutError:
        return ""
