"""How skin brightens and darkens as it turns and stretches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numba import njit

from avatar.portrait.head import load_head
from avatar.portrait.topology import OVAL
from avatar.render.face import smoothstep
from avatar.render.filters import blurred

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_STRENGTH = 0.75
_COMMON = 0.6
"""Part of the face's mean change that the camera's exposure takes back."""
_LEAST, _MOST = 0.6, 1.5
_DARKEST = 0.35
"""Floor of the modelled light, as a share of the skin's median luminance."""


@njit(cache=True, nogil=True, fastmath=True)
def normals(points: NDArray[np.float32], faces: NDArray[np.int32], found: NDArray[np.float32]) -> None:
    """Finds the normals at points (n, 3) of a surface with triangles (n_faces, 3); `found` (n, 3) is filled."""
    found[:] = 0.0
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in (a, b, c):
            found[k, 0] += nx
            found[k, 1] += ny
            found[k, 2] += nz
    for i in range(found.shape[0]):
        length = np.sqrt(found[i, 0] ** 2 + found[i, 1] ** 2 + found[i, 2] ** 2) + 1e-9
        for axis in range(3):
            found[i, axis] /= length


class Relight:
    """Lambert light fitted to the photo: luminance = a + b · normal, robustly, over the skin.

    Args:
        face: The face at rest.
        luminance: float32 (size, size) in [0, 255], the picture.
    """

    def __init__(self, face: Face, luminance: NDArray[np.float32]) -> None:
        self._faces = np.ascontiguousarray(load_head().tessellation)
        self._points = face.points.astype(np.float32)
        self._normals = np.zeros_like(self._points)
        normals(self._points, self._faces, self._normals)
        inside = _distance_inside(face) / (0.10 * face.width)
        skin = smoothstep(inside) > 0.3
        column, row = np.clip(np.abs(face.points[:, :2]).round().astype(int), 0, face.size - 1).T
        seen = blurred(luminance, face.width / 90)[row, column] / 255.0
        design = np.column_stack([np.ones(len(self._normals)), self._normals]).astype(np.float64)
        weight = skin.astype(np.float64)
        light = np.zeros(4)
        for _ in range(12):
            normal = design.T @ (design * weight[:, None]) + np.diag([1e-3, 3.0, 3.0, 3.0]) * len(design) / 7000
            light = np.linalg.solve(normal, design.T @ (weight * seen))
            error = seen - design @ light
            spread = 1.5 * float(np.median(np.abs(error[skin]))) + 1e-3
            weight = skin / (1.0 + (error / spread) ** 2)
        self._floor = np.float32(_DARKEST * np.median(seen[skin]))
        self._light = light.astype(np.float32)
        self._resting = np.maximum(design @ light, self._floor).astype(np.float32)
        self._share = (_STRENGTH * smoothstep(inside)).astype(np.float32)

    def gain(self, moves: NDArray[np.float32], turn: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns what to add to 1 for the landmarks' brightness, float32 (468,).

        Args:
            moves: float32 (468, 3), what is added to the resting points.
            turn: float32 (3, 3), the head's rotation.
        """
        normals(((self._points + moves) @ turn.T).astype(np.float32), self._faces, self._normals)
        lit = np.maximum(self._light[0] + self._normals @ self._light[1:], self._floor) / self._resting
        common = np.float32(_COMMON) * (lit @ self._share / self._share.sum() - np.float32(1.0))
        return self._share * (np.clip(lit - common, _LEAST, _MOST) - np.float32(1.0))


def _distance_inside(face: Face) -> NDArray[np.float64]:
    polygon = face.points[list(OVAL), :2].astype(np.float32).reshape(-1, 1, 2)
    return np.array(
        [cv2.pointPolygonTest(polygon, (float(x), float(y)), measureDist=True) for x, y in face.points[:, :2]]
    )
