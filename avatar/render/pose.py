"""Head pose and camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from avatar.render.topology import CHIN, EARS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_CAMERA_DISTANCE = 6.0
"""Face widths; about 0.8 m."""


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Returns the rotation (3, 3) of radians, with the signs of `avatar.motion.layout`."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), -np.sin(pitch), np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole whose picture of the resting head is the portrait.

    Attributes:
        centre: float64 (2,), the optical axis, pixels, y up.
        distance: Pixels from the plane z = 0.
        pivot: float64 (3,), the point about which the head turns, seen in perspective.
    """

    centre: NDArray[np.float64]
    distance: float
    pivot: NDArray[np.float64]

    def numbers(self) -> NDArray[np.float32]:
        """Returns float32 (6,): the optical axis's x and y, the distance, and the pivot in space."""
        return np.concatenate([self.centre, [self.distance], self.undo(self.pivot[None])[0]]).astype(np.float32)

    def undo(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns picture points (n, 3) in space, relative to the optical axis."""
        space = points.copy()
        space[:, :2] = (points[:, :2] - self.centre) * ((self.distance - points[:, 2:]) / self.distance)
        return space

    def project(
        self, points: NDArray[np.float64], turn: NDArray[np.float64], shift: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Returns columns and rows (n, 2) of points (n, 3) of the resting head after it turned and moved."""
        pivot = self.undo(self.pivot[None])[0]
        moved = (self.undo(points) - pivot) @ turn.T + pivot + shift
        seen = moved[:, :2] * (self.distance / (self.distance - moved[:, 2:])) + self.centre
        return seen * [1.0, -1.0]

    def plane(
        self,
        origin: NDArray[np.float64],
        axes: NDArray[np.float64],
        turn: NDArray[np.float64],
        shift: NDArray[np.float64],
    ) -> NDArray[np.float32]:
        """Returns how the picture maps to planes that are fixed to the head: float32 (..., 8).

        Args:
            origin: (..., 3), each plane's zero on the resting head.
            axes: (..., 3, 3), the plane's right, up and out directions as columns, one unit long.
            turn: The head's rotation.
            shift: The head's move.

        Returns:
            The inverse of the 2 x 2 map from plane to picture, row by row; the origin's column and row; the move in the
            picture per unit out of the plane.
        """
        points = origin[..., None, :] + np.concatenate([np.zeros_like(axes[..., :1]), axes], -1).swapaxes(-1, -2)
        seen = self.project(points.reshape(-1, 3), turn, shift).reshape(*points.shape[:-1], 2)
        right, up, out = (seen[..., k, :] - seen[..., 0, :] for k in (1, 2, 3))
        inverse = np.stack([up[..., 1], -up[..., 0], -right[..., 1], right[..., 0]], -1)
        inverse /= (right[..., 0] * up[..., 1] - right[..., 1] * up[..., 0])[..., None]
        return np.concatenate([inverse, seen[..., 0, :], out], -1).astype(np.float32)


def camera_for(face: Face, nearest: float) -> Camera:
    """Returns the camera of a face whose nearest point is at z = `nearest`."""
    ears = face.points[list(EARS)].mean(0)
    chin = face.points[CHIN]
    pivot = np.array([0.6 * ears[0] + 0.4 * chin[0], chin[1] + 0.12 * face.width, ears[2] + 0.05 * face.width])
    centre = pivot[:2] + np.array([0.0, 0.5 * face.width])
    return Camera(centre, _CAMERA_DISTANCE * face.width + nearest, pivot)
