"""Kernels that move the sheet's vertices with the landmarks and the head."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STILL = 0.004
"""Vertices that move less (pixels) and change brightness less are drawn from the resting picture."""


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
    """

    rest: NDArray[np.float32]
    home: NDArray[np.float32]
    follow: NDArray[np.float32]


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


@njit(cache=True, nogil=True, fastmath=True)
def deform(
    weights: Weights,
    vertices: Vertices,
    moves: NDArray[np.float32],
    pose: Pose,
    screen: Screen,
) -> None:
    """Moves the vertices with the landmarks and the head, and projects them.

    Args:
        weights: From landmarks to vertices.
        vertices: The sheet at rest.
        moves: (468, 4), what the landmarks add: x, y, z and brightness.
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
def hang_strip(
    screen: Screen,
    vertices: Vertices,
    texture: NDArray[np.float32],
    upper: NDArray[np.int32],
    lower: NDArray[np.int32],
    first: int,
    travel: float,
) -> None:
    """Hangs the strip between two lids from the upper one: what moved lids let see of it shows the upper lash line.

    Args:
        screen: The sheet in this frame; the strip's lower edge is filled.
        vertices: The sheet at rest.
        texture: (n_vertices, 2), the vertices' own places in the texture.
        upper: (n,), vertices of the upper lid's edge.
        lower: (n,), of the lower lid's.
        first: The first of the vertices (n,) of the strip's lower edge.
        travel: Pixels of lid motion over which the strip goes from the photo's eye to the lash line.
    """
    place, moved = screen.place, np.float32(0.0)
    for k in range(upper.shape[0]):
        a, b = upper[k], lower[k]
        moved = max(moved, abs(place[b, 1] - place[a, 1] + vertices.rest[b, 1] - vertices.rest[a, 1]))
    share = min(moved / np.float32(travel), np.float32(1.0))
    for k in range(upper.shape[0]):
        a, b = upper[k], lower[k]
        for axis in range(3):
            place[first + k, axis] = place[b, axis]
        for axis in range(2):
            screen.texture[first + k, axis] = texture[b, axis] + share * (texture[a, axis] - texture[b, axis])
