"""From fitted poses to the six pose columns of motion: how a head moved since a reference picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from avatar.portrait.follow import Placed
    from avatar.portrait.types import Floats


def angles_of(rotation: Floats) -> tuple[float, float, float]:
    """Returns yaw, pitch and roll in radians, with the signs of `avatar.motion.layout`.

    The rotation is about z by roll, times about y by yaw, times about x by minus pitch.
    """
    yaw = float(np.arcsin(np.clip(-rotation[2, 0], -1, 1)))
    pitch = -float(np.arctan2(rotation[2, 1], rotation[2, 2]))
    return yaw, pitch, float(np.arctan2(rotation[1, 0], rotation[0, 0]))


@dataclass(frozen=True, slots=True)
class PoseMeter:
    """Measures a head's move since a reference picture.

    The head turns about a point between the ears above the chin, like a neck; what is left is translation.

    Attributes:
        reference: Where the head is in the reference picture.
        pivot: float64 (3,), the point about which it turns, head space.
        interpupillary: Decimetres.
    """

    reference: Placed
    pivot: Floats
    interpupillary: float

    def measure(self, placed: Placed) -> Floats:
        """Returns yaw, pitch, roll (radians) and x, y, z (interpupillary distances) of a later picture (6,)."""
        turn = placed.rotation @ self.reference.rotation.T
        shift = placed.apply(self.pivot) - self.reference.apply(self.pivot)
        return np.concatenate([np.asarray(angles_of(turn)), shift / self.interpupillary])
