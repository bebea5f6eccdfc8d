"""What the kernels share: places on a plane that is fixed to the head, and values between pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numba import njit

from avatar.kernels import PART

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Corners = tuple[int, int, float, float]


@njit(**PART, fastmath=True)
def ease(x: float) -> float:
    """Returns 0 below 0, 1 above 1, and between them a slope that begins and ends level."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3.0 - 2.0 * x)


@njit(**PART, fastmath=True)
def on_plane(plane: NDArray[np.float32], x: int, y: int) -> tuple[float, float]:
    """Returns where a pixel of the picture lies on a plane (8,), see `Camera.plane`: to the right and down."""
    dx, dy = x - plane[4], y - plane[5]
    return plane[0] * dx + plane[1] * dy, -(plane[2] * dx + plane[3] * dy)


@njit(**PART, fastmath=True)
def between(image: NDArray[np.float32], u: float, v: float) -> _Corners:
    """Returns the row and column of the first of the four pixels around a place, and the shares of the next ones.

    Beyond the image its edge is repeated.
    """
    u = min(max(u, 0.0), image.shape[1] - 1.001)
    v = min(max(v, 0.0), image.shape[0] - 1.001)
    row, column = int(v), int(u)
    return row, column, v - row, u - column


@njit(**PART, fastmath=True)
def mixed(image: NDArray[np.float32], corners: _Corners, channel: int | np.intp) -> float:
    """Returns one channel of an image (h, w, n) at a place that `between` found: bilinear."""
    row, column, down, right = corners
    above = (1.0 - right) * image[row, column, channel] + right * image[row, column + 1, channel]
    below = (1.0 - right) * image[row + 1, column, channel] + right * image[row + 1, column + 1, channel]
    return (1.0 - down) * above + down * below


@njit(**PART, fastmath=True)
def along(line: NDArray[np.float32], u: float) -> float:
    """Returns the value between two entries of a line (n,); beyond its ends they are repeated."""
    u = min(max(u, 0.0), line.shape[0] - 1.001)
    column = int(u)
    return line[column] + (u - column) * (line[column + 1] - line[column])
