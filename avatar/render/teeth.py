"""Draws teeth as flat patches in face widths: light, then coloured for the portrait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from avatar.render.filters import blurred

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATCH_SCALE: Final = 640
"""Pixels per face width while drawing."""
ARCH_RADIUS: Final = 0.185
"""Radius of the dental arch in face widths (about 26 mm)."""

_ENAMEL: Final = (0.96, 0.92, 0.85)
_GUM: Final = (0.62, 0.30, 0.30)
_BETWEEN: Final = (0.72, 0.61, 0.52)


@dataclass(frozen=True, slots=True)
class Patch:
    """A drawing in premultiplied colours.

    Attributes:
        rgba: float32 (height, width, 4) in [0, 1], colours premultiplied.
        scale: Pixels per face width.
        origin: Column and row of the patch's own zero: the middle of the biting edge, or the tongue's root.
    """

    rgba: NDArray[np.float32]
    scale: float
    origin: tuple[float, float]

    def resized(self, scale: float) -> Patch:
        """Returns the patch at `scale` pixels per face width, smoothed if smaller, with a clear margin."""
        k = scale / self.scale
        small = cv2.resize(self.rgba, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
        small = cv2.copyMakeBorder(small, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0)
        column, row = self.origin
        return Patch(np.asarray(small, np.float32), scale, ((column + 0.5) * k + 1.5, (row + 0.5) * k + 1.5))

    def coloured(self, rgb: NDArray[np.float64], saturation: float) -> Patch:
        """Returns the patch with its saturation scaled and its colours multiplied by `rgb` (3,)."""
        colour = self.rgba[..., :3]
        grey = colour @ np.array([0.30, 0.59, 0.11], np.float32)
        colour = (grey[..., None] + saturation * (colour - grey[..., None])) * rgb
        alpha = self.rgba[..., 3:]
        return Patch(np.dstack([np.clip(colour, 0, alpha), alpha]).astype(np.float32), self.scale, self.origin)


@dataclass(frozen=True, slots=True)
class _Row:
    """One side's teeth from the middle outwards, face widths; `rise` lifts the biting edge."""

    width: tuple[float, ...]
    height: tuple[float, ...]
    rise: tuple[float, ...]
    taper: float
    squareness: float


_UPPER = _Row(
    width=(0.060, 0.048, 0.053, 0.048, 0.046),
    height=(0.078, 0.068, 0.074, 0.062, 0.058),
    rise=(0.0, 0.006, 0.002, 0.008, 0.012),
    taper=0.16,
    squareness=5.0,
)
_LOWER = _Row(
    width=(0.038, 0.042, 0.048, 0.048, 0.050),
    height=(0.062, 0.062, 0.066, 0.058, 0.054),
    rise=(0.0, 0.0, 0.002, 0.006, 0.010),
    taper=0.22,
    squareness=4.5,
)


def upper_teeth() -> Patch:
    """Returns the upper teeth with their gum; the origin is the middle of the biting edge."""
    return _teeth(_UPPER, origin=(160.0, 80.0), towards_gum=-1)


def lower_teeth() -> Patch:
    """Returns the lower teeth with their gum; the origin is the middle of the biting edge."""
    return _teeth(_LOWER, origin=(160.0, 34.0), towards_gum=1)


def _teeth(row: _Row, origin: tuple[float, float], towards_gum: int) -> Patch:
    height, width = 120, 320
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    colour = np.zeros((height, width, 3), np.float32)
    alpha = np.zeros((height, width), np.float32)
    depth = (y - origin[1]) * towards_gum / PATCH_SCALE
    across = np.abs(x - origin[0]) / PATCH_SCALE
    for mask, paint in (((depth > 0.012) & (across < 0.165), _BETWEEN), ((depth > 0.066) & (across < 0.17), _GUM)):
        colour[mask] = paint
        alpha[mask] = 1.0
    for side in (-1, 1):
        arc = 0.0
        for tooth, (tooth_width, tooth_height, rise) in enumerate(zip(row.width, row.height, row.rise, strict=True)):
            start, end = arc / ARCH_RADIUS, (arc + tooth_width) / ARCH_RADIUS
            arc += tooth_width
            inner, outer = ARCH_RADIUS * np.sin(min(start, 1.5)), ARCH_RADIUS * np.sin(min(end, 1.5))
            middle, half = side * (inner + outer) / 2, (outer - inner) / 2
            down = np.clip((depth - rise) / tooth_height, 0, 1)
            u = np.abs((x - origin[0]) / PATCH_SCALE - middle) / (half * (1 - row.taper * down**1.5))
            v = np.abs(depth - rise - tooth_height / 2) / (tooth_height / 2)
            shape = (u**4.5 + v**row.squareness) ** 0.2
            inside = np.clip((1 - shape) * half * PATCH_SCALE * 1.1, 0, 1)
            lit = np.cos((start + end) / 2 * 0.92) ** 1.1 * (0.96 if tooth == 2 else 1.0)
            round_ = (1 - 0.13 * down**2 - 0.15 * np.clip(u, 0, 1) ** 6) * (1 - 0.06 * np.clip(1 - 6 * down, 0, 1))
            enamel = np.array(_ENAMEL, np.float32) * (lit * round_)[..., None]
            colour += inside[..., None] * (enamel - colour)
            alpha = np.maximum(alpha, inside)
    rgba = np.dstack([colour * alpha[..., None], alpha]).astype(np.float32)
    return Patch(blurred(rgba, 1.6), PATCH_SCALE, origin)
