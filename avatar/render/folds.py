"""Kernels that smooth the edge where the sheet hides part of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from avatar.kernels import PART
from avatar.render.raster import FAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.raster import Canvas


@njit(**PART, fastmath=True, error_model="numpy")
def _smoothed(picture: NDArray[np.uint8], row: int, column: int, channel: int) -> int:
    total = np.int32(8)
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            total += (2 - abs(dy)) * (2 - abs(dx)) * np.int32(picture[row + dy, column + dx, channel])
    return int(total // 16)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def find_folds(canvas: Canvas, picture: NDArray[np.uint8], jump: float, found: NDArray[np.int32]) -> int:
    """Finds pixels where the sheet hides part of itself, and what they become when smoothed.

    Args:
        canvas: What each pixel shows.
        picture: The picture drawn so far.
        jump: Least step between neighbours' texture places, in texels, that counts.
        found: (n, 5), filled with rows, columns and colours.

    Returns:
        How many were found.
    """
    height, width = canvas.span.shape[0], canvas.source.shape[1]
    n, least = 0, np.float32(jump)
    for y in range(1, height - 2):
        left = max(canvas.folded[y, 0], canvas.span[y, 0], 1)
        right = min(canvas.folded[y, 1], canvas.span[y, 1] - 1, width - 2)
        here, below = canvas.source[y], canvas.source[y + 1]
        for x in range(left, right):
            across = max(abs(here[x + 1, 0] - here[x, 0]), abs(here[x + 1, 1] - here[x, 1]))
            down = max(abs(below[x, 0] - here[x, 0]), abs(below[x, 1] - here[x, 1]))
            if max(across, down) <= least or min(here[x, 3], here[x + 1, 3], below[x, 3]) <= FAR:
                continue
            for k in range(3):
                if n == found.shape[0]:
                    return n
                found[n, 0] = y + k // 2
                found[n, 1] = x + k % 2
                for channel in range(3):
                    found[n, 2 + channel] = _smoothed(picture, y + k // 2, x + k % 2, channel)
                n += 1
    return n


@njit(cache=True, nogil=True)
def put_pixels(picture: NDArray[np.uint8], found: NDArray[np.int32], n: int) -> None:
    """Writes the first `n` rows, columns and colours of `found` into the picture."""
    for k in range(n):
        for channel in range(3):
            picture[found[k, 0], found[k, 1], channel] = found[k, 2 + channel]
