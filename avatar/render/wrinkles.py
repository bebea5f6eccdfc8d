"""Folds that skin makes when a face moves: dark lines with a lighter ridge, as brightness of the sheet's vertices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from avatar.motion.layout import INDEX, N_BLENDSHAPES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_LINE: Final = 0.013
"""Half width of a fold, face widths."""
_RIDGE: Final = 0.45
"""Brightness of the ridge above a fold, as a share of the fold's darkness."""


@dataclass(frozen=True, slots=True)
class _Fold:
    """One fold.

    Attributes:
        line: Points of its line, each the mean of some landmarks.
        units: What deepens it, and by how much brightness at coefficient 1.
    """

    line: tuple[tuple[int, ...], ...]
    units: tuple[tuple[str, float], ...]


_FOREHEAD: Final = (104, 69, 108, 151, 337, 299, 333)
_BROWS: Final = (105, 66, 107, 9, 336, 296, 334)

_FOLDS: Final = (
    _Fold(((129,), (129, 203), (203,), (206,), (206, 216)), (("mouthSmileRight", 0.075), ("noseSneerRight", 0.12))),
    _Fold(((358,), (358, 423), (423,), (426,), (426, 436)), (("mouthSmileLeft", 0.075), ("noseSneerLeft", 0.12))),
    _Fold(
        tuple((top,) for top in _FOREHEAD),
        (("browInnerUp", 0.045), ("browOuterUpLeft", 0.02), ("browOuterUpRight", 0.02)),
    ),
    _Fold(
        tuple((top, brow) for top, brow in zip(_FOREHEAD, _BROWS, strict=True)),
        (("browInnerUp", 0.06), ("browOuterUpLeft", 0.02), ("browOuterUpRight", 0.02)),
    ),
    _Fold(((8, 55), (9, 107), (9, 9, 107)), (("browDownRight", 0.09),)),
    _Fold(((8, 285), (9, 336), (9, 9, 336)), (("browDownLeft", 0.09),)),
)


def crease_depths() -> NDArray[np.float32]:
    """Returns what each unit adds to the depth of each fold, float32 (52, n_wrinkles)."""
    depths = np.zeros((N_BLENDSHAPES, len(_FOLDS)), np.float32)
    for k, fold in enumerate(_FOLDS):
        for name, depth in fold.units:
            depths[INDEX[name], k] = depth
    return depths


def wrinkles_of(face: Face, vertices: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns the brightness that depth 1 of each fold adds to vertices (n, 3) of a face: float32 (n, n_wrinkles)."""
    return np.stack([_brightness(face, fold, vertices) for fold in _FOLDS], 1).astype(np.float32)


def _brightness(face: Face, fold: _Fold, vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    line = np.array([face.points[list(group), :2].mean(0) for group in fold.line])
    knots = np.linspace(0, 1, len(line))
    along = np.linspace(0, 1, 60)
    dense = np.stack([np.interp(along, knots, line[:, axis]) for axis in (0, 1)], 1)
    offset = vertices[:, None, :2] - dense[None]
    squared = (offset**2).sum(-1)
    nearest = squared.argmin(1)
    here = np.arange(len(vertices))
    tangent = np.gradient(dense, axis=0)[nearest]
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1) / np.linalg.norm(tangent, axis=1, keepdims=True)
    side = (offset[here, nearest] * normal).sum(1) * np.sign(normal[:, 1] + 1e-9) / (_LINE * face.width)
    fade = np.sin(np.pi * np.clip(along[nearest], 0.02, 0.98)) ** 0.7
    beyond = np.maximum(squared[here, nearest] / (_LINE * face.width) ** 2 - side**2, 0)
    return fade * np.exp(-beyond) * (_RIDGE * np.exp(-((side - 1.8) ** 2)) - np.exp(-(side**2)))
