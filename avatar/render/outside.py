"""The sheet outside the face: hair, ears, neck, shoulders and the room, on a grid that follows the head or not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import Delaunay

from avatar.render.face import smoothstep
from avatar.render.filters import blurred
from avatar.render.skull import depth_floor, depth_of_head
from avatar.render.topology import CHIN, EARS, NOSE_BRIDGE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Floats
    from avatar.render.face import Face

GRID: Final = 14 / 512
"""Spacing of the sheet outside the face, in picture heights."""
_TAIL = 0.02
_EDGE = 40 / 512
"""Width of the picture's edge that stays more or less, in picture heights."""
_CUT = 0.25
"""More of the person than this in the picture's last pixels is cut off there."""
_MOVES = 1e-3
"""A share of the head's motion that is some."""
_BEYOND = 0.35
"""How far the sheet goes on beyond an edge that cuts a head off, face widths: so far do heads move."""
_HANGS = (-0.9, 0.3)
"""Face widths below the chin between which hair comes off the head and hangs over shoulders that stay."""
_FLAT_REACH, _ROUND_REACH = 0.45, 0.25
"""Face widths over which the oval's depth goes over into a plane's, and into the head's."""


def _bell(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns exp(-x²) less its tail, so that what is far does not move at all."""
    return np.clip((np.exp(-(x**2)) - _TAIL) / (1 - _TAIL), 0, 1)


class Outside:
    """Grid points between the face's rim and the picture's edge, and beyond an edge that cuts off what moves.

    There the sheet goes on with the picture's mirror image, so that a head that comes away from the edge neither
    stretches nor ends.

    Args:
        face: The face.
        rim: float64 (n, 3), the face's outline.
        person: float32 (size, size), matte of the person.
        cut_out: The room isn't on the sheet.

    Attributes:
        points: float64 (n_points, 3), pixels, y up.
        expression: Sparse (n_points, n_rim), how the points follow the rim's moves.
        beyond: How far the points reach beyond the picture, pixels.
    """

    def __init__(self, face: Face, rim: NDArray[np.float64], person: NDArray[np.float32], *, cut_out: bool) -> None:
        self._face = face
        self._rim = rim
        self._polygon = rim[:, :2].astype(np.float32).reshape(-1, 1, 2)
        self._down = -face.up[:2] / np.linalg.norm(face.up[:2])
        self._ends = self._ends_of(person)
        spacing = (face.size - 1) / round(1 / GRID)
        n_beyond = math.ceil(_BEYOND * face.width / spacing)
        self.beyond = 0 if self._ends.all() else math.ceil(n_beyond * spacing) + 1
        left, right, top, bottom = (0 if ends else n_beyond for ends in self._ends)
        n = round(1 / GRID)
        columns, rows = np.meshgrid(np.arange(-left, n + right + 1), np.arange(-top, n + bottom + 1))
        grid: Floats = np.stack([columns.ravel() * spacing, -rows.ravel() * spacing], 1)
        apart = self._apart_from_face(grid)
        keep = apart > 0.5 * GRID * face.size
        self._grid, self._apart = grid[keep], apart[keep]

        squared = ((self._grid[:, None] - rim[None, :, :2]) ** 2).sum(-1)
        spread = np.maximum(0.6 * self._apart, 6 / 512 * face.size)[:, None]
        nearest = np.exp(-(squared - squared.min(1, keepdims=True)) / (2 * spread**2))
        nearest[nearest < 1e-3] = 0.0
        self._nearest = nearest / nearest.sum(1, keepdims=True)
        reach = (0.22 + 0.38 * smoothstep((self._below_chin(self._grid) + 0.25) / 0.3)) * face.width
        self._loose = self._off_edge(person) if cut_out else self._belonging(person)
        self.expression = csr_array(self._nearest * (_bell(self._apart / reach) * self._loose)[:, None])
        self.points = np.concatenate([self._grid, self._depth(person)[:, None]], 1)

    def follow(self) -> NDArray[np.float64]:
        """Returns each point's share of the head's motion: hair all, shoulders and the room none."""
        return self._loose * self._share(self._grid, self._apart)

    def faces(self, rim: NDArray[np.int64], n_face: int) -> NDArray[np.int64]:
        """Returns triangles (n, 3) over the rim's vertices and the grid's, which come after the face's `n_face`."""
        flat = np.concatenate([self._rim[:, :2], self._grid])
        found = Delaunay(flat).simplices
        middles = flat[found].mean(1)
        inside = [cv2.pointPolygonTest(self._polygon, (float(x), float(y)), measureDist=False) > 0 for x, y in middles]
        vertices = np.concatenate([rim, n_face + np.arange(len(self._grid))])
        return vertices[found[~np.array(inside)]]

    def _apart_from_face(self, grid: Floats) -> NDArray[np.float64]:
        """Returns the distances (n,) of points (n, 2) from the face's outline, less than 0 inside."""
        return np.array([-cv2.pointPolygonTest(self._polygon, (float(x), float(y)), measureDist=True) for x, y in grid])

    def _below_chin(self, grid: Floats) -> NDArray[np.float64]:
        """Returns how far points (n, 2) lie below the chin, face widths."""
        return (grid - self._face.points[CHIN, :2]) @ self._down / self._face.width

    def _share(self, grid: Floats, apart: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the shares (n,) of the head's motion at points (n, 2) of a person."""
        below = self._below_chin(grid)
        above = 1.0 - smoothstep((below + 0.12) / 0.85)
        across = np.array([-self._down[1], self._down[0]])
        sideways = np.abs((grid - self._face.points[CHIN, :2]) @ across) / self._face.width
        above *= 1.0 - smoothstep((sideways - 0.5) / 0.6) * smoothstep(below / 0.3)
        return np.maximum(above, _bell(apart / (0.12 * self._face.width)))

    def _ends_of(self, person: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Returns (4,) whether the sheet ends at the picture's left, right, upper and lower edge."""
        size = self._face.size
        along, zero, last = np.arange(size), np.zeros(size), np.full(size, size - 1)
        borders = ((zero, along), (last, along), (along, zero), (along, last))
        ends: list[bool] = []
        for columns, rows in borders:
            grid = np.stack([columns, -rows], 1).astype(np.float64)
            share = self._share(grid, self._apart_from_face(grid))
            cut = person[rows.astype(int), columns.astype(int)] >= _CUT
            ends.append(not bool((share[cut] > _MOVES).any()))
        return np.array(ends)

    def _depth(self, person: NDArray[np.float32]) -> NDArray[np.float64]:
        """From the rim's depth to the head's; down the neck, and where nothing turns, to the plane of the ears."""
        face, below = self._face, self._below_chin(self._grid)
        above = -(self._grid - face.points[NOSE_BRIDGE, :2]) @ self._down / face.width
        plane = face.points[list(EARS), 2].mean() + face.width * (
            0.14 * smoothstep(above / 0.6) + 0.12 * smoothstep((below + 0.15) / 0.4)
        )
        share = self._share(self._grid, self._apart) * (1.0 - smoothstep((below - _HANGS[0]) / (_HANGS[1] - _HANGS[0])))
        depth = plane + share * (depth_of_head(face, person, self._grid) - plane)
        at_rim = self._nearest @ self._rim[:, 2]
        reach = _FLAT_REACH + (_ROUND_REACH - _FLAT_REACH) * share
        depth = at_rim + (depth - at_rim) * smoothstep(self._apart / (reach * face.width))
        return depth_floor(self._grid, np.column_stack([self._grid, depth]))

    def _belonging(self, person: NDArray[np.float32]) -> NDArray[np.float64]:
        """Returns 1 at the person's points and those near the face, 0 in the room and where the sheet ends."""
        face, size = self._face, self._face.size
        near = round(0.024 * size)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * near + 1, 2 * near + 1))
        around = blurred(np.asarray(cv2.dilate(person, kernel), np.float32), 14 / 512 * size)
        weight = np.clip((self._mirrored(around) - _TAIL) / (1 - _TAIL), 0, 1)
        weight = np.maximum(weight, _bell(self._apart / (0.1 * face.width)))
        x, y = self._grid[:, 0], -self._grid[:, 1]
        from_edges = np.stack([x, size - 1 - x, y, size - 1 - y])
        edge = np.where(self._ends[:, None], from_edges, size).min(0)
        return weight * smoothstep(edge / (_EDGE * size))

    def _off_edge(self, person: NDArray[np.float32]) -> NDArray[np.float64]:
        """Returns 0 where the sheet ends with the person, 1 away from there."""
        size = self._face.size
        cut = np.ones((size, size), np.uint8)
        for border, ends in zip((np.s_[:, 0], np.s_[:, -1], np.s_[0], np.s_[-1]), self._ends, strict=True):
            if ends:
                cut[border] = person[border] < _CUT
        apart = np.asarray(cv2.distanceTransform(cut, cv2.DIST_L2, 5), np.float64)
        return smoothstep(self._mirrored(apart) / (_EDGE * size))

    def _mirrored(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Returns what a picture (size, size) has at the grid's points (n,); beyond it lies its mirror image."""
        size = self._face.size
        places = (self._grid * [1.0, -1.0]).round().astype(int)
        places = np.where(places < 0, -1 - places, places)
        column, row = np.clip(np.where(places >= size, 2 * size - 1 - places, places), 0, size - 1).T
        return values[row, column].astype(np.float64)
