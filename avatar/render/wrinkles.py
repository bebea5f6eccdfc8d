"""Folds that skin makes when a face moves: where they lie, how they look, and what deepens them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from avatar.motion.layout import INDEX, N_BLENDSHAPES
from avatar.portrait.topology import LIP_OUTER_LOWER, LIP_OUTER_UPPER
from avatar.render.filters import blurred, inside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Portrait
    from avatar.render.face import Face

_LINE: Final = 0.013
"""Half width of a fold, face widths."""
_RIDGE: Final = 0.32
"""Brightness of the ridge above a fold, as a share of the fold's darkness."""
_THIN: Final = 0.5
"""Width of a fine fold as a share of others'."""
_WAVER: Final = 0.004
"""How far a fine fold leaves its line, face widths."""


@dataclass(frozen=True, slots=True)
class _Fold:
    """One fold.

    Attributes:
        line: Points of its line, each the mean of some landmarks.
        units: What deepens it, and by how much brightness at coefficient 1.
        fine: A thin line that wavers and comes and goes, with a ridge on both sides.
    """

    line: tuple[tuple[int, ...], ...]
    units: tuple[tuple[str, float], ...]
    fine: bool = False


_HAIRLINE: Final = (103, 67, 109, 10, 338, 297, 332)
_FOREHEAD: Final = (104, 69, 108, 151, 337, 299, 333)
_BROWS: Final = (105, 66, 107, 9, 336, 296, 334)
_LIP_FOLD: Final = (106, 182, 83, 18, 313, 406, 335)


def _both(lines: tuple[tuple[tuple[int, ...], ...], ...], units: tuple[tuple[str, float], ...]) -> tuple[_Fold, ...]:
    """Returns a fold of the person's right side and of the left one; `units` are named without their side."""
    right, left = (tuple((name + side, depth) for name, depth in units) for side in ("Right", "Left"))
    return _Fold(lines[0], right), _Fold(lines[1], left)


def _across(rows: tuple[tuple[int, ...], ...], depth: float) -> _Fold:
    """Returns a line across the forehead, between rows of landmarks of which some may count more than once."""
    units = (("browInnerUp", 0.6 * depth), ("browOuterUpLeft", 0.2 * depth), ("browOuterUpRight", 0.2 * depth))
    return _Fold(tuple(zip(*rows, strict=True)), units, fine=True)


_FOLDS: Final = (
    # From the nose to beside the mouth's corner.
    *_both(
        (((129,), (129, 203), (203, 206), (206, 216), (216,)), ((358,), (358, 423), (423, 426), (426, 436), (436,))),
        (("mouthSmile", 0.085), ("noseSneer", 0.10), ("mouthUpperUp", 0.03), ("cheekSquint", 0.03)),
    ),
    # Crow's feet.
    *_both(
        (((130, 226), (35, 143), (34, 143)), ((359, 446), (265, 372), (264, 372))),
        (("cheekSquint", 0.07), ("mouthSmile", 0.035), ("eyeSquint", 0.04)),
    ),
    *_both(
        (((130, 25), (31, 111), (111, 117)), ((359, 255), (261, 340), (340, 346))),
        (("cheekSquint", 0.06), ("mouthSmile", 0.03), ("eyeSquint", 0.03)),
    ),
    # Under the eye, where a raised cheek meets the lid.
    *_both(
        (((25,), (110, 24), (23,), (22,), (26,)), ((255,), (339, 254), (253,), (252,), (256,))),
        (("cheekSquint", 0.06), ("mouthSmile", 0.025), ("eyeSquint", 0.05)),
    ),
    # From the mouth's corner down.
    *_both((((57,), (43, 202), (202, 210)), ((287,), (273, 422), (422, 430))), (("mouthFrown", 0.085),)),
    _Fold(
        tuple((index,) for index in _LIP_FOLD),
        (("mouthShrugLower", 0.07), ("mouthFrownLeft", 0.03), ("mouthFrownRight", 0.03), ("mouthRollLower", 0.03)),
    ),
    _across((_HAIRLINE, _FOREHEAD), 0.08),
    _across((_FOREHEAD,), 0.13),
    _across((_FOREHEAD, _FOREHEAD, _BROWS), 0.13),
    _across((_FOREHEAD, _BROWS, _BROWS), 0.08),
    # Between the brows.
    *(
        replace(fold, fine=True)
        for fold in _both((((8, 55), (9, 107), (9, 108)), ((8, 285), (9, 336), (9, 337))), (("browDown", 0.14),))
    ),
)


_WORN_LINES: Final = (
    ((129,), (129, 203), (203,), (206,), (216,), (57, 212), (212,)),
    ((358,), (358, 423), (423,), (426,), (436,), (287, 432), (432,)),
)
"""From the nose's wing past the mouth's corner."""
_FINE: Final = 0.006
_WIDEST: Final = 0.08
"""Width of what is taken for a fold, face widths; wider shades are the face's own."""
_BESIDE: Final = 0.045
"""Face widths from the usual line in which a person's own may lie."""


