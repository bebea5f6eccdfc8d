"""Kernels that move the sheet and draw it, in row bands without the interpreter's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Real = float | np.floating

_STILL = 0.004
"""Vertices that move less (pixels) and change brightness less are drawn from the resting picture."""
_FAR = np.float32(-1e9)
_EDGE = np.float32(1e-4)
_SLACK = np.float32(1e-3)


class Weights(NamedTuple):
    """A sparse matrix (n_vertices, 468) by rows: what landmarks add to vertices."""

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]


class Vertices(NamedTuple):
    """The sheet at rest.

    Attributes:
        rest: float32 (n, 3), pixels, y up, z to the viewer.
        home: float32 (n, 2), columns and rows in the portrait; the mouth may rest otherwise.
        follow: float32 (n,), share of the head's motion.
        wrinkles: float32 (n, n_wrinkles), brightness that each wrinkle adds.
    """

    rest: NDArray[np.float32]
    home: NDArray[np.float32]
    follow: NDArray[np.float32]
    wrinkles: NDArray[np.float32]


class Pose(NamedTuple):
    """The camera and the head's move.

    Attributes:
        camera: float32 (6,): optical axis x, y; distance; pivot x, y, z in space.
        turn: float32 (3, 3), rotation.
        shift: float32 (3,), pixels.
    """

    camera: NDArray[np.float32]
    turn: NDArray[np.float32]
    shift: NDArray[np.float32]


class Screen(NamedTuple):
    """The sheet in one frame.

    Attributes:
        place: float32 (n, 3): column, row and depth (greater is nearer).
        texture: float32 (n, 2): column and row in the texture.
        gain: float32 (n,), brightness.
        moving: uint8 (n,), 0 where nothing differs from the portrait.
    """

    place: NDArray[np.float32]
    texture: NDArray[np.float32]
    gain: NDArray[np.float32]
    moving: NDArray[np.uint8]


class Canvas(NamedTuple):
    """What each pixel of the output shows.

    Attributes:
        source: float32 (size, size, 3): column and row in the texture, and brightness.
        depth: float32 (size, size).
    """

    source: NDArray[np.float32]
    depth: NDArray[np.float32]


def pack(rgb: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Returns a picture (h, w, 3) with one word a pixel (h, w): red in the lowest byte."""
    red, green, blue = (rgb[..., channel].astype(np.uint32) for channel in range(3))
    return red | (green << np.uint32(8)) | (blue << np.uint32(16))


@njit(cache=True, nogil=True, fastmath=True)
def deform(
    weights: Weights,
    vertices: Vertices,
    moves: NDArray[np.float32],
    creases: NDArray[np.float32],
    pose: Pose,
    screen: Screen,
) -> None:
    """Moves the vertices with the landmarks and the head, and projects them.

    Args:
        weights: From landmarks to vertices.
        vertices: The sheet at rest.
        moves: (468, 4), what the landmarks add: x, y, z and brightness.
        creases: (n_wrinkles,), depth of each wrinkle.
        pose: Camera and head.
        screen: Filled, but for its texture.
    """
    camera, turn, shift = pose.camera, pose.turn, pose.shift
    axis_x, axis_y, distance = camera[0], camera[1], camera[2]
    for i in range(vertices.rest.shape[0]):
        dx = dy = dz = light = np.float32(0.0)
        for k in range(weights.indptr[i], weights.indptr[i + 1]):
            j, weight = weights.indices[k], weights.values[k]
            dx += weight * moves[j, 0]
            dy += weight * moves[j, 1]
            dz += weight * moves[j, 2]
            light += weight * moves[j, 3]
        for k in range(creases.shape[0]):
            light += creases[k] * vertices.wrinkles[i, k]
        z = vertices.rest[i, 2] + dz
        away = (distance - z) / distance
        x = (vertices.rest[i, 0] + dx - axis_x) * away
        y = (vertices.rest[i, 1] + dy - axis_y) * away
        share = vertices.follow[i]
        px, py, pz = x - camera[3], y - camera[4], z - camera[5]
        x += share * (turn[0, 0] * px + turn[0, 1] * py + turn[0, 2] * pz - px + shift[0])
        y += share * (turn[1, 0] * px + turn[1, 1] * py + turn[1, 2] * pz - py + shift[1])
        z += share * (turn[2, 0] * px + turn[2, 1] * py + turn[2, 2] * pz - pz + shift[2])
        scale = distance / (distance - z)
        column, row = x * scale + axis_x, -(y * scale + axis_y)
        screen.place[i, 0] = column
        screen.place[i, 1] = row
        screen.place[i, 2] = z
        screen.gain[i] = np.float32(1.0) + light
        moved = max(abs(column - vertices.home[i, 0]), abs(row - vertices.home[i, 1]), abs(light))
        screen.moving[i] = 1 if moved >= _STILL else 0


@njit(cache=True, nogil=True, fastmath=True)
def uncross(place: NDArray[np.float32], upper: NDArray[np.int32], lower: NDArray[np.int32]) -> None:
    """Puts both contours half way wherever the lower one lies above the upper one on the screen."""
    for k in range(upper.shape[0]):
        a, b = upper[k], lower[k]
        if place[b, 1] < place[a, 1]:
            for axis in range(2):
                middle = np.float32(0.5) * (place[a, axis] + place[b, axis])
                place[a, axis] = middle
                place[b, axis] = middle


