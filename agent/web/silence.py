"""How long nobody has said anything."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class SilenceWatch:
    """Calls back when both sides have been silent for a while, once until someone speaks again.

    Args:
        seconds: How long; None never calls.
        act: What is done then, in the event loop.
    """

    def __init__(self, seconds: float | None, act: Callable[[], None]) -> None:
        self._seconds = seconds
        self._act = act
        self._timer: asyncio.TimerHandle | None = None
        self._acted = False

    def set(self, *, quiet: bool) -> None:
        """Says whether both sides are silent now; silence that goes on is counted from its beginning."""
        if not quiet:
            self.end()
        elif self._timer is None and self._seconds is not None and not self._acted:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._due)

    def someone_spoke(self) -> None:
        """The user, or whoever puts words into the avatar's mouth, said something: the silence ends."""
        self._acted = False
        self.end()

    def end(self) -> None:
        """Stops counting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        self._acted = True
        self._act()
