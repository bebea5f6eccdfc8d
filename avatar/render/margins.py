"""What a picture may show beyond its edges: its mirror image, where a person that the edge cuts off ends in a bow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BOW = 0.15
"""Height of the bow over its length along the edge: an ear or a scalp that is cut off goes on so far."""
_SOLID = 128
"""Opacity from which a texel is the person's."""


def carried_on(sheet: NDArray[np.uint32], margin: int) -> NDArray[np.uint32]:
    """Returns a picture with `margin` texels more on every side, (side + 2 margin, side + 2 margin).

    What reaches an edge from corner to corner, or one corner, goes on to the end of the margin.

    Args:
        sheet: (side, side), colours times opacity, see `avatar.render.texture.pack`.
        margin: Texels, less than the side.
    """
    if margin == 0:
        return sheet
    padded = np.pad(sheet, margin, "symmetric")
    keep = np.ones(padded.shape, np.float32)
    solid = (sheet >> np.uint32(24)) >= _SOLID
    for turns in range(4):
        strip = np.rot90(keep, turns)[:margin, margin:-margin]
        strip[:] = _bows(np.rot90(solid, turns)[0], margin)
    channels = padded.view(np.uint8).reshape(*padded.shape, 4)
    scaled = (channels * keep[..., None] + np.float32(0.5)).astype(np.uint8)
    return scaled.view(np.uint32)[..., 0]


def _bows(solid: NDArray[np.bool_], margin: int) -> NDArray[np.float32]:
    """Returns how much is left of the margin (margin, side) beyond an edge (side,), whose last row is next to it."""
    side = len(solid)
    away = margin - np.arange(margin) - 0.5
    keep = np.zeros((margin, side), np.float32)
    changes = np.flatnonzero(np.diff(solid, prepend=False, append=False))
    for first, last in changes.reshape(-1, 2):
        if first == 0 or last == side:
            # What is half clear beside it belongs to it.
            keep[:, max(0, first - margin) : last + margin] = 1.0
            continue
        length = last - first
        along = (2 * np.arange(length) + 1 - length) / length
        height = _BOW * length * np.sqrt(1 - along**2)
        bow = np.clip((height[None] - away[:, None]) / 2 + 0.5, 0, 1)
        keep[:, first:last] = np.maximum(keep[:, first:last], bow)
    return keep
