"""Which models have failed lately. Pure; one for all calls of a process, so that each failure is suffered once."""

from __future__ import annotations

FAILURES_TO_OPEN = 3
OPEN_S = 20.0
"""After so many failures in a row a model is left alone for so long: replies begin with the fallback, not a wait. Then
one more failure is enough to leave it alone again."""


class Breaker:
    """Moments (`now`) are seconds of one clock."""

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}
        self._open_until: dict[str, float] = {}

    def order(self, models: tuple[str, ...], now: float) -> tuple[str, ...]:
        """The models to try: those that work first, the others all the same, as a last resort."""
        return tuple(sorted(dict.fromkeys(models), key=lambda model: self._open_until.get(model, now) > now))

    def succeeded(self, model: str) -> None:
        self._failures.pop(model, None)

    def failed(self, model: str, now: float) -> None:
        self._failures[model] = self._failures.get(model, 0) + 1
        if self._failures[model] >= FAILURES_TO_OPEN:
            self._open_until[model] = now + OPEN_S
