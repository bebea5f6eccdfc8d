"""What the mouth's units together ask for: a mouth as wide as a person can make it, and a wide jaw's round lips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import INDEX
from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER
from avatar.render.lip_field import Lips, narrowed, near_corners, risen
from avatar.render.lips import closing_offsets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_NARROWEST, _WIDEST = 0.62, 1.40
"""Width of a mouth as a share of a calm one: smiling or stretched lips don't add up, nor do rounded and unsmiling."""
_OWN_ROOM: Final = 0.08
"""A mouth may always be so much wider or narrower than in the photo."""
_FREE: Final = 0.75
"""Within this part of the way to its widest or narrowest a mouth does what its units say."""
_SKIN: Final = 0.13
"""Face widths around the lips over which skin follows."""
_CORNERS: Final = (78, 308)
_MIDDLES: Final = (13, 14)
_ROUNDED: Final = [INDEX["mouthPucker"], INDEX["mouthFunnel"]]

_LIFTED: Final = 0.020
"""Face widths by which the corners rise if rounding is taken off, beside what the units do: smiling people do."""
_WIDE_JAW: Final = 0.4
"""A jaw dropped further makes the opening rounder."""
_CORNER_SHARE: Final = 0.42
"""Share of a wide jaw's gap by which its corners hang below the upper lip's middle."""
_BOW, _ELLIPSE, _RIM_SHARE = 0.55, 0.85, 0.7
"""Power of that opening's outline (an ellipse's is 0.5), the share of the way to it, and the share that the lower
lip's rim goes along."""
_CORNERS_IN: Final = 0.07
"""Share of the mouth's width that a wide jaw takes beside what `lip_shapes` does."""
_SKIN_ALONG: Final = (0.07, 0.12)

_ROUND: Final = (0.3, 0.6)
"""Pucker and funnel from which lips begin to be round, and are: corners lie no higher than the opening's middle."""
_LEVEL_POWER: Final = 1.6
"""How a corner's fall fades towards the mouth's middle: the power of the way out from there."""
_OVAL: Final = (0.84, 2.2, 0.5)
"""Part of the width that round lips open, and the powers of that opening's outline."""


class Correctives:
    """Shapes that are added to a face's units by what the units are together.

    Args:
        face: The face, with its lips' units shaped.
        expression: float32 (52,), what the photo wears.

    Attributes:
        shapes: float64 (6, 468, 3): the mouth's whole width, a wide jaw, and corners that come down; a wide jaw's gap
            made oval; each corner (the picture's left first) down by a pixel, with what lies between it and the middle.
    """

    def __init__(self, face: Face, expression: NDArray[np.float32]) -> None:
        left, right = _CORNERS
        self._own = float((face.points[right] - face.points[left]) @ face.right)
        self._widths = ((face.deltas[:, right] - face.deltas[:, left]) @ face.right / self._own).astype(np.float32)
        self._calm = float(np.clip(1 - expression @ self._widths, 0.7, 1.15))
        lowered = -_LIFTED * face.width * near_corners(face)[:, None] * face.up
        jaw = face.deltas[INDEX["jawOpen"]]
        self.shapes = np.stack(
            [-narrowed(face, _SKIN), _wide_jaw(face, jaw), lowered, _oval_jaw(face, jaw), *_level(face)]
        )
        self._high = _heights(face, _at_rest(face)).astype(np.float32)
        self._raises = _heights(face, np.concatenate([face.deltas, self.shapes[:4]])).astype(np.float32)

    def weights(self, units: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns how much of each shape units (52,) ask for, float32 (6,)."""
        width = 1.0 + float(units @ self._widths)
        low = min(_NARROWEST * self._calm, 1.0 - _OWN_ROOM)
        high = max(_WIDEST * self._calm, 1.0 + _OWN_ROOM)
        bound = high - self._calm if width > self._calm else self._calm - low
        jaw = float(units[INDEX["jawOpen"]] - max(units[INDEX["mouthClose"]], 0.0))
        wide = max(jaw - _WIDE_JAW, 0.0) / (1.0 - _WIDE_JAW)
        whole = self._calm + _bent(width - self._calm, bound) - width
        rounded = float(np.clip((units[_ROUNDED].sum() - _ROUND[0]) / (_ROUND[1] - _ROUND[0]), 0, 1))
        four = np.array([whole, wide, np.minimum(units[_ROUNDED], 0).sum(), rounded * max(jaw, 0.0)], np.float32)
        high = self._high + np.concatenate([units, four]) @ self._raises
        return np.concatenate([four, np.float32(rounded) * np.maximum(high, 0)])


def _bent(value: float, bound: float) -> float:
    free = _FREE * bound
    size = abs(value)
    if size <= free:
        return value
    return float(np.copysign(free + (bound - free) * np.tanh((size - free) / (bound - free)), value))


def _at_rest(face: Face) -> NDArray[np.float64]:
    return face.points if face.mouth_closed else face.points + closing_offsets(face)


def _heights(face: Face, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns how far each corner (..., 2) is above the opening's middle, for points or moves (..., 468, 3)."""
    return (points[..., list(_CORNERS), :] - points[..., list(_MIDDLES), :].mean(-2, keepdims=True)) @ face.up


def _level(face: Face) -> NDArray[np.float64]:
    """Returns what takes each corner down by a pixel, and what lies between it and the middle: (2, 468, 3)."""
    x = _way_out(face, face.points)
    downs = (-(np.maximum(side * x, 0) ** _LEVEL_POWER) for side in (-1, 1))
    return np.stack([risen(face, Lips(down, down, down, down), _SKIN_ALONG) for down in downs])


def _way_out(face: Face, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns where the points (468, 3) of the seam are between the mouth's corners, -1 to 1 (11,)."""
    seam = 0.5 * (points[list(LIP_INNER_UPPER)] + points[list(LIP_INNER_LOWER)]) @ face.right
    return (2 * seam - seam[0] - seam[-1]) / max(float(seam[-1] - seam[0]), 1e-6)


def _oval_jaw(face: Face, jaw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns what makes the gap of a jaw at 1 oval, both lips by half: (468, 3)."""
    gaps = (jaw[list(LIP_INNER_UPPER)] - jaw[list(LIP_INNER_LOWER)]) @ face.up
    part, power, root = _OVAL
    x = np.abs(_way_out(face, face.points)) / part
    lacking = 0.5 * (gaps.max() * np.clip(1 - x**power, 0, None) ** root - gaps)
    return risen(face, Lips(lacking, lacking, -lacking, -lacking), _SKIN_ALONG)


def _wide_jaw(face: Face, jaw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns what makes the opening of a jaw at 1 nearly an ellipse: its corners further down and in, (468, 3)."""
    narrow = _CORNERS_IN * narrowed(face, _SKIN)
    opened = _at_rest(face) + jaw + narrow
    upper, lower = opened[list(LIP_INNER_UPPER)], opened[list(LIP_INNER_LOWER)]
    top, bottom = ((opened[list(_MIDDLES)]) @ face.up).tolist()
    corners = top - _CORNER_SHARE * (top - bottom)
    bow = np.clip(1 - _way_out(face, opened) ** 2, 0, None) ** _BOW
    above = _ELLIPSE * (corners + (top - corners) * bow - upper @ face.up)
    below = _ELLIPSE * (corners + (bottom - corners) * bow - lower @ face.up)
    return narrow + risen(face, Lips(above, above, below, _RIM_SHARE * below), _SKIN_ALONG)
