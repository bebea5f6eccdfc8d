"""From fitted poses to the six pose columns of motion: how a head moved since a reference picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from avatar.portrait import topology

if TYPE_CHECKING:
    from avatar.portrait.fit import Fit, HeadFitter, Pose
    from avatar.portrait.types import Floats

_CAMERA_DISTANCE = 6.0
"""Face widths between the camera and the nose."""

_EARS = (234, 454)
_CHIN, _NOSE = 152, 4


def angles_of(rotation: Floats) -> tuple[float, float, float]:
    """Returns yaw, pitch and roll in radians, with the signs of `avatar.motion.layout`.

    The rotation is about z by roll, times about y by yaw, times about x by minus pitch.
    """
    yaw = float(np.arcsin(np.clip(-rotation[2, 0], -1, 1)))
    pitch = -float(np.arctan2(rotation[2, 1], rotation[2, 2]))
    return yaw, pitch, float(np.arctan2(rotation[1, 0], rotation[0, 0]))


@dataclass(frozen=True, slots=True)
class PoseMeter:
    """Measures a head's move since a reference picture, as a pinhole camera would have seen it.

    The head turns about a point between the ears above the chin, like a neck; what is left is translation.

    Attributes:
        reference: The pose in the reference picture.
        middle: float64 (3,), the mean landmark of the resting head, decimetres.
        pivot: float64 (3,), the point about which it turns.
        nearest: Depth of the nose in the reference picture relative to the middle, decimetres.
        face_width: Decimetres.
        interpupillary: Decimetres.
    """

    reference: Pose
    middle: Floats
    pivot: Floats
    nearest: float
    face_width: float
    interpupillary: float

    @classmethod
    def of(cls, fitter: HeadFitter, fit: Fit) -> PoseMeter:
        """Returns the meter of a head whose reference picture is that of `fit`."""
        rest = fitter.shape(fit.identity, np.zeros_like(fit.expression))
        ears, chin, width = rest[list(_EARS)].mean(0), rest[_CHIN], float(np.ptp(rest[:, 0]))
        eyes = [rest[list(corners)].mean(0) for corners in (topology.LEFT_EYE_CORNERS, topology.RIGHT_EYE_CORNERS)]
        return cls(
            reference=fit.pose,
            middle=rest.mean(0),
            pivot=np.array([0.6 * ears[0] + 0.4 * chin[0], chin[1] + 0.12 * width, ears[2] + 0.05 * width]),
            nearest=float((fit.pose.rotation @ (rest[_NOSE] - rest.mean(0)))[2]),
            face_width=width,
            interpupillary=float(np.linalg.norm(eyes[0] - eyes[1])),
        )

    def measure(self, pose: Pose) -> Floats:
        """Returns yaw, pitch, roll (radians) and x, y, z (interpupillary distances) of a later pose (6,)."""
        first = self.reference
        turn = pose.rotation @ first.rotation.T
        distance = _CAMERA_DISTANCE * self.face_width + self.nearest
        # In decimetres of the reference picture, from its optical axis; the middle of the face has depth zero.
        arm = first.rotation @ (self.middle - self.pivot)
        middle = np.array([arm[0], arm[1] - 0.5 * self.face_width, 0.0])
        moved = (pose.apply(self.middle) - first.apply(self.middle)) / first.scale
        nearer = first.scale / pose.scale
        now = np.append((middle + moved)[:2] * nearer, distance * (1 - nearer))
        shift = now - middle - (turn - np.eye(3)) @ arm
        return np.concatenate([np.asarray(angles_of(turn)), shift / self.interpupillary])
