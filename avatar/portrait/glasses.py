"""Whether a portrait wears glasses, told by lines that a bare face lacks: over the nose and below the eyes.

The bounds lie between what was measured on seven faces with glasses and some forty without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Floats, Portrait

_WIDTH: Final = 256
"""The face is looked at when it is so many pixels wide."""
_NOSE: Final = (168, 6)
_BELOW: Final = (163, 145, 153, 390, 374, 380)
"""On the lower lids: rims are looked for below these."""
_CHEEKS: Final = (50, 117, 205, 280, 346, 425)
_AROUND: Final = (223, 224, 225, 229, 230, 231, 443, 444, 445, 449, 450, 451)
"""Skin above and below the eyes."""
_CORNERS: Final = (33, 263)
_STROKES: Final = (4, 6, 9)
"""Half widths of the lines that are looked for, pixels."""
_LINES: Final = (0.21, 0.31)
"""Contrast of the bridge and half of the rims', as shares of the skin's brightness: none, and glasses for sure."""
_DARK: Final = (0.18, 0.28)
"""Brightness around the eyes as a share of the cheeks': behind dark glasses for sure, and not."""


class Glasses(NamedTuple):
    """What a portrait wears before its eyes.

    Attributes:
        worn: How sure it is that it wears glasses, 0 to 1.
        dark: How sure it is that no eye shows through them, 0 to 1.
    """

    worn: float
    dark: float


def glasses_of(portrait: Portrait) -> Glasses:
    """Returns the glasses of a portrait."""
    zoom = _WIDTH / portrait.face_width
    way = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    small = cv2.resize(portrait.rgb, None, fx=zoom, fy=zoom, interpolation=way)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    points = portrait.landmarks[:, :2] * zoom
    skin = max(_median(grey, points[list(_CHEEKS)]), 1.0)
    dark = float(np.interp(_median(grey, points[list(_AROUND)]) / skin, _DARK, (1, 0)))
    across = points[_CORNERS[1]] - points[_CORNERS[0]]
    across = across / np.linalg.norm(across)
    bridge = _line_across(grey, points[list(_NOSE)].mean(0), across, half=0.012, rows=(-0.08, 0.09))
    rims = [_line_across(grey, points[k], across, half=0.02, rows=(0.03, 0.24)) for k in _BELOW]
    lines = (bridge + 0.5 * float(np.median(rims))) / skin
    return Glasses(max(dark, float(np.interp(lines, _LINES, (0, 1)))), dark)


def _median(grey: Floats, points: Floats) -> float:
    column, row = np.clip(points.astype(int), 0, np.array(grey.shape[::-1]) - 1).T
    return float(np.median(grey[row, column]))


def _line_across(grey: Floats, middle: Floats, across: Floats, *, half: float, rows: tuple[float, float]) -> float:
    """Returns the contrast of the clearest thin line that crosses a strip down the face.

    Args:
        grey: (h, w).
        middle: (2,), the strip's zero, pixels.
        across: (2,), the unit vector from eye to eye.
        half: Half of the strip's width, face widths.
        rows: From where to where it goes, face widths below `middle`.
    """
    down = np.array([-across[1], across[0]])
    steps = np.arange(rows[0] * _WIDTH, rows[1] * _WIDTH)
    sides = np.linspace(-half, half, 9) * _WIDTH
    places = (middle + steps[:, None, None] * down + sides[None, :, None] * across).astype(np.float32)
    strip = cv2.remap(grey, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    profile = np.convolve(np.asarray(strip, np.float32).mean(1), [0.25, 0.5, 0.25], "valid")
    return max(_stroke(profile, width) for width in _STROKES)


def _stroke(profile: Floats, width: int) -> float:
    """Returns by how much a value differs, at most, from both values `width` away in the same sense."""
    before = profile[width:-width] - profile[: -2 * width]
    after: NDArray[np.floating] = profile[width:-width] - profile[2 * width :]
    alike = np.sign(before) == np.sign(after)
    return float((np.minimum(np.abs(before), np.abs(after)) * alike).max(initial=0))
