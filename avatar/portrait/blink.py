"""Blinks, from how far the eye contours open over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import median_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Floats

_SHUT = 0.4
"""Openness of a shut eye as the contour model sees it, as a part of the open eye's."""

_LONGEST = 19
"""Frames: what stays lowered for more than half of this is a downward look, no blink."""

_SLACK = 0.12
"""Lids are never quite still."""


def eye_openness(contour: Floats) -> float:
    """Returns the gap between the lids' middles over the eye's width.

    Args:
        contour: (16, 2), the lower lid from corner to corner, then the upper lid's inner seven points.
    """
    upper, lower = contour[11:14], contour[3:6]
    width = float(np.linalg.norm(contour[0] - contour[8]))
    return float(np.linalg.norm(upper - lower, axis=1).mean()) / max(width, 1e-6)


def blinks_of(openness: Floats) -> Floats:
    """Returns eyeBlink coefficients (n_frames, n_eyes) in [0, 1] of a series of openness of the same shape.

    The lids' resting height is their running median, so slow lowering is left to the gaze; it counts as shut what
    falls to 40 % of the open eye.
    """
    usual = np.quantile(openness, 0.7, axis=0)
    resting = np.minimum(median_filter(openness, size=(_LONGEST, 1), mode="nearest"), usual)
    fall = (resting - openness) / np.maximum(resting - _SHUT * usual, 0.2 * usual)
    return np.clip((fall - _SLACK) / (1 - _SLACK), 0, 1)


def bridge(values: Floats, hidden: NDArray[np.bool_]) -> Floats:
    """Returns a series (n_frames, n_columns) with hidden frames interpolated between their neighbours."""
    frames = np.arange(len(values))
    if hidden.all() or not hidden.any():
        return values
    shown = ~hidden
    columns = [np.interp(frames, frames[shown], column[shown]) for column in values.T]
    return np.stack(columns, axis=1)
