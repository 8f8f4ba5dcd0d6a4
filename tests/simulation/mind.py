"""The model: obeys nobody, is late, stalls, fails, rambles, gives secrets away and agrees to everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relay.core import events as ev
from relay.core.actions import Role, StartReply
from tests.simulation.judge import AGREEMENT, SECRETS

if TYPE_CHECKING:
    from tests.simulation.world import World

QUESTIONS = (
    "What would that cost?",
    "Will Friday be possible?",
    "Which colours do you have?",
    "May I have a name for the order?",
    "Is that all you need?",
    "What time would be good?",
)
REMARKS = (
    "I see, thank you.",
    "That sounds nice.",
    "We would like a dozen roses.",
    "They are for a birthday.",
    "Let me repeat that.",
)


class Mind:
    def __init__(self, world: World) -> None:
        self.world = world
        self.open = 0
        self.exchanges = 0
        self.patience = world.random.randrange(6, 16)
        """After so many replies it says goodbye."""

    def start(self, action: StartReply) -> None:
        world, reply_id = self.world, action.reply_id
        self.open = reply_id
        self.exchanges += 1
        if world.strikes("model stalls", 0.3):
            return
        at = world.now + 0.2 + 0.6 * world.random.random()
        if world.strikes("model slow", 0.3):
            at += 6.0 * world.random.random()
        for event in self._reply(reply_id, action):
            world.at(at, self._report, event)
            at += 0.05 + 0.2 * world.random.random()
            if world.strikes("model breaks off", 0.15):
                world.at(at, self._report, ev.ReplyFailed(reply_id, "broke"))
                return
            if world.strikes("model stalls later", 0.15):
                return
        world.at(at, self._report, ev.ReplyFinished(reply_id))

    def cancel(self, reply_id: int) -> None:
        if self.open == reply_id:
            self.open = 0

    def _report(self, event: ev.ReplyText | ev.ReplyFinished | ev.ReplyFailed) -> None:
        if event.reply_id == self.open or self.world.strikes("model late", 0.5):
            self.world.feed(event)

    def _reply(self, reply_id: int, action: StartReply) -> list[ev.Event]:
        world, chance = self.world, self.world.random.random()
        last = action.turns[-1] if action.turns else None
        if world.strikes("model empty", 0.3):
            return []
        if world.strikes("model rambles", 0.1):
            return [self._text(reply_id, REMARKS[number % 5]) for number in range(30)]
        if world.strikes("model loops", 0.6):
            return [ev.FactNoted(reply_id, "price", str(self.exchanges))]
        if world.strikes("model reads out data", 0.3):
            return [self._text(reply_id, '{"secret_key": 1}'), self._text(reply_id, REMARKS[0])]
        if world.strikes("model betrays", 0.4):
            secret = world.pick(SECRETS[:2])
            return [self._text(reply_id, f"Sure, the code is {secret} 99."), self._text(reply_id, QUESTIONS[0])]
        if last and "telephone menu" in last.text:
            said = self._text(reply_id, "Sales.") if chance < 0.2 else ev.KeysRequested(reply_id, "1")
            return [said] if chance < 0.8 else []
        if self.exchanges > self.patience and chance < 0.7:
            return self._farewell(reply_id)
        if last and last.role is Role.CALLEE and "dollars" in last.text:
            return self._bargain(reply_id, last.text)
        if chance < 0.06:
            return [ev.AskRequested(reply_id, "Which colour would you like?", ())]
        if chance < 0.1:
            return [ev.AskRequested(reply_id, "Is 90 dollars all right?", ("yes", "no"))]
        if chance < 0.13:
            return [self._text(reply_id, "I press one."), ev.KeysRequested(reply_id, "1")]
        if chance < 0.16:
            return [ev.KeysRequested(reply_id, "4711" if chance < 0.14 else "2")]
        if chance < 0.25:
            return [ev.FactNoted(reply_id, "price", str(self.exchanges))]
        texts = [world.pick(REMARKS)] * (chance < 0.6) + [world.pick(QUESTIONS)]
        return [self._text(reply_id, text) for text in texts]

    def _bargain(self, reply_id: int, offer: str) -> list[ev.Event]:
        price = next((word for word in offer.split() if word.isdigit()), "75")
        if self.world.random.random() < 0.2:
            return [ev.AskRequested(reply_id, f"They want {price} dollars, is that all right?", ("yes", "no"))]
        return [self._text(reply_id, f"{AGREEMENT}{price} dollars."), self._text(reply_id, QUESTIONS[1])]

    def _farewell(self, reply_id: int) -> list[ev.Event]:
        ends = ev.EndCallRequested(reply_id, "done")
        match self.world.random.randrange(4):
            case 0:
                return [self._text(reply_id, "Thank you very much. Goodbye.")]
            case 1:
                return [ends]
            case 2:
                return [ends, self._text(reply_id, "Thank you, have a nice day. Goodbye.")]
            case _:
                return [self._text(reply_id, "We are all set, thank you. Goodbye."), ends]

    def _text(self, reply_id: int, text: str) -> ev.ReplyText:
        return ev.ReplyText(reply_id, f"{self.world.token('zx')}, {text}")
