"""The sheet that is warped: the face mesh, refined, and the rest of the picture around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.sparse import csr_array, diags_array, vstack
from scipy.spatial import Delaunay

from avatar.portrait.head import load_head
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER, N_LANDMARKS, OVAL
from avatar.render.deform import Weights
from avatar.render.face import smoothstep
from avatar.render.filters import blurred
from avatar.render.lips import closing_offsets
from avatar.render.subdivision import Subdivision, subdivide
from avatar.render.topology import CHIN, EARS, EYES, NOSE_BRIDGE
from avatar.render.wrinkles import wrinkles_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

GRID = 14 / 512
"""Spacing of the sheet outside the face, in picture heights."""
_TAIL = 0.02
_EDGE = 40 / 512
"""Width of the picture's edge that stays more or less, in picture heights."""
_CUT = 0.25
"""More of the person than this in the picture's last pixels is cut off there."""
_STEEPEST = 1.6
"""Depth may fall by this much per pixel beside a nearer point, so that turning by 30° folds nothing over."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Two contours with a hole between them, corner to corner, the picture's left first.

    Attributes:
        upper: int32 (n,), vertices.
        lower: int32 (n,).
    """

    upper: NDArray[np.int32]
    lower: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Surface:
    """The sheet at rest and how it follows the landmarks and the head.

    Attributes:
        rest: float32 (n_vertices, 3), pixels, y up, z to the viewer.
        texture: float32 (n_vertices, 2), column and row in the portrait's picture.
        follow: float32 (n_vertices,), 1 moves with the head, 0 stays.
        weights: Moves of the landmarks to moves of the vertices.
        wrinkles: float32 (n_vertices, n_wrinkles), see `avatar.render.wrinkles`.
        faces: int32 (n_faces, 3).
        n_face: The first vertices, which lie on the face.
        mouth: Inner lips.
        eyes: Lids; the picture's left eye first.
        strips: Per eye, the first of the vertices that repeat its lower lid to hang a strip from the upper one.
    """

    rest: NDArray[np.float32]
    texture: NDArray[np.float32]
    follow: NDArray[np.float32]
    weights: Weights
    wrinkles: NDArray[np.float32]
    faces: NDArray[np.int32]
    n_face: int
    mouth: Opening
    eyes: tuple[Opening, Opening]
    strips: tuple[int, int]


def build_surface(face: Face, person: NDArray[np.float32], *, cut_out: bool = False) -> Surface:
    """Returns the sheet of a face.

    Args:
        face: The face, lips at the photo's own place.
        person: float32 (size, size), matte of the person.
        cut_out: The room isn't on the sheet, so that all around the head may move with it.
    """
    fine = subdivide(N_LANDMARKS, load_head().tessellation.astype(np.int64), 2)
    n_face = fine.n_vertices
    mouth = Opening(*(fine.refine(c).astype(np.int32) for c in (LIP_INNER_UPPER, LIP_INNER_LOWER)))
    eyes = [Opening(*(fine.refine(c).astype(np.int32) for c in (eye.upper, eye.lower))) for eye in EYES]
    rim = fine.refine([*OVAL, OVAL[0]])[:-1]

    rest = fine.linear @ face.points
    rest[:, 2] = (fine.smooth @ face.points)[:, 2]
    outside = _Outside(face, rest[rim], person, cut_out=cut_out)
    rest = np.concatenate([rest, outside.points])
    rest[:, 2] = np.maximum(rest[:, 2], _depth_floor(rest[:, :2], face.points))
    smooth = _linear_on(np.concatenate([c for eye in eyes for c in (eye.upper, eye.lower)]), fine)
    weights = csr_array(vstack([smooth, outside.expression @ fine.smooth[rim]]))
    texture = rest[:, :2].copy()
    if not face.mouth_closed:
        rest += _closing(face, fine, weights, mouth)

    follow = np.concatenate([np.ones(n_face), outside.follow()])
    faces = [outside.faces(rim, n_face), _strip(mouth.upper, mouth.lower)]
    strips: list[int] = []
    for eye in eyes:
        first = len(rest)
        strips.append(first)
        faces.append(_strip(eye.upper, np.arange(first, first + len(eye.lower), dtype=np.int32)))
        rest = np.concatenate([rest, rest[eye.lower]])
        texture = np.concatenate([texture, texture[eye.lower]])
        follow = np.concatenate([follow, follow[eye.lower]])
        weights = csr_array(vstack([weights, weights[eye.lower]]))
    faces.append(fine.faces)
    return Surface(
        rest=rest.astype(np.float32),
        texture=((texture * [1.0, -1.0] + 0.5) * face.texels - 0.5).astype(np.float32),
        follow=follow.astype(np.float32),
        weights=_rows(weights),
        wrinkles=wrinkles_of(face, rest),
        faces=np.concatenate(faces).astype(np.int32),
        n_face=n_face,
        mouth=mouth,
        eyes=(eyes[0], eyes[1]),
        strips=(strips[0], strips[1]),
    )


