"""Makes the blink unit close these eyes exactly, and keeps the lashes with the lid's edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avatar.motion.layout import INDEX
from avatar.render.topology import EYES, EyeIndices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_SECOND_RING = 0.90
_THIRD_RING = 0.22
_UPPER_SHARE = 0.8
"""What is left to close moves the upper lid by this share, the lower one by the rest."""


def with_exact_blinks(face: Face) -> NDArray[np.float64]:
    """Returns the face's deltas (52, 468, 3) with both blinks closing the lids column by column at 1."""
    deltas = face.deltas.copy()
    for eye in EYES:
        _fit_eye(face, eye, deltas)
    return deltas


def _fit_eye(face: Face, eye: EyeIndices, deltas: NDArray[np.float64]) -> None:
    blink = INDEX["eyeBlink" + eye.side]
    upper, lower = np.array(eye.upper), np.array(eye.lower)
    points, up = face.points, face.up
    gap = (points[upper] - points[lower]) @ up
    closure = (deltas[blink][lower] - deltas[blink][upper]) @ up
    scale = gap[1:-1] / np.maximum(closure[1:-1], 1e-3 * face.width)
    scale = np.clip(np.r_[0.6 * scale[0] + 0.4, scale, 0.6 * scale[-1] + 0.4], 0.3, 2.2)
    across = points @ face.right
    columns = (across[upper] + across[lower]) / 2
    order = np.argsort(columns)
    deltas[blink] *= np.interp(across, columns[order], scale[order])[:, None]

    left = (gap - (deltas[blink][lower] - deltas[blink][upper]) @ up)[1:-1, None]
    deltas[blink][upper[1:-1]] -= _UPPER_SHARE * left * up
    deltas[blink][lower[1:-1]] += (1 - _UPPER_SHARE) * left * up
    edge = deltas[blink][upper[1:-1]]
    deltas[blink][list(eye.upper_second)] = _SECOND_RING * edge
    deltas[blink][list(eye.upper_third)] = _THIRD_RING * edge
    for name in ("eyeSquint", "eyeWide", "eyeLookDown", "eyeLookUp"):
        deltas[INDEX[name + eye.side]] *= np.clip(np.median(scale), 0.6, 1.5)
