"""The telephone exchange: who has which number, every call, every ring, every text."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable
from datetime import UTC, datetime

from standins.phone_network.call import Call
from standins.phone_network.callee import Callee
from standins.phone_network.faults import Faults
from standins.phone_network.forms import Order
from standins.phone_network.handset import Pace
from standins.phone_network.hearing import Hearing
from standins.phone_network.life import Life, Subscriber
from standins.phone_network.messages import Messages
from standins.phone_network.person import Phone
from standins.phone_network.script import Script, load_personas
from standins.phone_network.voices import prepare
from standins.phone_network.webhooks import Webhooks

KEPT_CALLS = 500
"""Sound of older calls is forgotten; a long-lived stack must not eat the machine's memory."""

log = logging.getLogger(__name__)


class Scripted(Subscriber):
    """A number with a persona."""

    def __init__(self, script: Script, exchange: "Exchange") -> None:
        super().__init__(script)
        self._exchange = exchange
        self._served: Counter[str] = Counter()

    async def prepare(self) -> None:
        """Render every line; the audible code needs no recogniser of voices."""
        if self.script.listens and self.script.voice != "tones":
            self._exchange.spawn(self._exchange.hearing.warm())
        await prepare(self.script.texts(), self.script.voice)

    def answer(self, call: Call, phone: Phone, now: float) -> Callee:
        """Pick up; a caller who was served before is known again."""
        self._served[call.order.from_] += 1
        again = self._served[call.order.from_] > 1
        return Callee(self.script, phone, now, again)


class Exchange:
    """All state of the network."""

    def __init__(self, account_sid: str, auth_token: str) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.faults = Faults()
        self.webhooks = Webhooks(auth_token)
        self.hearing = Hearing()
        self.pace = Pace()
        self.messages = Messages(account_sid, self.webhooks, self.spawn)
        self.calls: dict[str, Call] = {}
        self.lives: dict[str, Life] = {}
        self.rings: list[dict[str, object]] = []
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
        """Begin a call of the account."""
        return self._begin(Call(order, self.account_sid))

    def stranger_calls(self, from_: str, to: str) -> Call:
        """Somebody rings one of the account's numbers."""
        order = Order(To=to, From=from_, Url=self.voice_urls[to])
        return self._begin(Call(order, self.account_sid, direction="inbound"))

    def _begin(self, call: Call) -> Call:
        self.calls[call.sid] = call
        self.lives[call.sid] = Life(call, self)
        self.spawn(self.lives[call.sid].run())
        for old in list(self.calls.values())[:-KEPT_CALLS]:
            if old.over:
                old.handset = None
        return call

    # What a call needs of its network

    def subscriber(self, call: Call) -> Subscriber | None:
        """The party that is not the account's own number."""
        return self.subscribers.get(call.order.from_ if call.direction == "inbound" else call.order.to)

    def rang(self, call: Call) -> None:
        """The ring log is the judge of what really reached a phone."""
        order, at = call.order, datetime.now(UTC).isoformat(timespec="milliseconds")
        self.rings.append({"number": order.to, "from": order.from_, "call_sid": call.sid, "at": at})
        if order.to in self.subscribers:
            self.subscribers[order.to].rung(call)

    async def turn_to_dial(self) -> None:
        """The queue of calls, first come first served."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self.faults.queue_s)
        if self.faults.calls_per_second:
            self._dialled_at = max(loop.time(), self._dialled_at + 1 / self.faults.calls_per_second)
            await asyncio.sleep(self._dialled_at - loop.time())

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
