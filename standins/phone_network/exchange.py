"""The telephone exchange: who has which number, every call, every ring, every text."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable
from datetime import UTC, datetime

import phonenumbers

from standins.phone_network.call import Call, Instructions, Order
from standins.phone_network.callee import Callee
from standins.phone_network.faults import Faults
from standins.phone_network.hearing import Hearing
from standins.phone_network.life import Life, Subscriber
from standins.phone_network.messages import Messages
from standins.phone_network.pace import Pace
from standins.phone_network.script import Script, load_personas
from standins.phone_network.typist import Keyboard
from standins.phone_network.voices import Voices, beep
from standins.phone_network.webhooks import Webhooks

KEPT_CALLS = 500
"""Sound of older calls is forgotten; a long-lived stack must not eat the machine's memory."""

NETWORK_VOICE = "rms"
"""Of `<Say>`."""

log = logging.getLogger(__name__)


def is_number(text: str) -> bool:
    """E.164 and a number that can exist."""
    try:
        return text.startswith("+") and phonenumbers.is_valid_number(phonenumbers.parse(text))
    except phonenumbers.NumberParseException:
        return False


class Scripted:
    """A number with a persona."""

    def __init__(self, script: Script, exchange: "Exchange") -> None:
        self.script = script
        self._exchange = exchange
        self._served: Counter[str] = Counter()
        self._beep = beep()

    async def prepare(self) -> None:
        """Render every line; the audible code needs no recogniser of voices."""
        if self.script.listens and self.script.voice != "tones":
            self._exchange.spawn(self._exchange.hearing.warm())
        await self._exchange.voices.prepare(self.script)

    def answer(self, call: Call, now: float) -> Callee:
        """Pick up; a caller who was served before is known again."""
        again = self._served[call.order.from_] > 0
        self._served[call.order.from_] += 1
        return Callee(self.script, self._exchange.voices.ready(self.script), self._beep, now, again)

    def ended(self, call: Call) -> None:
        """The call is over."""


class Exchange:
    """All state of the network."""

    def __init__(self, account_sid: str, auth_token: str) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.faults = Faults()
        self.webhooks = Webhooks(auth_token)
        self.hearing = Hearing()
        self.pace = Pace()
        self.voices = Voices()
        self.messages = Messages(account_sid, self.webhooks, self.spawn)
        self.calls: dict[str, Call] = {}
        self.lives: dict[str, Life] = {}
        self.rings: list[dict[str, object]] = []
        self.refusals: list[dict[str, object]] = []
        """Every REST error given, for whoever wonders."""
        self.subscribers: dict[str, Subscriber] = {}
        self.voice_urls: dict[str, str] = {}
        self._tasks: set[asyncio.Future[None]] = set()
        self._dialled_at = float("-inf")
        for script in load_personas():
            for number in script.numbers:
                self.enlist(number, script)

    def enlist(self, number: str, script: Script) -> None:
        """From now on this number is answered so; its callers are strangers again."""
        self.subscribers[number] = Scripted(script, self)

    def place(self, order: Order) -> Call:
        """Begin a call."""
        call = Call(order)
        self.calls[call.sid] = call
        self.lives[call.sid] = Life(call, self)
        self.spawn(self.lives[call.sid].run())
        for old in list(self.calls.values())[:-KEPT_CALLS]:
            if old.over and old.handset is not None:
                old.handset = None
        return call

    def stranger_calls(self, from_: str, to: str) -> Call:
        """Somebody rings one of the account's numbers."""
        url = Instructions(url=self.voice_urls[to])
        return self.place(Order(self.account_sid, to, from_, url, direction="inbound"))

    # What a call needs of its network

    def subscriber(self, call: Call) -> Subscriber | None:
        """The party that is not the account's own number."""
        order = call.order
        return self.subscribers.get(order.from_ if order.direction == "inbound" else order.to)

    def rang(self, call: Call) -> None:
        """The ring log is the judge of what really reached a phone."""
        order = call.order
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.rings.append({"number": order.to, "from": order.from_, "call_sid": call.sid, "at": at})
        subscriber = self.subscribers.get(order.to)
        if isinstance(subscriber, Keyboard):
            subscriber.tell(type="ringing", **{"from": order.from_})

    async def turn_to_dial(self) -> None:
        """The queue of calls, first come first served."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self.faults.queue_s)
        if self.faults.calls_per_second:
            self._dialled_at = max(loop.time(), self._dialled_at + 1 / self.faults.calls_per_second)
            await asyncio.sleep(self._dialled_at - loop.time())

    async def speech(self, text: str) -> bytes:
        """The network's own voice."""
        clip = await self.voices.clip(text, NETWORK_VOICE)
        return b"".join(frame.audio for frame in clip.frames)

    def spawn(self, work: Awaitable[None]) -> asyncio.Future[None]:
        """Run beside everything else; failures are logged."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("unexpected", exc_info=error)

    async def close(self) -> None:
        """Cut every call and let go of everything; the worker first, which would outlive us."""
        self.hearing.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.webhooks.close()
