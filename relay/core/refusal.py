"""How the values of the core refuse nonsense: an event or action that exists is a possible one."""

import math


def require(condition: bool, message: str) -> None:
    """Raise ValueError(message) unless the condition holds."""
    if not condition:
        raise ValueError(message)


def require_text(name: str, value: str) -> None:
    """Raise ValueError if the text is empty or only spaces."""
    require(bool(value.strip()), f"{name}: expected words, got {value!r}")


def require_range_ms(start_ms: int, end_ms: int) -> None:
    """Raise ValueError unless 0 <= start_ms <= end_ms."""
    require(0 <= start_ms <= end_ms, f"expected 0 <= start_ms <= end_ms, got {start_ms} and {end_ms}")


def require_share(name: str, value: float) -> None:
    """Raise ValueError unless 0 <= value <= 1."""
    require(0.0 <= value <= 1.0, f"{name}: expected 0 to 1, got {value!r}")


def require_seconds(name: str, value: float) -> None:
    """Raise ValueError unless the value is a finite number of seconds >= 0."""
    require(math.isfinite(value) and value >= 0.0, f"{name}: expected seconds >= 0, got {value!r}")
