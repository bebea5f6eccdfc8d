"""Points on the head's surface: the nearest one, and the margins of lips and lids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from avatar.motion.layout import INDEX
from scripts.head.draw import seen
from scripts.head.makehuman import PART_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scripts.head.makehuman import MakeHumanHead

_MARGIN_SCALE = 1500.0
"""Pixels per decimetre of the pictures in which margins are looked for."""

_STEP = 3
_BESIDE_EYE = np.array([0.2, 0.0])


@dataclass(frozen=True, slots=True)
class SurfacePoints:
    """Points fixed to the mesh.

    Attributes:
        corners: int64 (n, 3), vertices of each point's triangle.
        weights: float64 (n, 3), barycentric.
    """

    corners: NDArray[np.int64]
    weights: NDArray[np.float64]

    def on(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns (..., n, 3): positions or displacements (..., n_vertices, 3) at the points."""
        return (values[..., self.corners, :] * self.weights[..., None]).sum(-2)


def nearest(triangles: NDArray[np.float64], point: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]]:
    """Returns which of the triangles (m, 3, 3) holds the point nearest to `point`, and its barycentric weights."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    u, v, w = b - a, c - a, point - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    wu, wv = (w * u).sum(1), (w * v).sum(1)
    area = np.maximum(uu * vv - uv * uv, 1e-20)
    second, third = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    inside = (second >= 0) & (third >= 0) & (second + third <= 1)
    choices = [np.column_stack([1 - second - third, second, third])]
    for start, end in ((0, 1), (0, 2), (1, 2)):
        edge = triangles[:, end] - triangles[:, start]
        along = ((point - triangles[:, start]) * edge).sum(1) / np.maximum((edge * edge).sum(1), 1e-20)
        weights = np.zeros((len(triangles), 3))
        weights[:, end] = np.clip(along, 0, 1)
        weights[:, start] = 1 - weights[:, end]
        choices.append(weights)
    stacked = np.stack(choices)
    distances = (((stacked[..., None] * triangles).sum(2) - point) ** 2).sum(-1)
    distances[0, ~inside] = np.inf
    choice, index = np.unravel_index(distances.argmin(), distances.shape)
    return int(index), stacked[choice, index]


class Margins:
    """Where the closed lips meet and where each lid meets the eyeball, on the mean head seen from the front.

    Attributes:
        lines: For lip_upper, lip_lower, left_upper, left_lower, right_upper, right_lower: the points, from the
            picture's left to its right.
    """

    def __init__(self, head: MakeHumanHead, units: NDArray[np.float64]) -> None:
        self._head, self._mean = head, head.mean()
        drawn = head.triangle_part < PART_NAMES.index("left_lashes")
        self._triangles, self._part = head.triangles[drawn], head.triangle_part[drawn]
        self.lines: dict[str, SurfacePoints] = {}
        self._find_lips(-units[INDEX["jawOpen"], :, 1])
        for side in ("left", "right"):
            self._find_lids(side)

    def _seen(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Returns triangles and weights under the pixels of the frontal rectangle between two corners, (x, y)."""
        width, height = ((high - low) * _MARGIN_SCALE).astype(int)
        points = np.column_stack([self._mean[:, 0] - low[0], high[1] - self._mean[:, 1], self._mean[:, 2]])
        return seen(points * [_MARGIN_SCALE, _MARGIN_SCALE, 1], self._triangles, height, width)

    def _keep(
        self, name: str, pixels: list[tuple[int, int]], face: NDArray[np.int32], weights: NDArray[np.float32]
    ) -> None:
        rows, columns = np.array(pixels).T
        corners = self._triangles[face[rows, columns]].astype(np.int64)
        self.lines[name] = SurfacePoints(corners, weights[rows, columns].astype(float))

    def _find_lips(self, drop: NDArray[np.float64]) -> None:
        """The seam is where the drop of an opening jaw jumps from the upper lip to the lower."""
        lips = self._head.mask("lips") > 0.3
        around = self._mean[lips, :2]
        face, weights = self._seen(around.min(0) - 0.02, around.max(0) + 0.02)
        corners = self._triangles[np.maximum(face, 0)]
        falls = (drop[corners] * weights).sum(-1)
        on_lips = (face >= 0) & lips[corners].any(-1)
        upper: list[tuple[int, int]] = []
        lower: list[tuple[int, int]] = []
        for column in range(0, face.shape[1], _STEP):
            rows = np.nonzero(on_lips[:, column])[0]
            if len(rows) < 8:
                continue
            jumps = np.diff(falls[rows, column])
            k = int(jumps.argmax())
            if jumps[k] > 0.03:
                upper.append((rows[k], column))
                lower.append((rows[k + 1], column))
        self._keep("lip_upper", upper, face, weights)
        self._keep("lip_lower", lower, face, weights)

    def _find_lids(self, side: str) -> None:
        part = PART_NAMES.index(f"{side}_eye")
        ball = self._mean[self._head.vertex_part == part, :2]
        face, weights = self._seen(ball.min(0) - _BESIDE_EYE, ball.max(0) + _BESIDE_EYE)
        shown = np.where(face >= 0, self._part[np.maximum(face, 0)], -1)
        upper: list[tuple[int, int]] = []
        lower: list[tuple[int, int]] = []
        for column in range(0, face.shape[1], _STEP):
            rows = np.nonzero(shown[:, column] == part)[0]
            if len(rows) < 2 or rows[0] == 0 or rows[-1] == len(shown) - 1:
                continue
            if shown[rows[0] - 1, column] == 0 and shown[rows[-1] + 1, column] == 0:
                upper.append((rows[0] - 1, column))
                lower.append((rows[-1] + 1, column))
        self._keep(f"{side}_upper", upper, face, weights)
        self._keep(f"{side}_lower", lower, face, weights)
