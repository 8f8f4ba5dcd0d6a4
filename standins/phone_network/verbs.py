"""TwiML carried out on a call, verb by verb."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from standins.audio import SAMPLE_RATE
from standins.phone_network import twiml
from standins.phone_network.forms import Instructions, TwilioError
from standins.phone_network.handset import Handset
from standins.phone_network.sounds import sound_of
from standins.phone_network.stream import MediaStream

if TYPE_CHECKING:
    from standins.phone_network.call import Call

NETWORK_VOICE = "rms"  # of `<Say>`
PLAY_WAIT_S = 0.5  # a `w` among the digits of `<Play>`, and the time that one key takes here
SPEECH_END_S = 1.0  # quiet that ends what is said to a `<Gather>`
GATHER_STEP_S = 0.1

XML = frozenset({"text/xml", "application/xml", "text/html"})


class Performer:
    """Fetches documents and does what they say; what goes wrong is a violation of the call."""

    def __init__(self, call: "Call") -> None:
        self._call, self._network = call, call.network

    async def document(self, instructions: Instructions) -> list[twiml.Verb]:
        """The verbs; of a document that makes no sense, none, which ends the call as it does at Twilio."""
        if instructions.twiml:
            return self._parsed(instructions.twiml)
        return await self._fetched(instructions.url, instructions.method)

    async def _fetched(self, url: str, method: str, **more: str) -> list[twiml.Verb]:
        params = self._call.webhook_params(**more)
        answer = await self._network.webhooks.send(url, params, self._call.violation, method)
        if answer and answer.content_type not in XML:
            self._call.violation(12300, f"{url} answered {answer.content_type}, not XML")
            return []
        return self._parsed(answer.text) if answer else []

    def _parsed(self, text: str) -> list[twiml.Verb]:
        try:
            return twiml.parse(text)
        except TwilioError as error:
            self._call.violation(error.code, str(error))
            return []

    async def carry_out(self, handset: Handset, given: Instructions, verbs: list[twiml.Verb] | None) -> None:
        """To the end of the document, and of those it leads to; fetched before if its verbs are known."""
        verbs = verbs or await self.document(given)
        while verbs:
            verb, *verbs = verbs
            self._call.note("verb", verb=verb.name)
            match verb.name:
                case "Connect":
                    if not await self._connect(handset, verb.nested[0]) and self._network.faults.abnormal_drop == "end":
                        return
                    if action := verb.attributes.get("action"):
                        verbs = await self._fetched(action, verb.method)
                case "Gather":
                    if found := await self._gather(handset, verb):
                        verbs = await self._fetched(verb.attributes["action"], verb.method, **found)
                case "Redirect":
                    verbs = await self._fetched(verb.text, verb.method)
                case "Say" | "Pause" | "Play":
                    await self._perform(handset, [verb])
                case "Hangup" | "Reject":
                    return
                case other:
                    self._call.violation(12200, f"<{other}> is no voice verb")

    async def _perform(self, handset: Handset, verbs: Iterable[twiml.Verb]) -> None:
        """Verbs of sound, each to its end; cut short, no more of them is heard."""
        for verb in verbs:
            if verb.name == "Say":
                sound = await asyncio.to_thread(sound_of, verb.text, NETWORK_VOICE)
                handset.playout.media(sound, asyncio.get_running_loop().time())
                try:
                    await asyncio.sleep(len(sound) / SAMPLE_RATE)
                except asyncio.CancelledError:
                    handset.playout.clear()
                    raise
            for digit in verb.attributes.get("digits", ""):
                self._call.note("key played", digit=digit)
                await asyncio.sleep(PLAY_WAIT_S * (2 if digit == "W" else 1))
            if verb.name == "Pause":
                await asyncio.sleep(int(verb.attributes.get("length", "1")))

    async def _gather(self, handset: Handset, verb: twiml.Verb) -> dict[str, str]:
        """What the callee keys or says while this is read out or soon after; nothing: on to the next verb."""
        options, loop = verb.attributes, asyncio.get_running_loop()
        timeout_s, most = float(options.get("timeout", "5")), int(options.get("numDigits", "1000"))
        by_voice, end = "speech" in options.get("input", "dtmf"), options.get("finishOnKey", "#")
        silence = options.get("speechTimeout", "auto")
        silence_s = SPEECH_END_S if silence == "auto" else float(silence)
        reading = self._network.spawn(self._perform(handset, verb.nested))
        began = waiting_since = loop.time()
        first, handset.keys, digits, ended = len(handset.said), "", "", ""
        spoken = False
        try:
            while not ended and len(digits) < most:
                quiet_since = handset.stopwatch.callee_loud_at if spoken else waiting_since
                if loop.time() - quiet_since >= (silence_s if spoken else timeout_s):
                    break
                await asyncio.sleep(GATHER_STEP_S)
                before, (digits, ended, _) = digits, handset.keys.partition(end or "no such key")
                spoken = by_voice and handset.stopwatch.callee_loud_at > began and not digits
                if handset.keys or spoken:
                    reading.cancel()
                if digits != before or not reading.done():
                    waiting_since = loop.time()
        finally:
            reading.cancel()
        if spoken:
            words = await self._network.hearing.words(bytes(handset.said[first:]))
            return {"SpeechResult": " ".join(word.text for word in words), "Confidence": "0.9"} if words else {}
        if len(digits) >= most:
            digits, ended = digits[:most], ""
        wanted = digits or ended or options.get("actionOnEmptyResult") == "true"
        return {"Digits": digits, **({"FinishedOnKey": ended} if ended else {})} if wanted else {}

    async def _connect(self, handset: Handset, stream: twiml.Verb) -> bool:
        """False when the stream died without a close frame."""
        handset.stream = MediaStream(stream, self._call, handset.playout)
        try:
            return await handset.stream.run()
        finally:
            handset.stream = None
            handset.playout.clear()
