"""The telephone exchange: who has which number, every call, every ring, every text."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, TypeVar

from standins.phone_network.call import Call
from standins.phone_network.faults import Faults
from standins.phone_network.forms import Order
from standins.phone_network.handset import Pace
from standins.phone_network.hearing import Hearing
from standins.phone_network.messages import Messages
from standins.phone_network.script import Script, load_personas
from standins.phone_network.subscribers import Subscriber
from standins.phone_network.webhooks import Webhooks

KEPT_CALLS = 200  # a minute of one is 1 MB: the sound of older calls is forgotten

T = TypeVar("T")
log = logging.getLogger(__name__)


class Exchange:
    """All state of the network."""

    def __init__(self, account_sid: str, auth_token: str) -> None:
        self.account_sid, self.auth_token = account_sid, auth_token
        self.faults = Faults()
        self.webhooks = Webhooks(auth_token)
        self.hearing = Hearing()
        self.pace = Pace()
        self.messages = Messages(account_sid, self.webhooks, self.spawn)
        self.calls: dict[str, Call] = {}
        self.rings: list[dict[str, object]] = []
        self.subscribers: dict[str, Subscriber] = {}
        self.voice_urls: dict[str, str] = {}
        self._tasks: set[asyncio.Future[Any]] = set()
        self._dialled_at = float("-inf")
        for script in load_personas():
            for number in script.numbers:
                self.enlist(number, script)

    def enlist(self, number: str, script: Script) -> None:
        """From now on this number is answered so; its callers are strangers again."""
        self.subscribers[number] = Subscriber(script)

    def place(self, order: Order) -> Call:
        return self._begin(Call(order, self))

    def stranger_calls(self, from_: str, to: str) -> Call:
        order = Order.model_validate({"To": to, "From": from_, "Url": self.voice_urls[to]})
        return self._begin(Call(order, self, "inbound"))

    def _begin(self, call: Call) -> Call:
        self.calls[call.sid] = call
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

    def spawn(self, work: Awaitable[T]) -> asyncio.Future[T]:
        """Run beside everything else; failures are logged."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Future[Any]) -> None:
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
