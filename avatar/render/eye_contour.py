"""Widens eye contours that miss large (drawn) eyes: the landmark model expects photographs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from avatar.render.face import smoothstep
from avatar.render.filters import sampled
from avatar.render.topology import EYES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_REACH = 0.06
"""How far outside the contour the eye may go on, face widths."""
_WORTH, _MOST = 0.009, 0.03
"""Less than this, in face widths, is within what the landmarks leave open; more is make-up or shadow, not an eye."""
_CHEEKS = (50, 117, 118, 205, 280, 346, 347, 425)
_LEAST_CHROMA = 10.0
"""Paler skin than this (CIELAB units) can't be told from an eye by its colour."""


def widen_to_eyes(face: Face, rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Returns the points (468, 3) with both eyes' contours moved out to where the eye's colour ends, if that is far.

    Args:
        face: The face.
        rgb: uint8 (size, size, 3), the picture.
    """
    eyeness = _eyeness(face, rgb)
    points = face.points.copy()
    if eyeness is None:
        return points
    outlines = [np.array([*eye.upper, *eye.lower[-2:0:-1]]) for eye in EYES]
    moves = [_moves_outwards(face, outline, eyeness) for outline in outlines]
    lengths = np.linalg.norm(moves, axis=2) / face.width
    if np.median(lengths, axis=1).mean() < _WORTH or lengths.max() > _MOST:
        return points
    for outline, move in zip(outlines, moves, strict=True):
        apart = np.linalg.norm(face.points[:, None, :2] - face.points[None, outline, :2], axis=-1)
        nearness = np.exp(-((apart.min(1) / (0.07 * face.width)) ** 2))
        share = np.exp(-((apart / (0.03 * face.width)) ** 2)) + 1e-9
        points[:, :2] += nearness[:, None] * (share @ move) / share.sum(1, keepdims=True)
        points[outline, :2] = face.points[outline, :2] + move
    return points


def _eyeness(face: Face, rgb: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """Returns how much each pixel differs in hue from the cheeks, (size, size) in [0, 1]; None if skin has no hue."""
    chroma = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[..., 1:].astype(np.float64) - 128
    column, row = np.clip(face.picture(face.points[list(_CHEEKS)]).round().astype(int), 0, face.size - 1).T
    skin = np.median(chroma[row, column], axis=0)
    if float(np.linalg.norm(skin)) < _LEAST_CHROMA:
        return None
    return smoothstep((np.linalg.norm(chroma - skin, axis=-1) / float(np.linalg.norm(skin)) - 0.35) / 0.4)


def _moves_outwards(face: Face, outline: NDArray[np.int64], eyeness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns how far each point of a closed outline moves along its normal to the end of the eye, (n, 2)."""
    where = face.points[outline, :2]
    tangent = np.roll(where, -1, axis=0) - np.roll(where, 1, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    normal *= np.sign(((where - where.mean(0)) * normal).sum(1))[:, None]
    offsets = np.linspace(0, _REACH, 19) * face.width
    places = (where[:, None] + offsets[None, :, None] * normal[:, None]) * [1.0, -1.0]
    inside = np.minimum.accumulate(sampled(eyeness, places) > 0.5, axis=1)
    reach = np.where(inside.any(1), offsets[inside.shape[1] - 1 - inside[:, ::-1].argmax(1)], 0.0)
    return gaussian_filter1d(reach, 1.0, mode="wrap")[:, None] * normal
