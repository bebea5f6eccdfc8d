"""Who is told what the listener hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from avatar.types import Playout


class PlayoutListener(Protocol):
    """Hears what the listener hears; called from the thread that shows frames, or that interrupts."""

    def started(self, segment_id: str) -> None:
        """The first sound of a segment is shown."""
        ...

    def finished(self, playout: Playout) -> None:
        """The last sound of a segment is shown, or the rest was dropped."""
        ...
