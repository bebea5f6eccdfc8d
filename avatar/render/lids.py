"""Makes the blink unit close these eyes exactly, keeps the lashes with the lid's edge, and lids with the gaze."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from avatar.motion.layout import INDEX
from avatar.render.face import smoothstep
from avatar.render.topology import EYES, EyeIndices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_SECOND_RING = 0.90
_THIRD_RING = 0.22
_UPPER_SHARE = 0.8
"""What is left to close moves the upper lid by this share, the lower one by the rest."""

_BROWS = ("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight")


def with_fitted_lids(face: Face) -> NDArray[np.float64]:
    """Returns the face's deltas (52, 468, 3) with lids that fit these eyes.

    Both blinks close the lids column by column at 1; the lids follow a look up or down (Evinger et al. 1984: nearly
    as far as the eye turns); brows leave the lids alone.
    """
    deltas = face.deltas.copy()
    for name in _BROWS:
        deltas[INDEX[name]] *= _away_from_eyes(face)[:, None]
    for eye in EYES:
        _fit_eye(face, eye, deltas)
        _follow_gaze(face, eye, deltas)
    return deltas


def _away_from_eyes(face: Face) -> NDArray[np.float64]:
    """Returns weights (468,) that grow from a little at the lids to 1 at the brows."""
    contours = np.array([index for eye in EYES for index in (*eye.upper, *eye.lower)])
    apart = np.linalg.norm(face.points[:, None, :2] - face.points[None, contours, :2], axis=-1).min(1)
    return 0.1 + 0.9 * smoothstep((apart / face.width - 0.01) / 0.09)


def _follow_gaze(face: Face, eye: EyeIndices, deltas: NDArray[np.float64]) -> None:
    """Makes the looks up and down from the blink: the upper lid goes along, the lower one gives way a little."""
    upper, lower = np.array(eye.upper), np.array(eye.lower)
    height = face.points @ face.up
    across = face.points @ face.right
    order = np.argsort(across[upper])
    middle = np.interp(across, across[upper][order], ((height[upper] + height[lower]) / 2)[order])
    above = smoothstep((height - middle) / (0.02 * face.width) + 0.5)
    above[upper], above[lower[1:-1]] = 1.0, 0.0
    lid = deltas[INDEX["eyeBlink" + eye.side]] * above[:, None]
    gap = ((face.points[upper] - face.points[lower]) @ face.up).max()
    near = np.linalg.norm(face.points[:, None, :2] - face.points[None, lower, :2], axis=-1).min(1)
    below = np.exp(-((near / (0.05 * face.width)) ** 2)) * (1 - above)
    below[lower[[0, -1]]] = 0.0
    give = (below * gap)[:, None] * face.up
    deltas[INDEX["eyeLookDown" + eye.side]] = 0.42 * lid - 0.10 * give
    deltas[INDEX["eyeLookUp" + eye.side]] = -0.20 * lid + 0.04 * give


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
    for name in ("eyeSquint", "eyeWide"):
        deltas[INDEX[name + eye.side]] *= np.clip(np.median(scale), 0.6, 1.5)
