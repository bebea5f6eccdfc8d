"""Draws the head well enough for a landmark model: a z-buffer, smooth shading, painted vertices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from scripts.head.makehuman import PART_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scripts.head.makehuman import MakeHumanHead

_LIGHT = np.array([0.25, 0.45, 0.85])
_AMBIENT = 0.35
_BACKGROUND = (150, 155, 160)
_SKIN, _LIP, _MOUTH, _BROW = (222, 178, 156), (186, 98, 96), (95, 38, 36), (62, 44, 36)
_SCLERA, _IRIS, _PUPIL = (236, 232, 228), (84, 62, 46), (18, 14, 12)
_TEETH, _TONGUE, _LASHES = (236, 230, 214), (196, 108, 106), (40, 30, 28)
_CAVITY = (48, 20, 20)
_SUPERSAMPLE = 2


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn head and what lies under each of its subpixels.

    Attributes:
        rgb: uint8 (size, size, 3).
        face: int32 (2 size, 2 size), index of the triangle seen, or -1.
        weights: float32 (2 size, 2 size, 3), barycentric position on it.
    """

    rgb: NDArray[np.uint8]
    face: NDArray[np.int32]
    weights: NDArray[np.float32]


@njit(cache=True, fastmath=True)
def fill(
    points: NDArray[np.float64],
    triangles: NDArray[np.int64],
    depth: NDArray[np.float64],
    face: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> None:
    """Draws triangles into a depth buffer; the nearest, which has the greatest z, wins.

    Args:
        points: float64 (n, 3): x, y in pixels downwards, and z.
        triangles: int64 (m, 3).
        depth: float64 (height, width), updated.
        face: int32 (height, width), index of the nearest triangle, updated.
        weights: float32 (height, width, 3), barycentric position on it, updated.
    """
    height, width = depth.shape
    for f in range(triangles.shape[0]):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ux, uy = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
        vx, vy = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1]
        area = ux * vy - vx * uy
        if abs(area) < 1e-12:
            continue
        left = max(0, int(np.ceil(min(points[a, 0], points[b, 0], points[c, 0]))))
        right = min(width - 1, int(np.floor(max(points[a, 0], points[b, 0], points[c, 0]))))
        top = max(0, int(np.ceil(min(points[a, 1], points[b, 1], points[c, 1]))))
        bottom = min(height - 1, int(np.floor(max(points[a, 1], points[b, 1], points[c, 1]))))
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                px, py = x - points[a, 0], y - points[a, 1]
                wb = (px * vy - vx * py) / area
                wc = (ux * py - px * uy) / area
                if wb < -1e-6 or wc < -1e-6 or wb + wc > 1.000001:
                    continue
                z = points[a, 2] * (1 - wb - wc) + points[b, 2] * wb + points[c, 2] * wc
                if z > depth[y, x]:
                    depth[y, x] = z
                    face[y, x] = f
                    weights[y, x, 0] = 1 - wb - wc
                    weights[y, x, 1] = wb
                    weights[y, x, 2] = wc


def seen(
    points: NDArray[np.float64], triangles: NDArray[np.int64], height: int, width: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Returns the nearest triangle under each pixel (height, width), or -1, and the barycentric position there."""
    depth = np.full((height, width), -np.inf)
    face = np.full((height, width), -1, np.int32)
    weights = np.zeros((height, width, 3), np.float32)
    fill(np.ascontiguousarray(points), np.ascontiguousarray(triangles, np.int64), depth, face, weights)
    return face, weights


def normals(points: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns unit normals (n, 3) of the vertices, weighted by area."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    total = np.zeros_like(points)
    for k in range(3):
        np.add.at(total, triangles[:, k], across)
    return total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-12)


def rotation(yaw: float, pitch: float) -> NDArray[np.float64]:
    """Returns a rotation (3, 3) of y-up axes; degrees, positive yaw turns to the picture's right, pitch looks up."""
    y, p = np.deg2rad([yaw, -pitch])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    return about_y @ about_x


def eyes(head: MakeHumanHead, points: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], float]]:
    """Returns centre and radius of the left and the right eyeball."""
    balls = [points[head.vertex_part == PART_NAMES.index(name)] for name in ("left_eye", "right_eye")]
    return [((ball.min(0) + ball.max(0)) / 2, float(np.ptp(ball[:, 1])) / 2) for ball in balls]


