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
_END: Final = 0.16
"""Part of the mouth's width over which the line fades towards a corner."""
_MEAN: Final = np.full((1, 3), 1 / 3, np.float32)
_ROLLED: Final = (0.018, 0.16)
"""Half width of the shade where lips that roll in turn away from the light, face widths, and its depth."""
_LEAST: Final = 0.05
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

    Its shade has more of the lips' hue than they have: what light is there was thrown from lip to lip.

    Args:
        picture: uint8 (size, size, 3).
        upper: float32 (n, 2), inner contour of the upper lip, columns and rows, the picture's left first.
        lower: float32 (n, 2), of the lower lip.
        resting_gap: float32 (n,), rows between the contours at rest; nothing for an open mouth that was closed.
        width: The face's, pixels.
        light: See `seam_light`.
        rolled: How far the lips turn in, 0 to 1.
    """
    tapered = _PARTED * np.sin(np.pi * np.linspace(0, 1, len(upper))) ** 0.5
    expected = resting_gap if resting_gap.max() > 0.5 * _SPLIT else tapered
    pressed = np.clip((expected - (lower[:, 1] - upper[:, 1])) / _SPLIT, 0, 1).astype(np.float32)
    if pressed[1:-1].max() < _LEAST:
        return
    middle = 0.5 * (upper + lower)
    reach = np.array([[0.0, 2 * _ROLLED[0] * width * (rolled > _LEAST)]], np.float32)
    window = window_around(np.concatenate([middle - reach, middle + reach]), len(picture))
    if window is None:
        return
    rows = slice(window.top, window.top + window.height)
    part = picture[rows, window.left : window.left + window.width]
    columns = np.arange(window.left, window.left + window.width, dtype=np.float32)
    ends = np.minimum(columns - middle[0, 0], middle[-1, 0] - columns) / (_END * (middle[-1, 0] - middle[0, 0]))
    share = at_columns(middle, pressed, window) * (ends >= 0)
    dark = share * np.clip(ends, 0, 1)
    apart = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - at_columns(middle, middle[:, 1], window)
    line = np.exp(-np.square(apart / np.float32(max(_HALF_WIDTH * width, 0.8))))
    near, deep = (share * line)[..., None], (dark * line)[..., None]
    smooth = blurred(part.astype(np.float32), 0.8)
    tone = np.float32(light) * np.sqrt(smooth / (cv2.transform(smooth, _MEAN)[..., None] + 1))
    shown = part + near * (smooth * (1 + deep * (tone - 1)) - part)
    if rolled > _LEAST:
        far = np.exp(-np.square(apart / np.float32(_ROLLED[0] * width)))
        shown *= (1 - np.float32(rolled * _ROLLED[1]) * dark * far)[..., None]
    part[:] = cv2.convertScaleAbs(shown)
