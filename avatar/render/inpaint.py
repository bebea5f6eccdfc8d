"""Fills unknown pixels from known ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def spread(colour: NDArray[np.float32], known: NDArray[np.bool_], sigma: float) -> NDArray[np.float32]:
    """Returns colours (h, w, 3) carried smoothly from the known pixels outwards, `sigma` pixels at first, then farther."""
    total = np.zeros_like(colour)
    weight = np.full(known.shape, 1e-9, np.float32)
    solid = known.astype(np.float32)
    for scale, share in ((1.0, 1.0), (2.5, 1e-2), (6.0, 1e-4)):
        total += share * cv2.GaussianBlur(colour * solid[..., None], (0, 0), sigma * scale)
        weight += share * cv2.GaussianBlur(solid, (0, 0), sigma * scale)
    return total / weight[..., None]
