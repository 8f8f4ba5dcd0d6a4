"""What a field of the core's values may hold. They are pydantic dataclasses: who makes an impossible one gets a
ValueError, so an event or action that exists is a possible one."""

from typing import Annotated

from pydantic import Field

KEYS = frozenset("0123456789*#ABCD")
"""The sixteen keys of ITU-T Q.23; A to D exist on lines though not on handsets."""

Words = Annotated[str, Field(pattern=r"\S")]
Key = Annotated[str, Field(pattern=r"^[0-9*#A-D]$")]
Keys = Annotated[str, Field(pattern=r"^[0-9*#A-D]{1,32}$")]
Count = Annotated[int, Field(gt=0)]
Position = Annotated[int, Field(ge=0)]  # ms in the callee's audio
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


def require_order(start_ms: int, end_ms: int) -> None:
    """Raise ValueError for a stretch that ends before it starts."""
    if start_ms > end_ms:
        raise ValueError(f"expected start_ms <= end_ms, got {start_ms} and {end_ms}")