def paint(head: MakeHumanHead, *, dark_mouth: bool) -> NDArray[np.float64]:
    """Returns the colours (n, 3) of the mean head's vertices.

    Args:
        head: The mesh.
        dark_mouth: Paint all that lies behind the lips nearly black; on a pink tongue the landmark model takes the
            tongue's edge for the lower lip.
    """
    mean = head.mean()

    def blend(
        under: NDArray[np.float64], colour: tuple[int, int, int], share: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return under + (np.array(colour) - under) * share[:, None]

    colours = blend(np.tile(np.array(_SKIN, float), (len(mean), 1)), _LIP, np.clip(head.mask("lips") * 1.2, 0, 1))
    colours = blend(colours, _MOUTH, head.mask("inside-mouth"))
    colours = blend(colours, _BROW, _brow(head, mean))
    for name, colour in (("teeth", _TEETH), ("tongue", _TONGUE), ("lashes", _LASHES)):
        colours[np.isin(head.vertex_part, [k for k, part in enumerate(PART_NAMES) if name in part])] = colour
    for name, (centre, _) in zip(("left_eye", "right_eye"), eyes(head, mean), strict=True):
        towards = mean - centre
        cosine = towards[:, 2] / (np.linalg.norm(towards, axis=1) + 1e-9)
        ball = head.vertex_part == PART_NAMES.index(name)
        for colour, degrees in ((_SCLERA, 180), (_IRIS, 27), (_PUPIL, 12)):
            colours[ball & (cosine >= np.cos(np.deg2rad(degrees)) - 1e-9)] = colour
    if dark_mouth:
        inner = np.isin(head.vertex_part, [PART_NAMES.index(n) for n in ("upper_teeth", "lower_teeth", "tongue")])
        colours[inner | (head.mask("inside-mouth") > 0.5)] = _CAVITY
    return colours


def _brow(head: MakeHumanHead, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns how much brow each vertex carries: an arch above each eye, half a centimetre high."""
    height = eyes(head, mean)[0][0][1]
    total = np.zeros(len(mean))
    for side in (-1, 1):
        along = (mean[:, 0] * side - 0.13) / 0.40
        arch = height + 0.185 + 0.055 * np.sin(np.clip(along, 0, 1) * 2.3) - 0.03 * np.clip(along - 0.6, 0, 1)
        share = np.clip(1 - np.abs(mean[:, 1] - arch) / 0.05, 0, 1)
        total = np.maximum(total, share * ((along > -0.05) & (along < 1.02) & (mean[:, 2] > 0.7)))
    return np.clip(total * 1.3, 0, 1) * (head.vertex_part == 0)


def photograph(
    points: NDArray[np.float64], triangles: NDArray[np.int64], colours: NDArray[np.float64], size: int, scale: float
) -> Picture:
    """Returns a picture of a head that is already turned and centred on the camera's axis.

    Args:
        points: float64 (n, 3), decimetres, y up.
        triangles: int64 (m, 3).
        colours: float64 (n, 3).
        size: Side of the picture in pixels.
        scale: Pixels per decimetre at z = 0; the camera stands 60 cm away.
    """
    fine = size * _SUPERSAMPLE
    zoom = 6 / (6 - points[:, 2:]) * scale * _SUPERSAMPLE
    projected = np.column_stack([fine / 2 + points[:, :1] * zoom, fine / 2 - points[:, 1:2] * zoom, points[:, 2]])
    face, weights = seen(projected, triangles, fine, fine)
    hit = face >= 0
    corners, share = triangles[face[hit]], weights[hit][..., None]
    facing = (normals(points, triangles)[corners] * share).sum(1)
    facing /= np.linalg.norm(facing, axis=1, keepdims=True) + 1e-9
    facing[facing[:, 2] < 0] *= -1
    light = _AMBIENT + (1 - _AMBIENT) * np.clip(facing @ (_LIGHT / np.linalg.norm(_LIGHT)), 0, 1)
    canvas = np.full((fine, fine, 3), _BACKGROUND, float)
    canvas[hit] = (colours[corners] * share).sum(1) * light[:, None]
    small = canvas.reshape(size, _SUPERSAMPLE, size, _SUPERSAMPLE, 3).mean((1, 3))
    return Picture(np.clip(small, 0, 255).astype(np.uint8), face, weights)


def subpixels(
    face: NDArray[np.int32], allowed: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Returns rows and columns of the subpixels that show an allowed triangle, and their pixel positions (n, 2)."""
    rows, columns = np.nonzero((face >= 0) & allowed[np.maximum(face, 0)])
    return rows, columns, (np.column_stack([columns, rows]) + 0.5) / _SUPERSAMPLE - 0.5
