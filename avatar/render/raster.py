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
    _Side = tuple[_Real, _Real, _Real, _Real]
    _Weights = tuple[_Real, _Real, _Real, _Real]
    _Plane = tuple[_Real, _Real, _Real]
    _Box = tuple[int, int, int, int]
    _Corners = tuple[np.uintp, np.uintp, np.uintp]

FAR = np.float32(-1e9)
"""Depth of a pixel that nothing covers."""
_EDGE = np.float32(2e-4)
_SLACK = np.float32(1e-3)
_NO_END = np.float32(1e6)


class Canvas(NamedTuple):
    """What each pixel of the output shows.

    Attributes:
        source: float32 (size, size, 4): column and row in the texture, brightness, and depth.
        span: int32 (size, 2): of each row, the first column that is covered, and one past the last.
        folded: int32 (size, 2): of each row, the columns between which the sheet may hide part of itself, likewise.
    """

    source: NDArray[np.float32]
    span: NDArray[np.int32]
    folded: NDArray[np.int32]

    def covered(self) -> NDArray[np.bool_]:
        """Returns which pixels show the sheet, (size, size)."""
        return self.source[..., 3] > FAR


def blank_canvas(size: int) -> Canvas:
    """Returns scratch for pictures of `size` pixels."""
    return Canvas(np.zeros((size, size, 4), np.float32), np.zeros((size, 2), np.int32), np.zeros((size, 2), np.int32))


@njit(**PART, fastmath=True, error_model="numpy")
def _side(across: _Real, down: _Real, here: _Real) -> _Side:
    """Returns where a weight that grows by `across` a column and `down` a row from `here` is not negative.

    That is from the first number, which grows by the second a row, to the third, which grows by the fourth.
    """
    nothing = np.float32(0.0)
    level = abs(across) < np.float32(1e-6)
    slope = np.float32(1.0) if level else across
    at, step = -here / slope, -down / slope
    begins, ends = (not level) & (across > nothing), (not level) & (across < nothing)
    return (
        at - _EDGE if begins else -_NO_END,
        step if begins else nothing,
        at + _EDGE if ends else _NO_END,
        step if ends else nothing,
    )


@njit(**PART, fastmath=True, error_model="numpy")
def _note(marks: NDArray[np.int32], first: int, last: int, left: int, right: int) -> None:
    """Widens the columns noted in some rows (from `first` to `last`) to hold those from `left` to `right`."""
    for y in range(first, last):
        marks[y, 0], marks[y, 1] = min(marks[y, 0], left), max(marks[y, 1], right)


@njit(**PART, fastmath=True, error_model="numpy")
def _plane(a: _Real, b: _Real, c: _Real, weights: _Weights) -> _Plane:
    """Returns a value at a triangle's first corner, and what is added to it a column and a row, from all three."""
    bx, by, cx, cy = weights
    b, c = b - a, c - a
    return a, b * bx + c * cx, b * by + c * cy


@njit(**PART, fastmath=True, error_model="numpy")
def _fill(
    canvas: Canvas,
    flat: NDArray[np.float32],
    box: _Box,
    corner: tuple[_Real, _Real],
    weights: _Weights,
    planes: tuple[_Plane, _Plane, _Plane, _Plane],
) -> None:
    """Draws a triangle into its box, where it is the nearest so far.

    Args:
        canvas: Its spans are widened.
        flat: (4 size²,), the canvas's sources.
        box: First and last column, first and last row.
        corner: Column and row of the triangle's first corner.
        weights: What the second and the third corner's weight grow by a column and a row.
        planes: Column and row in the texture, brightness and depth, see `_plane`.
    """
    left, right, top, bottom = box
    ax, ay = corner
    bx, by, cx, cy = weights
    low_a, low_a_step, high_a, high_a_step = _side(-(bx + cx), -(by + cy), np.float32(1.0))
    low_b, low_b_step, high_b, high_b_step = _side(bx, by, np.float32(0.0))
    low_c, low_c_step, high_c, high_c_step = _side(cx, cy, np.float32(0.0))
    least, most = np.float32(left) - ax, np.float32(right) - ax
    (au, u_step, u_down), (av, v_step, v_down), (ag, g_step, g_down), (az, z_step, z_down) = planes
    for y in range(top, bottom + 1):
        dy = np.float32(y) - ay
        low = max(least, low_a + dy * low_a_step, low_b + dy * low_b_step, low_c + dy * low_c_step)
        high = min(most, high_a + dy * high_a_step, high_b + dy * high_b_step, high_c + dy * high_c_step)
        start, stop = int(np.ceil(ax + low)), int(np.floor(ax + high)) + 1
        if start >= stop:
            continue
        canvas.span[y, 0], canvas.span[y, 1] = min(canvas.span[y, 0], start), max(canvas.span[y, 1], stop)
        dx = np.float32(start) - ax
        u, v = au + dy * u_down + dx * u_step, av + dy * v_down + dx * v_step
        light, z = ag + dy * g_down + dx * g_step, az + dy * z_down + dx * z_step
        at, one = np.uintp(4 * (y * canvas.source.shape[1] + start)), np.uintp(1)
        for x in range(stop - start):
            along = np.float32(x)
            depth = z + along * z_step
            if depth >= flat[at + one + one + one]:
                flat[at] = u + along * u_step
                flat[at + one] = v + along * v_step
                flat[at + one + one] = light + along * g_step
                flat[at + one + one + one] = depth
            at += np.uintp(4)


