"""A call's tape: what went into its conversation and what came out, to be looked at and to be held again.

The core has no clock and no chance in it, so the same inputs at the same moments must give the same actions:
`python -m relay.tape < FILE` says where they do not.
"""

import json
import pickle
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import Any, Self, get_args

from pydantic import TypeAdapter

from relay.core.actions import Action, SaveTranscript, StartReply
from relay.core.brief import Brief
from relay.core.conversation import Conversation
from relay.core.events import Event
from relay.core.policy import Policy

MOST_STEPS = 20_000  # an hour of lively talk has some 10,000
MOST_BYTES = 900_000  # a Firestore document takes 1 MiB
SHOWN = 20

Step = tuple[float, Event | None, tuple[Action, ...]]
"""When (the session's clock), what happened (None: a deadline), and what the conversation wanted."""


_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Brief, Policy, *get_args(Event), *get_args(Action))}


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_KINDS[name])


@dataclass(slots=True)
class Tape:
    """Recorded while the call runs; what no longer fits is left out at the end, and `cut` says so."""

    brief: Brief
    policy: Policy
    cut: bool = False
    # As bytes: the garbage collector would stop every call for 80 ms to look through the steps of fifty.
    _packed: list[bytes] = field(default_factory=list)

    def add(self, now: float, event: Event | None, actions: Iterable[Action]) -> None:
        if len(self._packed) < MOST_STEPS:
            self._packed.append(pickle.dumps((now, event, _kept(actions))))
        else:
            self.cut = True

    @property
    def steps(self) -> list[Step]:
        """Everything recorded, oldest first."""
        return [pickle.loads(step) for step in self._packed]  # noqa: S301 - packed by `add`, nowhere else

    def encode(self) -> bytes:
        """Compressed JSON of at most MOST_BYTES. Takes some milliseconds a minute of talk: not for the audio path."""
        plain = {"v": 1, "brief": _dumped(self.brief), "policy": _dumped(self.policy)}
        steps = [[now, event and _dumped(event), [*map(_dumped, actions)]] for now, event, actions in self.steps]
        while len(data := zlib.compress(json.dumps({**plain, "cut": self.cut, "steps": steps}).encode())) > MOST_BYTES:
            steps, self.cut = steps[: len(steps) // 2], True
        return data

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises ValueError for what is no tape, or one of a core that knew other events."""
        plain = json.loads(zlib.decompress(data))
        tape = cls(_loaded(plain["brief"]), _loaded(plain["policy"]), plain["cut"])
        for now, event, actions in plain["steps"]:
            tape.add(now, event and _loaded(event), map(_loaded, actions))
        return tape

    def differences(self) -> Iterator[str]:
        """Hold the call again; each step at which the core now wants something else."""
        conversation, steps = Conversation(self.brief, self.policy), self.steps
        for now, event, before in steps:
            if event is None:
                conversation.handle_timer(now)
            else:
                conversation.receive(event, now)
            after = _kept(conversation.actions())
            if after != before:
                yield f"{now - steps[0][0]:.3f} s, after {event or 'a deadline'}: was {before}, is {after}"


def _kept(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Without what grows with the call: snapshots and the model's messages follow from everything before."""
    kept = (action for action in actions if type(action) is not SaveTranscript)
    return tuple(replace(action, turns=()) if type(action) is StartReply else action for action in kept)


def _dumped(value: Any) -> dict[str, Any]:
    name = type(value).__name__
    return {name: _adapter(name).dump_python(value, mode="json", exclude_defaults=True)}


def _loaded(plain: dict[str, Any]) -> Any:
    ((name, fields),) = plain.items()
    if name not in _KINDS:
        raise ValueError(f"{name}: this core knows no such event or action; replay with the code that recorded it")
    return _adapter(name).validate_python(fields)


def main() -> int:
    """Exit status 1 when the core decides otherwise than it did, 2 when the tape cannot be read."""
    try:
        tape = Tape.decode(sys.stdin.buffer.read())
    except (ValueError, KeyError, zlib.error) as error:
        sys.stderr.write(f"not a tape of this core: {error}\n")
        return 2
    different = [*islice(tape.differences(), SHOWN)]
    lines = different or [f"{len(tape.steps)} steps, every action the same"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
