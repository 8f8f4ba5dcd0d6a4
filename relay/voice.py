"""What a session needs of a synthesiser."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol


class Voice(Protocol):
    """Turns one segment's text into sound. One per process: it owns the connection to the vendor."""

    name: str
    """The voice's name; with the text it identifies a rendered line."""

    def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """The text as mu-law at 8 kHz, in pieces of any length as they arrive.

        Raises VendorError when no sound comes, or not in time. Closing the generator cancels the synthesis.
        """

    async def close(self) -> None:
        """Close the connection."""
