"""Kernels that draw the moved sheet, in row bands without the interpreter's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from avatar.kernels import PART

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.deform import Screen

    _Real = float | np.floating

FAR = np.float32(-1e9)
"""Depth of a pixel that nothing covers."""
_EDGE = np.float32(1e-4)
_SLACK = np.float32(1e-3)


class Canvas(NamedTuple):
    """What each pixel of the output shows.

    Attributes:
        source: float32 (size, size, 3): column and row in the texture, and brightness.
        depth: float32 (size, size).
        span: int32 (size, 2): of each row, the first column that is covered, and one past the last.
    """

    source: NDArray[np.float32]
    depth: NDArray[np.float32]
    span: NDArray[np.int32]


def blank_canvas(size: int) -> Canvas:
    """Returns scratch for pictures of `size` pixels."""
    depth = np.zeros((size, size), np.float32)
    return Canvas(np.zeros((size, size, 3), np.float32), depth, np.zeros((size, 2), np.int32))


@njit(**PART, fastmath=True, error_model="numpy")
def _cut(low: _Real, high: _Real, weight: _Real, slope: _Real) -> tuple[_Real, _Real]:
    """Returns the part of a span in which a weight that grows by `slope` a pixel is not negative."""
    if slope > np.float32(0.0):
        return max(low, (-_EDGE - weight) / slope), high
    if slope < np.float32(0.0):
        return low, min(high, (-_EDGE - weight) / slope)
    return low, high if weight >= -_EDGE else low - np.float32(1.0)


@njit(**PART, fastmath=True, error_model="numpy")
def _draw_triangle(screen: Screen, face: NDArray[np.int32], canvas: Canvas, first: int, last: int) -> None:
    """Draws one triangle's texture places into rows `first` to `last`, where it is the nearest so far."""
    place, texture, gain = screen.place, screen.texture, screen.gain
    a, b, c = face[0], face[1], face[2]
    ay, by, cy = place[a, 1], place[b, 1], place[c, 1]
    top = max(first, int(np.ceil(min(ay, by, cy) - _SLACK)))
    bottom = min(last - 1, int(np.floor(max(ay, by, cy) + _SLACK)))
    ax, bx, cx = place[a, 0], place[b, 0], place[c, 0]
    left = max(0, int(np.ceil(min(ax, bx, cx) - _SLACK)))
    right = min(canvas.depth.shape[1] - 1, int(np.floor(max(ax, bx, cx) + _SLACK)))
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    if top > bottom or left > right or abs(area) < np.float32(1e-9):
        return
    one = np.float32(1.0)
    inverse = one / area
    bx, by, cx, cy = (cy - ay) * inverse, (ax - cx) * inverse, (ay - by) * inverse, (bx - ax) * inverse
    au, av, ag, az = texture[a, 0], texture[a, 1], gain[a], place[a, 2]
    bu, bv, bg, bz = texture[b, 0] - au, texture[b, 1] - av, gain[b] - ag, place[b, 2] - az
    cu, cv, cg, cz = texture[c, 0] - au, texture[c, 1] - av, gain[c] - ag, place[c, 2] - az
    u_step, v_step, g_step, z_step = bu * bx + cu * cx, bv * bx + cv * cx, bg * bx + cg * cx, bz * bx + cz * cx
    for y in range(top, bottom + 1):
        dx, dy = np.float32(left) - ax, np.float32(y) - ay
        wb, wc = dx * bx + dy * by, dx * cx + dy * cy
        low, high = _cut(np.float32(0.0), np.float32(right - left), wb, bx)
        low, high = _cut(low, high, wc, cx)
        low, high = _cut(low, high, one - wb - wc, -(bx + cx))
        if low > high:
            continue
        start = int(np.ceil(low))
        wb += np.float32(start) * bx
        wc += np.float32(start) * cx
        u, v, light, z = au + wb * bu + wc * cu, av + wb * bv + wc * cv, ag + wb * bg + wc * cg, az + wb * bz + wc * cz
        n, start = int(high) - start + 1, start + left
        span = canvas.span[y]
        span[0], span[1] = min(span[0], start), max(span[1], start + n)
        here, to = canvas.depth[y, start:], canvas.source[y, start:]
        for x in range(n):
            along = np.float32(x)
            depth = z + along * z_step
            if depth >= here[x]:
                here[x] = depth
                to[x, 0] = u + along * u_step
                to[x, 1] = v + along * v_step
                to[x, 2] = light + along * g_step


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def rasterise(screen: Screen, faces: NDArray[np.int32], canvas: Canvas, first: int, last: int) -> None:
    """Finds what rows `first` to `last` of the canvas show of the sheet.

    Args:
        screen: The sheet in this frame.
        faces: (n_faces, 3), its triangles; those of which nothing moves are left out.
        canvas: Filled.
        first: The first row.
        last: One past the last row.
    """
    canvas.depth[first:last] = FAR
    for y in range(first, last):
        canvas.span[y, 0], canvas.span[y, 1] = canvas.depth.shape[1], 0
    for f in range(faces.shape[0]):
        face = faces[f]
        if screen.moving[face[0]] + screen.moving[face[1]] + screen.moving[face[2]] > 0:
            _draw_triangle(screen, face, canvas, first, last)
