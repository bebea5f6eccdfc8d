"""Square, turned regions of a picture, and their way into a model's input and back.

Positions are picture pixels with the centre of the first pixel at (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Floats

_SHARP = 2.0
"""Beyond this many picture pixels per input pixel, bilinear sampling alone would alias."""


@dataclass(frozen=True, slots=True)
class Region:
    """A square that is turned with a face.

    Attributes:
        x: Centre, pixels.
        y: Centre, pixels.
        side: Pixels.
        angle: Radians, clockwise on the screen.
    """

    x: float
    y: float
    side: float
    angle: float

    def moved(self, *, right: float = 0.0, down: float = 0.0, grow: float = 1.0, turn: float = 0.0) -> Region:
        """Returns the region shifted by fractions of its side, scaled by a factor and turned by radians."""
        return Region(self.x + right * self.side, self.y + down * self.side, self.side * grow, self.angle + turn)

    def _matrix(self, size: int) -> Floats:
        """Returns the map (2, 3) from an input of `size` pixels to the picture."""
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        turn = np.array([[cosine, -sine], [sine, cosine]]) * (self.side / size)
        return np.column_stack([turn, np.array([self.x, self.y]) - turn @ np.full(2, (size - 1) / 2)])

    def cut(self, rgb: NDArray[np.uint8], size: int) -> NDArray[np.float32]:
        """Returns the region, float32 (size, size, 3) in [0, 255]; beyond the picture its edge is repeated."""
        step = self.side / size
        if step > _SHARP:
            rgb, x, y = self._around(rgb)
            rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.35 * step), np.uint8)
        else:
            x, y = 0, 0
        matrix = self._matrix(size) - np.array([[0, 0, x], [0, 0, y]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpAffine(rgb, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32
        )

    def _around(self, rgb: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int, int]:
        """Returns the part of the picture that holds the region with a margin, and its left top corner."""
        height, width = rgb.shape[:2]
        reach = 0.8 * self.side
        left, top = (int(np.clip(v - reach, 0, n - 1)) for v, n in ((self.x, width), (self.y, height)))
        right, bottom = (int(np.clip(v + reach, 1, n)) for v, n in ((self.x, width), (self.y, height)))
        return np.ascontiguousarray(rgb[top : max(bottom, top + 1), left : max(right, left + 1)]), left, top

    def to_picture(self, points: Floats, size: int, *, origin: float = 0.5) -> NDArray[np.float32]:
        """Returns a model's points in picture pixels; depth is scaled.

        Args:
            points: (n, 2 or 3), pixels of the model's input.
            size: Side of the model's input.
            origin: Where the model puts the centre of the first pixel; 0.5 if it measures from the input's edge.
        """
        matrix = self._matrix(size)
        out = points * (self.side / size)
        out[:, :2] = (points[:, :2] - origin) @ matrix[:, :2].T + matrix[:, 2]
        return out.astype(np.float32)


def region_of(points: Floats, *, start: int, end: int, grow: float) -> Region:
    """Returns the region around points (n, 2 or 3), level with the line between two of them.

    Args:
        points: Pixels.
        start: Index of the point at the line's left end.
        end: Index of the point at its right end.
        grow: Side of the region as a multiple of the points' longer extent.
    """
    across = points[end, :2] - points[start, :2]
    angle = float(np.arctan2(across[1], across[0]))
    cosine, sine = np.cos(angle), np.sin(angle)
    level = points[:, :2] @ np.array([[cosine, -sine], [sine, cosine]])
    low, high = level.min(0), level.max(0)
    centre = np.array([[cosine, -sine], [sine, cosine]]) @ ((low + high) / 2)
    return Region(float(centre[0]), float(centre[1]), float(grow * (high - low).max()), angle)
