"""Kernels that move the sheet and draw it, in row bands without the interpreter's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STILL = 0.004
"""Vertices that move less (pixels) and change brightness less are drawn from the resting picture."""


@njit(cache=True, nogil=True, fastmath=True)
def deform(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    weights: NDArray[np.float32],
    rest: NDArray[np.float32],
    home: NDArray[np.float32],
    moves: NDArray[np.float32],
    follow: NDArray[np.float32],
    camera: NDArray[np.float32],
    turn: NDArray[np.float32],
    screen: NDArray[np.float32],
    gain: NDArray[np.float32],
    moving: NDArray[np.uint8],
) -> None:
    """Moves the vertices with the landmarks and the head, and projects them.

    Args:
        indptr: Rows of the sparse weights.
        indices: Their columns, landmarks.
        weights: Their values.
        rest: (n, 3), pixels, y up.
        home: (n, 2), columns and rows of the vertices in the portrait (the mouth may rest otherwise).
        moves: (468, 4), what the landmarks add: x, y, z and brightness.
        follow: (n,), share of the head's motion.
        camera: Optical axis x, y; distance; pivot x, y, z in space; shift x, y, z.
        turn: (3, 3), the head's rotation.
        screen: (n, 3), filled with columns, rows and depth (greater is nearer).
        gain: (n,), filled with brightness factors.
        moving: (n,), filled with 1 where anything differs from the portrait.
    """
    axis_x, axis_y, distance = camera[0], camera[1], camera[2]
    for i in range(rest.shape[0]):
        dx = np.float32(0.0)
        dy = np.float32(0.0)
        dz = np.float32(0.0)
        light = np.float32(0.0)
        for k in range(indptr[i], indptr[i + 1]):
            j, weight = indices[k], weights[k]
            dx += weight * moves[j, 0]
            dy += weight * moves[j, 1]
            dz += weight * moves[j, 2]
            light += weight * moves[j, 3]
        z = rest[i, 2] + dz
        away = (distance - z) / distance
        x = (rest[i, 0] + dx - axis_x) * away
        y = (rest[i, 1] + dy - axis_y) * away
        share = follow[i]
        px, py, pz = x - camera[3], y - camera[4], z - camera[5]
        x += share * (turn[0, 0] * px + turn[0, 1] * py + turn[0, 2] * pz - px + camera[6])
        y += share * (turn[1, 0] * px + turn[1, 1] * py + turn[1, 2] * pz - py + camera[7])
        z += share * (turn[2, 0] * px + turn[2, 1] * py + turn[2, 2] * pz - pz + camera[8])
        scale = distance / (distance - z)
        column = x * scale + axis_x
        row = -(y * scale + axis_y)
        screen[i, 0] = column
        screen[i, 1] = row
        screen[i, 2] = z
        gain[i] = 1.0 + light
        still = abs(column - home[i, 0]) < _STILL and abs(row - home[i, 1]) < _STILL and abs(light) < _STILL
        moving[i] = 0 if still else 1


@njit(cache=True, nogil=True, fastmath=True)
def uncross(screen: NDArray[np.float32], upper: NDArray[np.int32], lower: NDArray[np.int32]) -> None:
    """Puts both contours half way wherever the lower one lies above the upper one on the screen."""
    for k in range(upper.shape[0]):
        a, b = upper[k], lower[k]
        if screen[b, 1] < screen[a, 1]:
            for axis in range(2):
                middle = 0.5 * (screen[a, axis] + screen[b, axis])
                screen[a, axis] = middle
                screen[b, axis] = middle


@njit(cache=True, nogil=True, fastmath=True)
def _rasterise(
    screen: NDArray[np.float32],
    texture: NDArray[np.float32],
    gain: NDArray[np.float32],
    moving: NDArray[np.uint8],
    faces: NDArray[np.int32],
    source: NDArray[np.float32],
    depth: NDArray[np.float32],
    first: int,
    last: int,
) -> None:
    width = depth.shape[1]
    for y in range(first, last):
        for x in range(width):
            depth[y, x] = -1e9
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if moving[a] + moving[b] + moving[c] == 0:
            continue
        ay, by, cy = screen[a, 1], screen[b, 1], screen[c, 1]
        top = max(first, int(np.ceil(min(ay, min(by, cy)) - 1e-3)))
        bottom = min(last - 1, int(np.floor(max(ay, max(by, cy)) + 1e-3)))
        if top > bottom:
            continue
        ax, bx, cx = screen[a, 0], screen[b, 0], screen[c, 0]
        left = max(0, int(np.ceil(min(ax, min(bx, cx)) - 1e-3)))
        right = min(width - 1, int(np.floor(max(ax, max(bx, cx)) + 1e-3)))
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if left > right or abs(area) < 1e-9:
            continue
        inverse = 1.0 / area
        bdx, bdy = (cy - ay) * inverse, -(cx - ax) * inverse
        cdx, cdy = -(by - ay) * inverse, (bx - ax) * inverse
        au, av, ag, az = texture[a, 0], texture[a, 1], gain[a], screen[a, 2]
        bu, bv, bg, bz = texture[b, 0] - au, texture[b, 1] - av, gain[b] - ag, screen[b, 2] - az
        cu, cv, cg, cz = texture[c, 0] - au, texture[c, 1] - av, gain[c] - ag, screen[c, 2] - az
        for y in range(top, bottom + 1):
            wb = (left - ax) * bdx + (y - ay) * bdy
            wc = (left - ax) * cdx + (y - ay) * cdy
            for x in range(left, right + 1):
                if wb >= -1e-4 and wc >= -1e-4 and wb + wc <= 1.0001:
                    z = az + wb * bz + wc * cz
                    if z >= depth[y, x]:
                        depth[y, x] = z
                        source[y, x, 0] = au + wb * bu + wc * cu
                        source[y, x, 1] = av + wb * bv + wc * cv
                        source[y, x, 2] = ag + wb * bg + wc * cg
                wb += bdx
                wc += cdx


@njit(cache=True, nogil=True, fastmath=True)
def _sample(
    picture: NDArray[np.uint8],
    resting: NDArray[np.uint8],
    source: NDArray[np.float32],
    depth: NDArray[np.float32],
    out: NDArray[np.uint8],
    first: int,
    last: int,
) -> None:
    height, width = picture.shape[0], picture.shape[1]
    for y in range(first, last):
        for x in range(depth.shape[1]):
            if depth[y, x] <= -1e9:
                for channel in range(3):
                    out[y, x, channel] = resting[y, x, channel]
                continue
            u = min(max(source[y, x, 0], 0.0), width - 1.001)
            v = min(max(source[y, x, 1], 0.0), height - 1.001)
            column, row = int(u), int(v)
            fu, fv = u - column, v - row
            light = source[y, x, 2]
            w00 = (1.0 - fu) * (1.0 - fv) * light
            w01 = fu * (1.0 - fv) * light
            w10 = (1.0 - fu) * fv * light
            w11 = fu * fv * light
            for channel in range(3):
                value = (
                    w00 * picture[row, column, channel]
                    + w01 * picture[row, column + 1, channel]
                    + w10 * picture[row + 1, column, channel]
                    + w11 * picture[row + 1, column + 1, channel]
                )
                out[y, x, channel] = np.uint8(min(value + 0.5, 255.0))


@njit(cache=True, nogil=True, fastmath=True)
def draw_band(
    screen: NDArray[np.float32],
    texture: NDArray[np.float32],
    gain: NDArray[np.float32],
    moving: NDArray[np.uint8],
    faces: NDArray[np.int32],
    picture: NDArray[np.uint8],
    resting: NDArray[np.uint8],
    source: NDArray[np.float32],
    depth: NDArray[np.float32],
    out: NDArray[np.uint8],
    first: int,
    last: int,
) -> None:
    """Draws rows `first` to `last` of the sheet over the resting picture.

    Args:
        screen: (n, 3), columns, rows and depths of the vertices.
        texture: (n, 2), their places in `picture`.
        gain: (n,), their brightness.
        moving: (n,), 0 where a vertex rests; triangles of such vertices are not drawn.
        faces: (n_faces, 3).
        picture: The portrait at the texture's resolution.
        resting: The portrait at the output's resolution, drawn where nothing moves.
        source: (size, size, 3), scratch: texture place and brightness of each pixel.
        depth: (size, size), scratch.
        out: (size, size, 3), the picture.
        first: The band's first row.
        last: One past its last row.
    """
    _rasterise(screen, texture, gain, moving, faces, source, depth, first, last)
    _sample(picture, resting, source, depth, out, first, last)


@njit(cache=True, nogil=True, fastmath=True)
def find_folds(
    source: NDArray[np.float32],
    depth: NDArray[np.float32],
    picture: NDArray[np.uint8],
    jump: float,
    found: NDArray[np.int32],
    first: int,
    last: int,
) -> int:
    """Finds pixels where the sheet hides part of itself, and what they become when smoothed.

    Args:
        source: Texture place of each pixel.
        depth: Depth of each pixel.
        picture: The picture drawn so far.
        jump: Least step between neighbours' texture places, in texels, that counts.
        found: (n, 5), filled with rows, columns and colours.
        first: First row to look at.
        last: One past the last row.

    Returns:
        How many were found.
    """
    height, width = depth.shape
    n = 0
    for y in range(max(first, 1), min(last, height - 2)):
        for x in range(1, width - 2):
            if depth[y, x] <= -1e9 or depth[y, x + 1] <= -1e9 or depth[y + 1, x] <= -1e9:
                continue
            u, v = source[y, x, 0], source[y, x, 1]
            across = max(abs(source[y, x + 1, 0] - u), abs(source[y, x + 1, 1] - v))
            down = max(abs(source[y + 1, x, 0] - u), abs(source[y + 1, x, 1] - v))
            if max(across, down) <= jump:
                continue
            for k in range(3):
                row = y + 1 if k == 2 else y
                column = x + 1 if k == 1 else x
                if n < found.shape[0]:
                    found[n, 0] = row
                    found[n, 1] = column
                    for channel in range(3):
                        total = np.int32(8)
                        for dy in range(-1, 2):
                            for dx in range(-1, 2):
                                weight = (2 - abs(dy)) * (2 - abs(dx))
                                total += weight * np.int32(picture[row + dy, column + dx, channel])
                        found[n, 2 + channel] = total // 16
                    n += 1
    return n


@njit(cache=True, nogil=True)
def put_pixels(picture: NDArray[np.uint8], found: NDArray[np.int32], n: int) -> None:
    """Writes the first `n` rows, columns and colours of `found` into the picture."""
    for k in range(n):
        for channel in range(3):
            picture[found[k, 0], found[k, 1], channel] = found[k, 2 + channel]
