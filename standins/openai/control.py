"""What a test or a person can make this stand-in do: delays, and faults for the next requests."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from standins.control import Closed, Settings
from standins.control import Fault as BaseFault
from standins.openai.events import Reply, ToolCall


class Delays(Settings):
    connect_ms: float = Field(default=0, ge=0)
    """From the request's last byte to the response's headers."""
    first_token_ms: float = Field(default=300, ge=0)
    """From the headers to the first token."""
    tokens_per_s: float = Field(default=100, gt=0)
    first_byte_ms: float = Field(default=150, ge=0)
    """Of speech: from the headers to the first sound."""
    speed: float = Field(default=5, gt=0)
    """Speech comes so many times as fast as it plays."""


class ScriptedCall(Closed):
    name: str
    arguments: str


class Fault(BaseFault):
    """Applied to the next `times` requests of the kind in `of` (any kind when null)."""

    kind: Literal["status", "stall", "cut", "garbage", "empty", "reply", "truncated"]
    """`stall` and `cut` happen after `after_tokens` tokens, or tenths of a second of speech; `reply` answers exactly
    `text` and `calls`; `truncated` leaves out the second half of a speech."""
    of: Literal["plan", "outcome", "talk", "speech"] | None = None
    status: int = Field(default=503, ge=400, le=599)
    retry_after_s: float | None = None
    after_tokens: int = Field(default=0, ge=0)
    text: str = ""
    calls: tuple[ScriptedCall, ...] = ()

    def instead_of(self, reply: Reply) -> Reply:
        """The reply as a model in trouble would give it."""
        if self.kind == "garbage":
            return Reply('{"}]] <|im_end|> \ufffd\ufffd {"name": "end_call", "argum')
        if self.kind == "reply":
            return Reply(self.text, tuple(ToolCall(call.name, call.arguments) for call in self.calls))
        return Reply() if self.kind == "empty" else reply
