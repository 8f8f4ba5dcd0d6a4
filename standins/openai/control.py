"""What a test or a person can make this stand-in do: delays, faults for the next requests, and its logs.

- `GET /control`: everything at a glance.
- `PUT /control/delays`: change some or all of `Delays`.
- `POST /control/faults`: queue one `Fault`; `DELETE` drops all.
- `GET /control/requests`: every body received, byte for byte; `DELETE` forgets them and the usage totals.
"""

from __future__ import annotations

import base64
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from standins.openai.events import Reply, ToolCall

LOOP_CALL = ToolCall("note_fact", '{"key":"again","value":"again"}')
"""What a model that is caught in a tool loop calls for ever."""
MAX_LOGGED_BYTES = 50_000_000
"""The log forgets its oldest bodies beyond this: long benchmarks must not grow the process."""


class Settable(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Delays(Settable):
    connect_ms: float = Field(default=0, ge=0)
    """From the request's last byte to the response's headers."""
    first_token_ms: float = Field(default=300, ge=0)
    """From the headers to the first token."""
    tokens_per_s: float = Field(default=100, gt=0)


class ScriptedCall(Settable):
    name: str
    arguments: str


class Fault(Settable):
    """Applied to the next `count` requests of the kind in `of` (any kind when null)."""

    kind: Literal["status", "stall", "cut", "garbage", "empty", "bad_arguments", "tool_loop", "reply"]
    """`stall` and `cut` happen after `after_tokens` tokens; `reply` answers exactly `text` and `calls`."""
    of: Literal["plan", "outcome", "talk"] | None = None
    count: int = Field(default=1, ge=1)
    status: int = Field(default=503, ge=400, le=599)
    retry_after_s: float | None = None
    after_tokens: int = Field(default=0, ge=0)
    text: str = ""
    calls: list[ScriptedCall] = []


class Control:
    """Everything changeable about a running stand-in; one per server, used from one event loop."""

    def __init__(self, delays: Delays) -> None:
        self.delays = delays
        self.faults: list[Fault] = []
        self.bodies: list[bytes] = []
        self.usage: dict[str, int] = {}
        self._logged_bytes = 0

    def log(self, body: bytes) -> None:
        self.bodies.append(body)
        self._logged_bytes += len(body)
        while self._logged_bytes > MAX_LOGGED_BYTES:
            self._logged_bytes -= len(self.bodies.pop(0))

    def forget(self) -> None:
        self.bodies.clear()
        self.usage.clear()
        self._logged_bytes = 0

    def next_fault(self, kind: str) -> Fault | None:
        """The first queued fault for this kind of request, counted down."""
        for fault in self.faults:
            if fault.of in (None, kind):
                fault.count -= 1
                if fault.count == 0:
                    self.faults.remove(fault)
                return fault
        return None

    def count(self, model: str, usage: dict[str, Any]) -> None:
        """Add one response's usage to the totals."""
        for name, value in {
            "responses": 1,
            f"responses.{model}": 1,
            "input_tokens": usage["input_tokens"],
            "cached_tokens": usage["input_tokens_details"]["cached_tokens"],
            "output_tokens": usage["output_tokens"],
        }.items():
            self.usage[name] = self.usage.get(name, 0) + value

    def state(self) -> dict[str, Any]:
        return {
            "delays": self.delays.model_dump(),
            "faults": [fault.model_dump() for fault in self.faults],
            "requests": len(self.bodies),
            "usage": self.usage,
        }

    def requests(self) -> list[dict[str, Any]]:
        """Every body received, oldest first: `text` for reading, `base64` for searching the exact bytes."""
        return [
            {"text": body.decode("utf-8", "replace"), "base64": base64.b64encode(body).decode()} for body in self.bodies
        ]


def faulty(reply: Reply, fault: Fault | None) -> Reply:
    """The reply as a model in trouble would give it."""
    match fault.kind if fault else None:
        case "garbage":
            return Reply('{"}]] <|im_end|> \ufffd\ufffd {"name": "end_call", "argum')
        case "empty":
            return Reply()
        case "bad_arguments":
            name = reply.calls[0].name if reply.calls else "ask_user"
            return Reply(reply.text, (ToolCall(name, '{"question": 5, "cho'),))
        case "tool_loop":
            return Reply(calls=(LOOP_CALL,))
        case "reply":
            assert fault is not None  # matched on its kind
            return Reply(fault.text, tuple(ToolCall(call.name, call.arguments) for call in fault.calls))
        case _:
            return reply
