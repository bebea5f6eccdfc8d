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


@njit(**PART, fastmath=True, error_model="numpy")
def _may_fold(canvas: Canvas, y: int, jump: np.float32) -> bool:
    """Returns whether any pixel of a row is next to one far away in the texture; runs on several pixels at once."""
    left, right = max(canvas.span[y, 0], 1), min(canvas.span[y, 1], canvas.depth.shape[1] - 1)
    here, below = canvas.depth[y, left:right], canvas.depth[y + 1, left:right]
    source, under = canvas.source[y, left:right], canvas.source[y + 1, left:right]
    found = np.int32(0)
    for x in range(here.shape[0] - 1):
        covered = (here[x] > FAR) & (here[x + 1] > FAR) & (below[x] > FAR)
        across = max(abs(source[x + 1, 0] - source[x, 0]), abs(source[x + 1, 1] - source[x, 1]))
        down = max(abs(under[x, 0] - source[x, 0]), abs(under[x, 1] - source[x, 1]))
        found |= np.int32(covered & (max(across, down) > jump))
    return found != 0


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def find_folds(
    canvas: Canvas, picture: NDArray[np.uint8], jump: float, found: NDArray[np.int32], first: int, last: int
) -> int:
    """Finds pixels where the sheet hides part of itself, and what they become when smoothed.

    Args:
        canvas: What each pixel shows.
        picture: The picture drawn so far.
        jump: Least step between neighbours' texture places, in texels, that counts.
        found: (n, 5), filled with rows, columns and colours.
        first: First row to look at.
        last: One past the last row.

    Returns:
        How many were found.
    """
    height, width = canvas.depth.shape
    n = 0
    for y in range(max(first, 1), min(last, height - 2)):
        if not _may_fold(canvas, y, np.float32(jump)):
            continue
        here, below = canvas.depth[y], canvas.depth[y + 1]
        source, under = canvas.source[y], canvas.source[y + 1]
        for x in range(1, width - 2):
            if here[x] <= FAR or here[x + 1] <= FAR or below[x] <= FAR:
                continue
            across = max(abs(source[x + 1, 0] - source[x, 0]), abs(source[x + 1, 1] - source[x, 1]))
            down = max(abs(under[x, 0] - source[x, 0]), abs(under[x, 1] - source[x, 1]))
            if max(across, down) <= jump:
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
