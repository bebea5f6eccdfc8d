"""How much of each pixel lies inside a polygon."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from avatar.kernels import PART

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MARGIN = 4


class Window(NamedTuple):
    """A rectangle of the picture, in whole pixels."""

    left: int
    top: int
    height: int
    width: int


def window_around(polygon: NDArray[np.float32], size: int) -> Window | None:
    """Returns the window of a (size, size) picture that holds a polygon (n, 2) and its soft edge, if any."""
    (first, upper), (last, lower) = polygon.min(0).tolist(), polygon.max(0).tolist()
    left, top = max(math.floor(first) - _MARGIN, 0), max(math.floor(upper) - _MARGIN, 0)
    right, bottom = min(math.ceil(last) + _MARGIN + 1, size), min(math.ceil(lower) + _MARGIN + 1, size)
    if bottom - top < 3 or right - left < 3:
        return None
    return Window(left, top, bottom - top, right - left)


def at_columns(contour: NDArray[np.float32], values: NDArray[np.float32], window: Window) -> NDArray[np.float32]:
    """Returns values (n,) given along a contour (n, 2) at each column of a window, float32 (width,)."""
    order = np.argsort(contour[:, 0], kind="stable")
    across = np.arange(window.left, window.left + window.width)
    return np.interp(across, contour[order, 0], values[order]).astype(np.float32)


@njit(**PART)
def _accumulate_edge(
    total: NDArray[np.float32], x0: float, y0: float, x1: float, y1: float, height: int, width: int
) -> None:
    """Adds one edge's signed area to the row-wise differences of coverage (the method of the font-rs rasteriser)."""
    if y0 == y1:
        return
    sign = 1.0
    if y0 > y1:
        x0, y0, x1, y1, sign = x1, y1, x0, y0, -1.0
    slope = (x1 - x0) / (y1 - y0)
    x = x0 if y0 >= 0 else x0 - y0 * slope
    for row in range(max(0, int(y0)), min(height, int(np.ceil(y1)))):
        dy = min(row + 1.0, y1) - max(float(row), y0)
        following = x + slope * dy
        area = sign * dy
        left, right = min(x, following), max(x, following)
        x = following
        left = min(max(left, 0.0), width - 1.001)
        right = min(max(right, 0.0), width - 1.001)
        first = int(left)
        past = int(np.ceil(right))
        if past <= first + 1:
            part = 0.5 * (left + right) - first
            total[row, first] += area * (1.0 - part)
            total[row, first + 1] += area * part
            continue
        density = 1.0 / (right - left)
        covered = 0.0
        for column in range(first, past):
            # Mean coverage of this column by the span right of the edge, as the integral of a ramp.
            a = max(left, float(column))
            b = min(right, column + 1.0)
            ramp = density * 0.5 * ((b - left) * (b - left) - (a - left) * (a - left)) + (column + 1.0 - b)
            total[row, column] += area * (ramp - covered)
            covered = ramp
        total[row, past] += area * (1.0 - covered)


@njit(cache=True, nogil=True)
def cover(
    polygon: NDArray[np.float32],
    window: Window,
    scratch: NDArray[np.float32],
    coverage: NDArray[np.float32],
) -> None:
    """Fills `coverage` with the polygon's share of each pixel, softened by a binomial 3 x 3 window.

    Args:
        polygon: (n, 2), columns and rows; pixel centres are whole numbers.
        window: Where to look.
        scratch: (>= height, >= width + 2), overwritten.
        coverage: (>= height, >= width), filled with 0 to 1.
    """
    left, top, height, width = window
    scratch[:height, : width + 2] = 0.0
    n = polygon.shape[0]
    for k in range(n):
        following = (k + 1) % n
        _accumulate_edge(
            scratch,
            polygon[k, 0] - left + 0.5,
            polygon[k, 1] - top + 0.5,
            polygon[following, 0] - left + 0.5,
            polygon[following, 1] - top + 0.5,
            height,
            width + 1,
        )
    for y in range(height):
        sum_ = np.float32(0.0)
        for x in range(width):
            sum_ += scratch[y, x]
            scratch[y, x] = min(abs(sum_), np.float32(1.0))
    for y in range(height):
        above, below = max(y - 1, 0), min(y + 1, height - 1)
        for x in range(width):
            before, after = max(x - 1, 0), min(x + 1, width - 1)
            corners = scratch[above, before] + scratch[above, after] + scratch[below, before] + scratch[below, after]
            sides = scratch[above, x] + scratch[below, x] + scratch[y, before] + scratch[y, after]
            coverage[y, x] = (4.0 * scratch[y, x] + 2.0 * sides + corners) / 16.0
