"""Motion through moments of which nothing is known."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EASE: Final = 10
"""Frames that motion takes to come to rest, or to leave it."""


def bridge_gaps(motion: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Returns motion in which unknown frames pass smoothly from the last known frame to the next.

    In a gap longer than 0.8 s the face comes to rest within 0.4 s and leaves it 0.4 s before its end; so it does after
    the last known frame and before the first.

    Args:
        motion: float32 (n_frames, 58).
        known: bool (n_frames,).
    """
    bridged = motion.copy()
    for before, after in pairwise([-1, *np.flatnonzero(known).tolist(), len(motion)]):
        length = after - before - 1
        if not length:
            continue
        step = np.arange(1, length + 1, dtype=np.float64)[:, None]
        inside = before >= 0 and after < len(motion)
        span = length + 1 if inside and length <= 2 * _EASE else _EASE
        total = np.zeros((length, motion.shape[1]))
        if before >= 0:
            total += _eased(1 - step / span) * motion[before]
        if after < len(motion):
            total += _eased(1 - (length + 1 - step) / span) * motion[after]
        bridged[before + 1 : after] = total
    return bridged


def _eased(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns a smooth step from 0 to 1, with level ends."""
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)