@njit(cache=True, nogil=True, fastmath=True)
def _cut(low: _Real, high: _Real, weight: _Real, slope: _Real) -> tuple[_Real, _Real]:
    """Returns the part of a span in which a weight that grows by `slope` a pixel is not negative."""
    if slope > np.float32(0.0):
        return max(low, (-_EDGE - weight) / slope), high
    if slope < np.float32(0.0):
        return low, min(high, (-_EDGE - weight) / slope)
    return low, high if weight >= -_EDGE else low - np.float32(1.0)


@njit(cache=True, nogil=True, fastmath=True)
def _rasterise(screen: Screen, face: NDArray[np.int32], canvas: Canvas, first: int, last: int) -> None:
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
        n = int(high) - start + 1
        here, to = canvas.depth[y, left + start :], canvas.source[y, left + start :]
        for x in range(n):
            along = np.float32(x)
            depth = z + along * z_step
            if depth >= here[x]:
                here[x] = depth
                to[x, 0] = u + along * u_step
                to[x, 1] = v + along * v_step
                to[x, 2] = light + along * g_step


@njit(cache=True, nogil=True, fastmath=True)
def _sample(
    picture: NDArray[np.uint32],
    resting: NDArray[np.uint8],
    canvas: Canvas,
    out: NDArray[np.uint8],
    first: int,
    last: int,
) -> None:
    """Bilinear interpolation in fixed point; red and blue share a word, each with 8 bits to spare."""
    widest, tallest = np.float32(picture.shape[1] - 1.01), np.float32(picture.shape[0] - 1.01)
    one, fine, nothing = np.float32(1.0), np.float32(256.0), np.float32(0.0)
    pair, low, half, halves = np.uint32(0x00FF00FF), np.uint32(0xFF), np.uint32(128), np.uint32(0x00800080)
    full, eight, sixteen = np.uint32(256), np.uint32(8), np.uint32(16)
    # Unsigned indices spare the test for negative ones, which costs more than the arithmetic.
    flat, stride, right = picture.reshape(-1), np.uintp(picture.shape[1]), np.uintp(1)
    for y in range(first, last):
        here, from_, to, still = canvas.depth[y], canvas.source[y], out[y], resting[y]
        for x in range(here.shape[0]):
            if here[x] <= _FAR:
                to[x, 0] = still[x, 0]
                to[x, 1] = still[x, 1]
                to[x, 2] = still[x, 2]
                continue
            u = min(max(from_[x, 0], nothing), widest)
            v = min(max(from_[x, 1], nothing), tallest)
            column, row = np.int32(u), np.int32(v)
            fu = np.uint32((u - np.float32(column)) * fine)
            fv = np.uint32((v - np.float32(row)) * fine)
            w11 = (fu * fv) >> eight
            w01, w10 = fu - w11, fv - w11
            w00 = full - fu - w10
            place = np.uintp(row) * stride + np.uintp(column)
            a, b = flat[place], flat[place + right]
            c, d = flat[place + stride], flat[place + stride + right]
            both = ((a & pair) * w00 + (b & pair) * w01 + (c & pair) * w10 + (d & pair) * w11 + halves) >> eight
            upper = ((a >> eight) & low) * w00 + ((b >> eight) & low) * w01
            green = (upper + ((c >> eight) & low) * w10 + ((d >> eight) & low) * w11 + half) >> eight
            red, blue = both & low, (both >> sixteen) & low
            light = from_[x, 2]
            if light != one:
                scale = np.uint32(max(light, nothing) * fine + np.float32(0.5))
                red = min((red * scale + half) >> eight, low)
                green = min((green * scale + half) >> eight, low)
                blue = min((blue * scale + half) >> eight, low)
            to[x, 0] = np.uint8(red)
            to[x, 1] = np.uint8(green)
            to[x, 2] = np.uint8(blue)


@njit(cache=True, nogil=True, fastmath=True)
def draw_band(
    screen: Screen,
    faces: NDArray[np.int32],
    picture: NDArray[np.uint32],
    resting: NDArray[np.uint8],
    canvas: Canvas,
    out: NDArray[np.uint8],
    first: int,
    last: int,
) -> None:
    """Draws rows `first` to `last` of the sheet over the resting picture.

    Args:
        screen: The sheet in this frame.
        faces: (n_faces, 3), its triangles; those of which nothing moves are not drawn.
        picture: (side, side), the portrait at the texture's resolution, packed by `pack`.
        resting: (size, size, 3), the portrait at the output's resolution.
        canvas: Scratch.
        out: (size, size, 3), the picture.
        first: The band's first row.
        last: One past its last row.
    """
    canvas.depth[first:last] = _FAR
    for f in range(faces.shape[0]):
        face = faces[f]
        if screen.moving[face[0]] + screen.moving[face[1]] + screen.moving[face[2]] > 0:
            _rasterise(screen, face, canvas, first, last)
    _sample(picture, resting, canvas, out, first, last)


@njit(cache=True, nogil=True, fastmath=True)
def _smoothed(picture: NDArray[np.uint8], row: int, column: int, channel: int) -> int:
    total = np.int32(8)
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            total += (2 - abs(dy)) * (2 - abs(dx)) * np.int32(picture[row + dy, column + dx, channel])
    return int(total // 16)


@njit(cache=True, nogil=True, fastmath=True)
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
        here, below = canvas.depth[y], canvas.depth[y + 1]
        source, under = canvas.source[y], canvas.source[y + 1]
        for x in range(width - 2):
            if here[x] <= _FAR or here[x + 1] <= _FAR or below[x] <= _FAR or x == 0:
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
