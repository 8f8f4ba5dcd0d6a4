"""The one clock of all calls."""

import asyncio
from typing import cast

from standins.phone_network.handset import Handset, Pace


class Counter:
    """Counts its ticks; breaks at the third if told to."""

    def __init__(self, enough: asyncio.Event, fragile: bool = False) -> None:
        self.ticks: list[float] = []
        self.error: Exception | None = None
        self._enough, self._fragile = enough, fragile

    def tick(self, now: float) -> None:
        """20 ms."""
        self.ticks.append(now)
        if self._fragile and len(self.ticks) == 3:
            raise ValueError("broken")
        if len(self.ticks) == 10:
            self._enough.set()

    def broke(self, error: Exception) -> None:
        """Told why it left."""
        self.error = error


async def test_every_call_ticks_every_20_ms_and_a_broken_one_leaves_alone() -> None:
    """If this fails sound speeds up or slows down, or one broken call silences all."""
    pace, enough = Pace(), asyncio.Event()
    sound, fragile = Counter(enough), Counter(asyncio.Event(), fragile=True)
    pace.join(cast(Handset, sound))
    pace.join(cast(Handset, fragile))
    running = asyncio.ensure_future(pace.run())
    async with asyncio.timeout(5):
        await enough.wait()
    running.cancel()

    steps = [round(later - earlier, 6) for earlier, later in zip(sound.ticks, sound.ticks[1:], strict=False)]
    assert set(steps) == {0.02}
    assert pace.starved_ms is None or pace.starved_ms >= 0, "only Linux tells"
    assert len(fragile.ticks) == 3
    assert isinstance(fragile.error, ValueError)