def crease_depths() -> NDArray[np.float32]:
    """Returns what each unit adds to the depth of each fold, float32 (52, n_wrinkles)."""
    depths = np.zeros((N_BLENDSHAPES, len(_FOLDS)), np.float32)
    for k, fold in enumerate(_FOLDS):
        for name, depth in fold.units:
            depths[INDEX[name], k] = depth
    return depths


def fine_folds() -> NDArray[np.bool_]:
    """Returns which folds are fine lines, bool (n_wrinkles,)."""
    return np.array([fold.fine for fold in _FOLDS])


def without_folds(portrait: Portrait, share: float) -> NDArray[np.uint8]:
    """Returns a portrait's picture with the folds of a smile, past the mouth's corners, filled to a share: uint8.

    Args:
        portrait: The portrait.
        share: 0 keeps them, 1 fills them up to the skin beside.
    """
    rgb, points, width = portrait.rgb, portrait.landmarks[:, :2].astype(np.float64), portrait.face_width
    side = 2 * round(0.5 * _WIDEST * width) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    seen = blurred(rgb.astype(np.float32), _FINE * width)
    closed = np.asarray(cv2.morphologyEx(seen, cv2.MORPH_CLOSE, kernel), np.float32)
    filled = blurred(closed, 2 * _FINE * width)
    rows, columns = np.mgrid[: rgb.shape[0], : rgb.shape[1]].astype(np.float32)
    near = np.zeros(rgb.shape[:2], np.float32)
    for line in _WORN_LINES:
        squared = np.full(rgb.shape[:2], np.inf, np.float32)
        for x, y in _dense(points, line):
            squared = np.minimum(squared, (columns - x) ** 2 + (rows - y) ** 2)
        near = np.maximum(near, np.exp(-squared / (_BESIDE * width) ** 2))
    lips = inside(points[[*LIP_OUTER_UPPER, *LIP_OUTER_LOWER[::-1]]], rgb.shape[:2]) / 255.0
    near *= np.clip(1 - 2 * blurred(lips, _FINE * width), 0, 1)
    return np.clip(rgb + (share * near)[..., None] * np.maximum(filled - rgb, 0), 0, 255).round().astype(np.uint8)


def _dense(points: NDArray[np.float64], line: tuple[tuple[int, ...], ...]) -> NDArray[np.float64]:
    """Returns 60 points (60, 2) along a line whose knots are means of points (468, 2 or more)."""
    knots = np.array([points[list(group), :2].mean(0) for group in line])
    at = np.linspace(0, 1, len(knots))
    along = np.linspace(0, 1, 60)
    return np.stack([np.interp(along, at, knots[:, axis]) for axis in (0, 1)], 1)


def course(face: Face, fold: int) -> NDArray[np.float64]:
    """Returns the line of a fold on a face: 60 points (60, 2), pixels, y up."""
    dense = _dense(face.points, _FOLDS[fold].line)
    if _FOLDS[fold].fine:
        dense[:, 1] += _WAVER * face.width * _uneven(fold)
    return dense


def width_of(face: Face, fold: int) -> float:
    """Returns how far from its line a fold shows, pixels."""
    return 3.6 * _half_width(face, fold)


def _half_width(face: Face, fold: int) -> float:
    return _LINE * face.width * (_THIN if _FOLDS[fold].fine else 1.0)


def _uneven(fold: int) -> NDArray[np.float64]:
    """Returns smooth noise of about -1 to 1 along a fold (60,), always the same."""
    noise = np.random.default_rng(fold).normal(size=60)
    return gaussian_filter1d(noise, 4.0) / 0.27 * 0.6


def brightness_of(face: Face, fold: int, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the brightness (n,) that depth 1 of a fold adds at places (n, 2) of a face: dark, with a light ridge.

    Args:
        face: The face.
        fold: Which one, a column of `crease_depths`.
        places: Pixels, y up.
    """
    along = np.linspace(0, 1, 60)
    dense, half = course(face, fold).astype(np.float32), _half_width(face, fold)
    offset = places.astype(np.float32)[:, None] - dense[None]
    squared = (offset**2).sum(-1)
    nearest = squared.argmin(1)
    here = np.arange(len(places))
    tangent = np.gradient(dense, axis=0)[nearest]
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1) / np.linalg.norm(tangent, axis=1, keepdims=True)
    side = (offset[here, nearest] * normal).sum(1) * np.sign(normal[:, 1] + 1e-9) / half
    fade = np.sin(np.pi * np.clip(along[nearest], 0.02, 0.98)) ** 0.7
    beyond = np.maximum(squared[here, nearest] / half**2 - side**2, 0)
    ridge = np.exp(-((side - 1.8) ** 2))
    if _FOLDS[fold].fine:
        fade *= np.clip(0.8 + 0.4 * _uneven(fold + len(_FOLDS)), 0.2, 1.0)[nearest]
        ridge += np.exp(-((side + 1.8) ** 2))
    return fade * np.exp(-beyond) * (_RIDGE * ridge - np.exp(-(side**2)))
