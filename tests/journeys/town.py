"""Who takes part in a journey: people who let Floyd call, callees with scripts, and the stack between them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from floyd.command.client import Client
from floyd.command.errand import Errand, ErrandView
from floyd.command.stack import CALLER_NUMBER, Stack
from floyd.documents import Fact, Person, Status
from standins.phone_network.script import PERSONAS, load_persona
from tests.scripted_network import ScriptedNetwork

# A call of a minute, planning and outcome, on a machine that is busy with something else.
DEADLINE_S = 100.0


@dataclass
class Callee:
    """Somebody with a phone, who follows a script and remembers every call."""

    number: str
    network: ScriptedNetwork

    def rings(self) -> list[dict[str, Any]]:
        return self.network.rings(self.number)

    def said(self) -> list[str]:
        """Everything the callee said, call after call."""
        return [line["text"] for ring in self.rings() for line in self._record(ring)["said"]]

    def heard(self, ring: int | None = None) -> str:
        """Every word that reached the callee's ear: in one call (0: the first), or call after call."""
        rings = self.rings() if ring is None else [self.rings()[ring]]
        return " ".join(self.network.heard(each["call_sid"]) for each in rings)

    def _record(self, ring: dict[str, Any]) -> dict[str, Any]:
        return self.network.call(ring["call_sid"], words=False)


@dataclass
class Requester:
    """A person who lets Floyd call, signed in, with the facts given so far."""

    client: Client
    number: str
    network: ScriptedNetwork
    errands: list[Errand] = field(default_factory=list)

    def knows(self, share: str = "always", **facts: str) -> None:
        """Add facts; a key that ends in `_number` holds a phone number."""
        for key, value in facts.items():
            category = "phone_number" if key.endswith("_number") else "other"
            self.client.save_fact(
                Fact.model_validate({"key": key, "value": value, "category": category, "share": share})
            )

    def request(self, text: str, **more: Any) -> Errand:
        """Hand a request in; it is followed until the journey ends."""
        self.errands.append(self.client.request(text, **more))
        return self.errands[-1]

    def answer(self, errand: Errand, answer: str) -> None:
        """Answer the question that is open, waiting for one if need be."""
        view = errand.wait_until(lambda view: view.open_question is not None, DEADLINE_S)
        assert view.open_question is not None
        self.client.answer(errand.rid, view.open_question[0], answer)

    def texts(self) -> list[str]:
        """Every text message that this person got."""
        return [message["body"] for message in self.network.messages(self.number)]

    def text(self, body: str) -> None:
        """Send Floyd a text message."""
        self.network.text(self.number, CALLER_NUMBER, body)


@dataclass
class Town:
    """The running stack and its telephone network."""

    stack: Stack
    network: ScriptedNetwork
    numbers: Iterator[str]

    def callee(self, persona: str | None = None, **script: Any) -> Callee:
        """A phone where it is day now, with a persona of the network or a script of one's own."""
        lines = load_persona(PERSONAS / f"{persona}.toml").model_dump(mode="json") if persona else {}
        callee = Callee(next(self.numbers), self.network)
        self.network.enlist(callee.number, {"answer_after_s": 0.2, **lines, **script, "voice": "tones", "numbers": []})
        return callee

    def requester(self, name: str = "Tom Baker") -> Requester:
        """A new person with a verified number."""
        number = next(self.numbers)
        client = Client(self.stack.running, uuid.uuid4().hex, number=number, name=name)
        client.introduce(Person(name=name, number=number))
        return Requester(client, number, self.network)


def finished(view: ErrandView) -> bool:
    """The request has come to its end, with its result."""
    return view.finished and view.request is not None and view.request.outcome is not None


def has_status(wanted: Status) -> Callable[[ErrandView], bool]:
    """A condition for `Errand.wait_until`."""
    return lambda view: view.request is not None and view.request.status is wanted
