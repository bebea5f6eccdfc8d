"""How far a reply has been heard, between the moments at which that is known exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avatar.clock import Clock


class Playhead:
    """Runs from a reply's first sound to its last, and stands still while the voice pauses.

    Args:
        clock: Tells the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard = 0.0
        self._since: float | None = None
        self._stopped_at = float("-inf")
        self.begun = False

    @property
    def position(self) -> float:
        """Seconds of the reply that were heard, roughly."""
        return self._heard + (0.0 if self._since is None else self._clock.now() - self._since)

    @property
    def quiet(self) -> float:
        """Seconds since the voice was last heard, 0 while it is."""
        return 0.0 if self._since is not None else self._clock.now() - self._stopped_at

    def begin(self) -> None:
        """The first sound of a reply is heard."""
        self._heard, self._since, self.begun = 0.0, self._clock.now(), True

    def pause(self) -> None:
        """The voice pauses."""
        if self._since is not None:
            self._heard, self._since, self._stopped_at = self.position, None, self._clock.now()

    def resume(self) -> None:
        """The voice goes on."""
        if self.begun and self._since is None:
            self._since = self._clock.now()

    def end(self) -> None:
        """The last sound of the reply was heard."""
        self.pause()
        self.begun = False
