"""Where speech ends within what a detector still takes for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_QUIET: Final = 0.03
"""Of the loudest sample so far (-30 dB): below, nothing is said, though detectors notice that only 0.1 s later."""

_LONGEST_LAG: Final = 0.25
"""Seconds after which a detector is right: something else than the speech was so loud."""


class QuietTail:
    """How long an utterance has been quiet: what the detector takes for speech and is not much softer than the loudest.

    In noise that is not much softer either, it is as long as the detector says.

    Args:
        sample_rate: Hz of the sound.

    Attributes:
        seconds: Of quiet at the end of the sound so far.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._peak = 1
        self.seconds = 0.0

    def push(self, sound: NDArray[np.int16], *, speech: bool) -> None:
        """Takes the sound since the last time, int16 (n_samples,), and whether the detector hears speech at its end."""
        size = np.abs(sound.astype(np.int32))
        loudest = int(size.max(initial=1))
        self._peak = max(self._peak, loudest)
        loud = np.flatnonzero(size > _QUIET * self._peak)
        if speech and len(loud):
            self.seconds = (len(sound) - 1 - int(loud[-1])) / self._rate
        else:
            self.seconds += len(sound) / self._rate
        if speech and self.seconds > _LONGEST_LAG:
            self.seconds, self._peak = 0.0, loudest
