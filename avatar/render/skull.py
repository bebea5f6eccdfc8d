"""The head beyond the face's oval: skull, ears and neck of the fitted head, with the hair that the picture shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.spatial.distance import cdist

from avatar.portrait.head import load_head
from avatar.portrait.topology import OVAL
from avatar.render.face import smoothstep
from avatar.render.filters import blurred

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Floats
    from avatar.render.face import Face

_STEEPEST = 1.6
"""Depth may fall by this much per pixel beside a nearer point, so that turning by 30° folds nothing over."""
_CELL = 1 / 48
"""Width of the depth map's cells, face widths."""
_SPLITS = 4
"""Into so many parts the edges of the head's triangles are split to find what cells they cover."""
_SMOOTH = 0.04
_SCALP = (-0.6, -0.2)
"""Heights in head space, decimetres: hair begins to stand off the head at the first, and fully does at the second."""
_DIRECTIONS = 72
_EVEN = 7
"""Over so many directions the hair's thickness is evened."""
_SIDEWAYS = (1.4, 1.9)
"""Angles from straight up, radians, between which what stands beyond the head stops to be hair on it: it hangs down."""
_MOST_HAIR = 0.35
"""Hair is at most so thick, face widths."""
_BACK, _BACK_UNTIL = 0.5, 0.25
"""Beyond the head's silhouette depth falls by this much per pixel, until so many face widths away."""


def depth_of_head(face: Face, person: NDArray[np.float32], places: Floats) -> NDArray[np.float64]:
    """Returns the z (n,) of the fitted head with its hair, and of what goes on beyond its silhouette.

    Args:
        face: The face.
        person: float32 (size, size), matte of the person.
        places: (n, 2), pixels, y up.
    """
    head, vertices = load_head(), _laid_on(face)
    corners = _with_hair(face, vertices, person)[head.triangles[head.triangle_part == 0]]
    cell = _CELL * face.width
    low = places.min(0) - 2 * cell
    n_columns, n_rows = (np.ceil((places.max(0) - low) / cell).astype(int) + 3).tolist()
    depth = _nearest(corners, low, cell, (n_rows, n_columns))
    found: Any = distance_transform_edt(np.isneginf(depth), return_indices=True)
    apart, (rows, columns) = found
    depth = depth[rows, columns] - _BACK * np.minimum(apart * cell, _BACK_UNTIL * face.width)
    depth = blurred(depth.astype(np.float32), _SMOOTH / _CELL)
    at = ((places - low) / cell).astype(np.float32)
    return cv2.remap(depth, at[:, :1], at[:, 1:], cv2.INTER_LINEAR)[:, 0].astype(np.float64)


def depth_floor(places: Floats, points: Floats) -> NDArray[np.float64]:
    """Returns the least z (n,) of places (n, 2) beside points (m, 3) with which nothing folds over in a turn."""
    return (points[None, :, 2] - _STEEPEST * cdist(places, points[:, :2])).max(1)


def _laid_on(face: Face) -> NDArray[np.float64]:
    """Returns the fitted head's vertices (n, 3) where its landmarks lie on the face's, its rim as deep as the oval."""
    there = load_head().at_landmarks(face.head).astype(np.float64)
    centre, aim = there.mean(0), face.points.mean(0)
    scale = np.linalg.norm((face.points - aim)[:, :2]) / np.linalg.norm((there - centre)[:, :2])
    laid = (face.head - centre) * scale + aim
    rim = list(OVAL)
    laid[:, 2] += face.points[rim, 2].mean() - ((there[rim, 2] - centre[2]) * scale + aim[2]).mean()
    return laid


def _with_hair(face: Face, vertices: Floats, person: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns the vertices (n, 3), the scalp moved out by the thickness of the hair that stands beyond the head."""
    head = load_head()
    low, high = _SCALP
    scalp = (1 - head.masks["face"]) * (1 - head.masks["ears"])
    scalp = scalp * smoothstep((head.base[:, 1].astype(np.float64) - low) / (high - low))
    bare = scalp > 0.5
    centre = vertices[bare, :2].mean(0)
    up = face.up[:2] / np.linalg.norm(face.up[:2])
    axes = np.stack([up, [up[1], -up[0]]])
    along, across = axes @ (vertices[:, :2] - centre).T
    angles, radii = np.arctan2(across, along), np.hypot(along, across)
    edges = np.linspace(-np.pi, np.pi, _DIRECTIONS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    reach = np.zeros(_DIRECTIONS)
    np.maximum.at(reach, np.clip(np.digitize(angles[bare], edges) - 1, 0, _DIRECTIONS - 1), radii[bare])
    rays = np.stack([np.cos(middles), np.sin(middles)], 1) @ axes
    hair = np.clip(_silhouette(person, centre, rays, 0.5 * reach, face.width) - reach, 0, _MOST_HAIR * face.width)
    hair *= (reach > 0) * smoothstep((_SIDEWAYS[1] - np.abs(middles)) / (_SIDEWAYS[1] - _SIDEWAYS[0]))
    hair = np.convolve(np.pad(hair, _EVEN // 2, "wrap"), np.full(_EVEN, 1 / _EVEN), "valid")
    thick = scalp * np.interp(angles, middles, hair, period=2 * np.pi)
    return vertices + thick[:, None] * _normals(vertices)


def _silhouette(
    person: NDArray[np.float32], centre: Floats, rays: Floats, least: Floats, width: float
) -> NDArray[np.float64]:
    """Returns how far from a centre the person ends along rays (n, 2), pixels (n,), beyond the `least` (n,)."""
    steps = np.arange(0.0, 2 * width)
    x, y = (
        np.moveaxis(np.rint(centre + steps[:, None, None] * rays), -1, 0).astype(int) * np.array([1, -1])[:, None, None]
    )
    inside = (x >= 0) & (y >= 0) & (x < len(person)) & (y < len(person))
    seen = np.where(inside, person[y * inside, x * inside], 0.0) > 0.5
    return steps[np.argmax(~seen & (steps[:, None] > least), axis=0)]


def _normals(vertices: Floats) -> NDArray[np.float64]:
    triangles = load_head().triangles
    a, b, c = np.moveaxis(vertices[triangles], 1, 0)
    out = np.cross(b - a, c - a)
    found = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(axis, 3), minlength=len(vertices)) for axis in out.T], axis=1
    )
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def _nearest(corners: Floats, low: Floats, cell: float, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Returns a map (n_rows, n_columns) of the nearest z of triangles (n, 3, 3), -inf where there is none.

    Its rows go up from `low` (2,), pixels; triangles that face away are left out.
    """
    a, b, c = np.moveaxis(corners, 1, 0)
    facing = np.cross(b - a, c - a)[:, 2] > 0
    parts = [(i, j, _SPLITS - i - j) for i in range(_SPLITS + 1) for j in range(_SPLITS + 1 - i)]
    points = np.einsum("pk,tkd->ptd", np.array(parts) / _SPLITS, corners[facing]).reshape(-1, 3)
    column, row = np.rint((points[:, :2] - low) / cell).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < shape[1]) & (row < shape[0])
    depth = np.full(shape, -np.inf)
    np.maximum.at(depth, (row[inside], column[inside]), points[inside, 2])
    return depth
