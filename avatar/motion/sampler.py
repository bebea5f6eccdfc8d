"""Draws motion from noise with a rectified flow (Liu et al. 2023; Lipman et al. 2023).

The path from noise x0 to motion x1 is straight: x_t = (1 - t) x0 + t x1. The network predicts x1 from x_t, from which
the velocity is (x1 - x_t) / (1 - t). The last step lands on the network's own prediction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STEP_TIMES: Final = (0.0, 0.25, 0.5, 0.75)
"""Flow times at which the network is asked."""


class Denoiser(Protocol):
    """Predicts motion from noisy motion."""

    def __call__(self, noisy: NDArray[np.float32], time: float) -> NDArray[np.float32]:
        """Returns the motion expected at the end of the path, of the shape of `noisy`.

        Args:
            noisy: float32 (n_frames, n_channels), normalised.
            time: Flow time in [0, 1), 0 is pure noise.
        """
        ...


def sample(denoise: Denoiser, noise: NDArray[np.float32], times: Sequence[float] = STEP_TIMES) -> NDArray[np.float32]:
    """Returns one sample by Euler steps, of the shape of `noise`.

    Args:
        denoise: The network with its conditions.
        noise: float32 (n_frames, n_channels), standard normal.
        times: Increasing flow times in [0, 1), the first 0; the network runs once at each.
    """
    current = noise
    for time, following in zip(times, [*times[1:], 1.0], strict=True):
        target = denoise(current, time)
        share = (following - time) / (1 - time)
        current = np.asarray(current + share * (target - current), np.float32)
    return current