@njit(**PART, fastmath=True, error_model="numpy")
def _draw_triangle(
    screen: Screen, corners: _Corners, canvas: Canvas, flat: NDArray[np.float32], rows: tuple[int, int], jump: _Real
) -> None:
    """Draws one triangle's texture places into some rows, and notes where it may fold the sheet."""
    a, b, c = corners
    ay, by, cy = screen.place[a, 1], screen.place[b, 1], screen.place[c, 1]
    top = max(rows[0], int(np.ceil(min(ay, by, cy) - _SLACK)))
    bottom = min(rows[1] - 1, int(np.floor(max(ay, by, cy) + _SLACK)))
    if top > bottom + 1:
        return
    ax, bx, cx = screen.place[a, 0], screen.place[b, 0], screen.place[c, 0]
    left = max(0, int(np.ceil(min(ax, bx, cx) - _SLACK)))
    right = min(canvas.source.shape[1] - 1, int(np.floor(max(ax, bx, cx) + _SLACK)))
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    if left > right + 1 or abs(area) < np.float32(1e-9):
        return
    inverse = np.float32(1.0) / area
    weights = (cy - ay) * inverse, (ax - cx) * inverse, (ay - by) * inverse, (bx - ax) * inverse
    u = _plane(screen.texture[a, 0], screen.texture[b, 0], screen.texture[c, 0], weights)
    v = _plane(screen.texture[a, 1], screen.texture[b, 1], screen.texture[c, 1], weights)
    if area < np.float32(0.0) or max(abs(u[1]), abs(u[2]), abs(v[1]), abs(v[2])) > jump:
        _note(canvas.folded, max(rows[0], top - 1), min(rows[1], bottom + 2), left - 1, right + 2)
    if top <= bottom and left <= right:
        light = _plane(screen.gain[a], screen.gain[b], screen.gain[c], weights)
        depth = _plane(screen.place[a, 2], screen.place[b, 2], screen.place[c, 2], weights)
        _fill(canvas, flat, (left, right, top, bottom), (ax, ay), weights, (u, v, light, depth))


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def rasterise(screen: Screen, faces: NDArray[np.int32], canvas: Canvas, jump: float, first: int, last: int) -> None:
    """Finds what rows `first` to `last` of the canvas show of the sheet.

    Args:
        screen: The sheet in this frame.
        faces: (n_faces, 3), its triangles, clockwise at rest; those of which nothing moves are left out.
        canvas: Filled.
        jump: Least step between neighbours' texture places, in texels, that tells a fold.
        first: The first row.
        last: One past the last row.
    """
    width = canvas.source.shape[1]
    flat, corners = canvas.source.reshape(-1), faces.reshape(-1)
    depths = flat[4 * first * width : 4 * last * width]
    for x in range((last - first) * width):
        depths[4 * x + 3] = FAR
    for y in range(first, last):
        canvas.span[y, 0], canvas.span[y, 1] = width, 0
        canvas.folded[y, 0], canvas.folded[y, 1] = width, 0
    steep = np.float32(jump)
    for f in range(faces.shape[0]):
        k = np.uintp(3 * f)
        a, b, c = np.uintp(corners[k]), np.uintp(corners[k + np.uintp(1)]), np.uintp(corners[k + np.uintp(2)])
        if screen.moving[a] | screen.moving[b] | screen.moving[c]:
            _draw_triangle(screen, (a, b, c), canvas, flat, (first, last), steep)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def watch(canvas: Canvas, place: NDArray[np.float32], edge: NDArray[np.int32]) -> None:
    """Has folds looked for along an edge at which the texture may jump.

    Args:
        canvas: Its folds are noted.
        place: (n_vertices, 2 or more), columns and rows of the sheet's vertices.
        edge: (n,), vertices in their order.
    """
    for k in range(edge.shape[0] - 1):
        a, b = edge[k], edge[k + 1]
        top, bottom = int(np.floor(min(place[a, 1], place[b, 1]))), int(np.floor(max(place[a, 1], place[b, 1])))
        left, right = int(np.floor(min(place[a, 0], place[b, 0]))), int(np.floor(max(place[a, 0], place[b, 0])))
        _note(canvas.folded, max(top - 1, 0), min(bottom + 2, canvas.folded.shape[0]), left - 1, right + 2)
