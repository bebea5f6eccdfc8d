"""A portrait's face in the renderer's own space: pixels of the output, y up, z to the viewer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Portrait

CLOSED_GAP = 0.022
"""Lips nearer than this, in face widths, are closed in the photo."""


@dataclass(frozen=True, slots=True)
class Face:
    """Landmarks and units of one portrait at one output size.

    Attributes:
        points: float64 (468, 3), landmarks; `y` is minus the picture's row.
        deltas: float64 (52, 468, 3), what each ARKit coefficient adds to the points at 1.
        axes: float64 (3, 3), the head's right, up and front axes as columns.
        head: float32 (n_vertices, 3), the fitted head in the portrait's own pixels, y up, z to the viewer.
        width: Face width in pixels.
        size: Height and width of the output, pixels.
        texels: Texture pixels per output pixel.
    """

    points: NDArray[np.float64]
    deltas: NDArray[np.float64]
    axes: NDArray[np.float64]
    head: NDArray[np.float32]
    width: float
    size: int
    texels: float

    @property
    def right(self) -> NDArray[np.float64]:
        """The head's own horizontal axis (3,), towards the picture's right."""
        return self.axes[:, 0]

    @property
    def up(self) -> NDArray[np.float64]:
        """The head's own vertical axis (3,)."""
        return self.axes[:, 1]

    @property
    def mouth_gap(self) -> float:
        """Distance between the inner lips' middles in face widths."""
        return float(np.linalg.norm(self.points[13, :2] - self.points[14, :2])) / self.width

    @property
    def mouth_closed(self) -> bool:
        """Whether the photo's lips touch."""
        return self.mouth_gap < CLOSED_GAP

    def picture(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns columns and rows (..., 2) of points (..., 3)."""
        return points[..., :2] * [1.0, -1.0]

    def seam(self) -> NDArray[np.float64]:
        """Returns the middle line between the inner lips (11, 3)."""
        return (self.points[list(LIP_INNER_UPPER)] + self.points[list(LIP_INNER_LOWER)]) / 2


def to_output(pixels: NDArray[np.floating], texels: float) -> NDArray[np.float64]:
    """Returns texture pixels as output pixels; pixel centres are whole numbers in both."""
    return (pixels.astype(np.float64) + 0.5) / texels - 0.5


def resized(portrait: Portrait, side: int) -> Portrait:
    """Returns the portrait with a picture of `side` pixels, everything measured on it scaled along."""
    scale = portrait.rgb.shape[0] / side
    if scale == 1.0:
        return portrait
    how = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
    landmarks = portrait.landmarks / scale
    landmarks[:, :2] = to_output(portrait.landmarks[:, :2], scale)
    irises = tuple(
        replace(
            iris,
            centre=to_output(iris.centre, scale).astype(np.float32),
            radius=iris.radius / scale,
            contour=to_output(iris.contour, scale).astype(np.float32),
        )
        for iris in portrait.irises
    )
    return replace(
        portrait,
        rgb=cv2.resize(portrait.rgb, (side, side), interpolation=how),
        landmarks=landmarks.astype(np.float32),
        landmark_deltas=portrait.landmark_deltas / np.float32(scale),
        irises=(irises[0], irises[1]),
        person=cv2.resize(
            portrait.person, (side, side), interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
        ),
        behind=None if portrait.behind is None else cv2.resize(portrait.behind, (side, side), interpolation=how),
        face_width=portrait.face_width / scale,
        interpupillary=portrait.interpupillary / scale,
    )


def face_of(portrait: Portrait, size: int) -> Face:
    """Returns the face of a portrait for pictures of `size` pixels."""
    texels = portrait.rgb.shape[0] / size
    points = np.empty((len(portrait.landmarks), 3))
    points[:, :2] = to_output(portrait.landmarks[:, :2], texels) * [1.0, -1.0]
    points[:, 2] = -portrait.landmarks[:, 2] / texels
    return Face(
        points=points,
        deltas=portrait.landmark_deltas.astype(np.float64) / texels,
        axes=portrait.head.rotation.astype(np.float64),
        head=portrait.head.vertices,
        width=portrait.face_width / texels,
        size=size,
        texels=texels,
    )


def smoothstep(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns 3x² - 2x³ of x clipped to [0, 1]."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)
