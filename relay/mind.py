"""What a session needs of a language model."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Protocol

from relay.core.actions import Message


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text as the model writes it; cut anywhere."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model called one of our tools."""

    call_id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What became of an earlier tool call, for the model to read."""

    call: ToolCall
    output: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply; `cached` is part of `input`."""

    model: str
    input: int
    cached: int
    output: int


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything the model is given for one reply."""

    instructions: str  # stable over a call, so that the vendor's prompt cache can serve it
    history: tuple[Message | ToolResult, ...]
    cache_key: str
    person: str  # opaque: the vendor's abuse detection may tell people apart by it, and nothing more
    warming: bool = False  # nobody wants this reply: it is asked for the cache's sake, and may be cut short


Thought = Delta | ToolCall | Usage


class Mind(Protocol):
    """Answers one prompt. One per process: it owns the connection to the vendor."""

    def think(self, prompt: Prompt, *, model: str) -> AsyncGenerator[Thought, None]:
        """The reply as it is written. Raises VendorError when the model fails; closing the generator cancels it."""

    async def warm(self) -> None:
        """Have a connection ready, if the last use is long ago. Never fails."""