def _rows(matrix: csr_array) -> Weights:
    return Weights(
        np.asarray(matrix.indptr, np.int32), np.asarray(matrix.indices, np.int32), np.asarray(matrix.data, np.float32)
    )


def _linear_on(contour: NDArray[np.int32], fine: Subdivision) -> csr_array:
    """Returns Loop's weights, but midpoints on a contour: what closes its coarse points then closes all of it."""
    keep = np.ones(fine.n_vertices)
    keep[contour] = 0.0
    return csr_array(diags_array(keep) @ fine.smooth + diags_array(1.0 - keep) @ fine.linear)


def _closing(face: Face, fine: Subdivision, weights: csr_array, mouth: Opening) -> NDArray[np.float64]:
    offsets = closing_offsets(face)
    moved = weights @ offsets
    contour = np.concatenate([mouth.upper, mouth.lower])
    moved[contour] = (fine.linear @ offsets)[contour]
    return moved


def _depth_floor(where: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    apart = np.linalg.norm(where[:, None] - points[None, :, :2], axis=-1)
    return (points[None, :, 2] - _STEEPEST * apart).max(1)


def _strip(upper: NDArray[np.int32], lower: NDArray[np.int32]) -> NDArray[np.int32]:
    quads = np.stack([upper[:-1], lower[:-1], lower[1:], upper[:-1], lower[1:], upper[1:]], 1).reshape(-1, 3)
    whole = (quads[:, 0] != quads[:, 1]) & (quads[:, 1] != quads[:, 2]) & (quads[:, 2] != quads[:, 0])
    return quads[whole]


def _bell(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns exp(-x²) less its tail, so that what is far does not move at all."""
    return np.clip((np.exp(-(x**2)) - _TAIL) / (1 - _TAIL), 0, 1)


class _Outside:
    """Grid points between the face's rim and the picture's edge."""

    def __init__(self, face: Face, rim: NDArray[np.float64], person: NDArray[np.float32], *, cut_out: bool) -> None:
        self._face = face
        self._rim = rim
        n = round(1 / GRID)
        steps = np.linspace(0.0, face.size - 1.0, n + 1)
        columns, rows = np.meshgrid(steps, -steps)
        grid = np.stack([columns.ravel(), rows.ravel()], 1)
        polygon = rim[:, :2].astype(np.float32).reshape(-1, 1, 2)
        apart = np.array([-cv2.pointPolygonTest(polygon, (float(x), float(y)), measureDist=True) for x, y in grid])
        keep = apart > 0.5 * GRID * face.size
        self._polygon = polygon
        self._grid = grid[keep]
        self._apart = apart[keep]
        self._down = -face.up[:2] / np.linalg.norm(face.up[:2])
        self._below_chin = (self._grid - face.points[CHIN, :2]) @ self._down / face.width

        squared = ((self._grid[:, None] - rim[None, :, :2]) ** 2).sum(-1)
        spread = np.maximum(0.6 * self._apart, 6 / 512 * face.size)[:, None]
        nearest = np.exp(-(squared - squared.min(1, keepdims=True)) / (2 * spread**2))
        nearest[nearest < 1e-3] = 0.0
        self._nearest = nearest / nearest.sum(1, keepdims=True)
        reach = (0.22 + 0.38 * smoothstep((self._below_chin + 0.25) / 0.3)) * face.width
        self._loose = self._off_edge(person) if cut_out else self._belonging(person)
        self.expression = csr_array(self._nearest * (_bell(self._apart / reach) * self._loose)[:, None])
        self.points = np.concatenate([self._grid, self._depth()[:, None]], 1)

    def _depth(self) -> NDArray[np.float64]:
        """From the rim's depth to the plane of the ears, a little nearer over the forehead and down the neck."""
        face = self._face
        above = -(self._grid - face.points[NOSE_BRIDGE, :2]) @ self._down / face.width
        plane = face.points[list(EARS), 2].mean() + face.width * (
            0.14 * smoothstep(above / 0.6) + 0.12 * smoothstep((self._below_chin + 0.15) / 0.4)
        )
        at_rim = self._nearest @ self._rim[:, 2]
        return at_rim + (plane - at_rim) * smoothstep(self._apart / (0.45 * face.width))

    def _belonging(self, person: NDArray[np.float32]) -> NDArray[np.float64]:
        """Returns 1 at the person's points and those near the face, 0 in the room and at the picture's edge."""
        face, size = self._face, self._face.size
        near = round(0.024 * size)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * near + 1, 2 * near + 1))
        around = blurred(np.asarray(cv2.dilate(person, kernel), np.float32), 14 / 512 * size)
        column, row = np.clip(np.abs(self._grid).round().astype(int), 0, size - 1).T
        weight = np.clip((around[row, column] - _TAIL) / (1 - _TAIL), 0, 1)
        weight = np.maximum(weight, _bell(self._apart / (0.1 * face.width)))
        x, y = self._grid[:, 0], -self._grid[:, 1]
        edge = np.minimum.reduce([x, size - 1 - x, y, size - 1 - y])
        return weight * smoothstep(edge / (_EDGE * size))

    def _off_edge(self, person: NDArray[np.float32]) -> NDArray[np.float64]:
        """Returns 0 where the picture cuts the person off, 1 away from there."""
        size = self._face.size
        cut = np.ones((size, size), np.uint8)
        for border in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
            cut[border] = person[border] < _CUT
        apart = np.asarray(cv2.distanceTransform(cut, cv2.DIST_L2, 5), np.float64)
        column, row = np.clip(np.abs(self._grid).round().astype(int), 0, size - 1).T
        return smoothstep(apart[row, column] / (_EDGE * size))

    def follow(self) -> NDArray[np.float64]:
        """Returns each point's share of the head's motion: hair all, shoulders and the room none."""
        above = 1.0 - smoothstep((self._below_chin + 0.12) / 0.85)
        sideways = (
            np.abs((self._grid - self._face.points[CHIN, :2]) @ [-self._down[1], self._down[0]]) / self._face.width
        )
        above *= 1.0 - smoothstep((sideways - 0.5) / 0.6) * smoothstep(self._below_chin / 0.3)
        return self._loose * np.maximum(above, _bell(self._apart / (0.12 * self._face.width)))

    def faces(self, rim: NDArray[np.int64], n_face: int) -> NDArray[np.int64]:
        """Returns triangles (n, 3) over the rim's vertices and the grid's, which come after the face's `n_face`."""
        flat = np.concatenate([self._rim[:, :2], self._grid])
        found = Delaunay(flat).simplices
        middles = flat[found].mean(1)
        inside = [cv2.pointPolygonTest(self._polygon, (float(x), float(y)), measureDist=False) > 0 for x, y in middles]
        vertices = np.concatenate([rim, n_face + np.arange(len(self._grid))])
        return vertices[found[~np.array(inside)]]
