"""The line between lips that touch: the sheet is cut there, and pressed lips would meet in steps, without shade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER, LIP_OUTER_LOWER
from avatar.render.coverage import at_columns, window_around
from avatar.render.filters import blurred, inside, sampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_SPLIT: Final = 0.8
"""Pixels between the contours of closed lips at rest; less is pressed."""
_PARTED: Final = 1.4
"""The same for lips that the photo opens: nearer is so thin an opening that it is no more than the line."""
_HALF_WIDTH: Final = 0.0055
"""Of the line, face widths."""
_ENDS: Final = 0.5
"""Sine of the way along the mouth up to which the line fades towards its corner."""
_HUE: Final = 0.55
"""How much of a lip's hue its shade gains: light that is thrown from lip to lip is red, not grey."""
_ROLLED: Final = (0.018, 0.16)
"""Half width of the shade where lips that roll in turn away from the light, face widths, and its depth."""
_LEAST_ROLLED: Final = 0.02
_USUAL: Final = 0.7
"""How light the line is beside the lower lip, where the photo's lips are open and don't tell."""
_DARKEST: Final = 0.45


def seam_light(face: Face, luminance: NDArray[np.floating]) -> float:
    """Returns how light the line between a photo's lips is, as a share of the lower lip's light.

    Args:
        face: The face; lips at the photo's own place.
        luminance: float (size, size), the picture.
    """
    if not face.mouth_closed:
        return _USUAL
    middle = face.picture((face.points[list(LIP_INNER_UPPER)] + face.points[list(LIP_INNER_LOWER)])[2:-2] / 2)
    lip = inside(face.picture(face.points[[*LIP_INNER_LOWER, *LIP_OUTER_LOWER[::-1]]]), luminance.shape[:2]) > 128
    if not lip.any():
        return _USUAL
    line = float(np.median(sampled(luminance, middle[None])))
    return float(np.clip(line / max(float(np.median(luminance[lip])), 1.0), _DARKEST, 1.0))


def draw_seam(
    picture: NDArray[np.uint8],
    upper: NDArray[np.float32],
    lower: NDArray[np.float32],
    resting_gap: NDArray[np.float32],
    width: float,
    light: float,
    rolled: float,
) -> None:
    """Draws a soft line into the picture wherever the lips are nearer to each other than closed lips at rest.

    Args:
        picture: uint8 (size, size, 3).
        upper: float32 (n, 2), inner contour of the upper lip, columns and rows, the picture's left first.
        lower: float32 (n, 2), of the lower lip.
        resting_gap: float32 (n,), rows between the contours at rest; nothing for an open mouth that was closed.
        width: The face's, pixels.
        light: See `seam_light`.
        rolled: How far the lips turn in, 0 to 1.
    """
    along = np.maximum(np.sin(np.pi * np.linspace(0, 1, len(upper))), 0)
    tapered = _PARTED * along**0.5
    expected = resting_gap if resting_gap.max() > 0.5 * _SPLIT else tapered
    pressed = np.clip((expected - (lower[:, 1] - upper[:, 1])) / _SPLIT, 0, 1).astype(np.float32)
    middle = 0.5 * (upper + lower)
    reach = np.array([[0.0, 2 * _ROLLED[0] * width]], np.float32) if rolled > _LEAST_ROLLED else 0.0
    around = np.concatenate([middle - reach, middle + reach])
    window = window_around(around, len(picture)) if pressed.max() > 0.05 else None
    if window is None:
        return
    rows = slice(window.top, window.top + window.height)
    part = picture[rows, window.left : window.left + window.width]
    columns = np.arange(window.left, window.left + window.width)
    line = at_columns(middle, middle[:, 1], window)
    faded = at_columns(middle, np.clip(along / _ENDS, 0, 1).astype(np.float32), window)
    share = at_columns(middle, pressed, window) * ((columns >= middle[0, 0]) & (columns <= middle[-1, 0]))
    apart = np.abs(np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - line) / width
    near = (share * np.exp(-((apart / max(_HALF_WIDTH, 0.8 / width)) ** 2)))[..., None]
    smooth = blurred(part.astype(np.float32), 0.8)
    shade = smooth * (smooth / (smooth.mean(-1, keepdims=True) + 1)) ** _HUE
    shown = part + near * (smooth + near * faded[:, None] * (light * shade - smooth) - part)
    if rolled > _LEAST_ROLLED:
        shown *= 1 - rolled * _ROLLED[1] * (share * faded * np.exp(-((apart / _ROLLED[0]) ** 2)))[..., None]
    part[:] = cv2.convertScaleAbs(shown)
