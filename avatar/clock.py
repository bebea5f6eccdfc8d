"""Time for live publishers; tests put their own clock in its place."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that only go forward, from an arbitrary zero."""

    def now(self) -> float:
        """Returns the time now."""
        ...

    async def sleep_until(self, moment: float) -> None:
        """Returns at `moment`, or at once if it has passed."""
        ...


class MonotonicClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Returns the time now."""
        return time.monotonic()

    async def sleep_until(self, moment: float) -> None:
        """Returns at `moment`; at once, but after other tasks had their turn, if it has passed."""
        await asyncio.sleep(max(0.0, moment - time.monotonic()))
