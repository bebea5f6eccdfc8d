"""Samples by absolute index, with a start that is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avatar.types import OUTPUT_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SampleBuffer:
    """Samples by absolute index: grows at its end, forgets at its start; what it does not hold reads as zero."""

    def __init__(self) -> None:
        self._data = np.zeros(0, np.float32)
        self._start = 0
        self._end = 0

    @property
    def end(self) -> int:
        """Index after the last sample."""
        return self._end

    def append(self, samples: NDArray[np.float32]) -> None:
        """Adds samples, float32 (n,), at the end."""
        held = self._end - self._start
        if held + len(samples) > len(self._data):
            grown = np.zeros(max(2 * (held + len(samples)), OUTPUT_RATE), np.float32)
            grown[:held] = self._data[:held]
            self._data = grown
        self._data[held : held + len(samples)] = samples
        self._end += len(samples)

    def skip_to(self, index: int) -> None:
        """Moves the end to `index`: adds zeros, or drops the last samples."""
        if index > self._end:
            self.append(np.zeros(index - self._end, np.float32))
        else:
            self._start = min(self._start, index)
            self._end = index

    def read(self, start: int, n_samples: int) -> NDArray[np.float32]:
        """Returns a copy of `n_samples` samples from `start`, float32 (n_samples,)."""
        out = np.zeros(n_samples, np.float32)
        low, high = max(start, self._start), min(start + n_samples, self._end)
        if low < high:
            out[low - start : high - start] = self._data[low - self._start : high - self._start]
        return out

    def forget(self, before: int) -> None:
        """Drops the samples before an index; it may lie beyond the end, which moves there."""
        if before >= self._end:
            self._start = self._end = before
        n_dropped = before - self._start
        if n_dropped > len(self._data) // 2:  # rarely, so that moving the rest costs little
            held = self._data[n_dropped : self._end - self._start].copy()
            self._data[: len(held)] = held
            self._start += n_dropped
