"""Separates the person from the background: MediaPipe's selfie segmentation, sharpened along the picture's edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.network import Network
    from avatar.portrait.types import Floats

_EPSILON = 1e-4


def guided(matte: Floats, guide: Floats, radius: int) -> Floats:
    """Returns the matte filtered so that its edges follow the guide's (He, Sun, Tang 2010, "Guided Image Filtering").

    Args:
        matte: (height, width) in [0, 1].
        guide: (height, width) in [0, 1], the picture's luminance.
        radius: Pixels.
    """

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)), np.float32)

    mean_guide, mean_matte = mean(guide), mean(matte)
    slope = (mean(guide * matte) - mean_guide * mean_matte) / (mean(guide * guide) - mean_guide**2 + _EPSILON)
    return mean(slope) * guide + mean(mean_matte - slope * mean_guide)


def person_matte(network: Network, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns float32 (size, size) in [0, 1]: 1 on the person that fills most of a square picture.

    Args:
        network: `selfie_segmentation`.
        rgb: uint8 (size, size, 3).
    """
    size = rgb.shape[0]
    small = np.asarray(cv2.resize(rgb, (network.size, network.size), interpolation=cv2.INTER_AREA), np.float32) / 255
    straight = network(small)[0][..., 0]
    mirrored = network(small[:, ::-1])[0][:, ::-1, 0]
    coarse = np.asarray(cv2.resize((straight + mirrored) / 2, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
    luminance = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32) / 255
    matte = np.clip((guided(coarse, luminance, max(2, size // 128)) - 0.25) / 0.5, 0, 1)
    return _without_islands(matte.astype(np.float32))


def _without_islands(matte: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keeps the largest piece and closes the holes that don't reach the picture's edge."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((matte > 0.5).astype(np.uint8))
    if count < 2:
        return matte
    main = np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()), np.uint8)
    near = np.asarray(cv2.dilate(main, np.ones((9, 9), np.uint8)), np.float32)
    matte = matte * near
    size = matte.shape[0]
    count, labels, stats, _ = cv2.connectedComponentsWithStats((matte < 0.5).astype(np.uint8))
    for label in range(1, count):
        left, top, width, height, area = (int(v) for v in stats[label])
        inside = left > 0 and top > 0 and left + width < size and top + height < size
        if inside and area < size * size // 256:
            matte[cv2.dilate((labels == label).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0] = 1
    return matte
