"""Several microphones as one sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.types import SPEECH_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PATIENCE: Final = SPEECH_RATE // 10
"""Samples by which a microphone may lag behind the others before silence takes its place: 100 ms."""


class Mixer:
    """Adds up sounds that arrive side by side, each in its own pieces.

    What all of them have sent is mixed at once. Nobody waits more than 100 ms for one that sends nothing.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, NDArray[np.float32]] = {}

    def push(self, name: str, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Adds a microphone's sound, float32 (n_samples,) at 16 kHz; returns what can be heard now, any length."""
        earlier = self._waiting.get(name)
        self._waiting[name] = samples if earlier is None else np.concatenate([earlier, samples])
        lengths = [len(waiting) for waiting in self._waiting.values()]
        return self._take(max(min(lengths), max(lengths) - _PATIENCE))

    def remove(self, name: str) -> NDArray[np.float32]:
        """Forgets a microphone; returns what the others waited with."""
        self._waiting.pop(name, None)
        return self._take(min((len(waiting) for waiting in self._waiting.values()), default=0))

    def _take(self, n_samples: int) -> NDArray[np.float32]:
        mixed = np.zeros(n_samples, np.float32)
        for name, waiting in self._waiting.items():
            part = waiting[:n_samples]
            mixed[: len(part)] += part
            self._waiting[name] = waiting[n_samples:]
        return np.clip(mixed, -1, 1)
