"""What a caller sees of the avatar's mouth, and whether it goes with the sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from avatar.portrait.landmarks import LandmarkModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tests.room.caller import Seen

_TOP, _BROWS, _UPPER_LIP, _LOWER_LIP = 10, 9, 13, 14
"""Landmarks of the mesh: the forehead's top, between the brows, and the lips' inner edges."""


@dataclass(frozen=True)
class Watched:
    """Distances in the pictures of a face, float64 (n_pictures,), in widths of the face.

    Attributes:
        gaps: Between the lips.
        foreheads: Between the brows and the top of the forehead, which speech leaves alone.
    """

    gaps: NDArray[np.float64]
    foreheads: NDArray[np.float64]

    @property
    def range(self) -> float:
        """How far apart the lips' widest and narrowest tenths are."""
        low, high = np.percentile(self.gaps, [10, 90])
        return float(high - low)


def watch(pictures: Sequence[Seen]) -> Watched:
    """Measures pictures in a row with the landmark model."""
    model = LandmarkModel()
    first = model.landmarks(pictures[0].rgb)
    assert first is not None
    points = first.points
    rows: list[tuple[float, float]] = []
    for picture in pictures:
        points, score = model.track(picture.rgb, points)
        assert score > 0.5
        pairs = ((_UPPER_LIP, _LOWER_LIP), (_TOP, _BROWS))
        lips, forehead = (float(np.linalg.norm(points[one, :2] - points[two, :2])) for one, two in pairs)
        width = float(np.ptp(points[:, 0]))
        rows.append((lips / width, forehead / width))
    gaps, foreheads = np.array(rows).T
    return Watched(gaps, foreheads)
