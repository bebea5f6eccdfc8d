"""Picture operations of the set-up, with their types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def blurred(image: NDArray[np.floating], sigma: float) -> NDArray[np.float32]:
    """Returns an image (h, w) or (h, w, n) under a Gaussian window."""
    return np.asarray(cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma), np.float32)


def sampled(image: NDArray[np.floating], places: NDArray[np.floating]) -> NDArray[np.float32]:
    """Returns an image (h, w) at columns and rows (m, n, 2), bilinear; float32 (m, n)."""
    columns, rows = (np.ascontiguousarray(places[..., axis], np.float32) for axis in (0, 1))
    return np.asarray(cv2.remap(image.astype(np.float32), columns, rows, cv2.INTER_LINEAR), np.float32)


def inside(polygon: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Returns how much of each pixel lies in a polygon (n, 2) of columns and rows: uint8 (h, w), 255 is all."""
    mask = np.zeros(size, np.uint8)
    cv2.fillPoly(mask, [(polygon * 16).round().astype(np.int32)], [255.0], cv2.LINE_AA, 4)
    return mask


def spread(colour: NDArray[np.floating], known: NDArray[np.bool_], sigma: float) -> NDArray[np.float32]:
    """Returns colours (h, w, 3) carried from the known pixels outwards.

    Args:
        colour: The picture.
        known: (h, w), which pixels count.
        sigma: How far the nearest pixels rule, in pixels; beyond, averages over larger windows do.
    """
    total = np.zeros(colour.shape, np.float32)
    weight = np.full(known.shape, 1e-9, np.float32)
    solid = known.astype(np.float32)
    for scale, share in ((1.0, 1.0), (2.5, 1e-2), (6.0, 1e-4)):
        total += share * blurred(colour * solid[..., None], sigma * scale)
        weight += share * blurred(solid, sigma * scale)
    return total / weight[..., None]
