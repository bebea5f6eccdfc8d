"""Finds the edges of lips that are open in the photo: the landmark model places them beside what is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER, LIP_OUTER_LOWER, LIP_OUTER_UPPER
from avatar.render.face import CLOSED_GAP
from avatar.render.filters import blurred, inside, sampled, spread
from avatar.render.lips import cheapest_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.portrait.types import Portrait

_OUTWARDS, _INWARDS = 0.01, 0.03
"""How far an edge may lie from its landmarks towards the lip and into the mouth, face widths."""
_N_OFFSETS: Final = 31
_N_COLUMNS: Final = 41
_SMOOTH: Final = 0.004
"""Face widths by which an edge may change from one column to the next at the cost of one pixel on the wrong side."""
_STAY: Final = 0.03
"""Face widths from the landmarks that cost as much."""
_SOFT: Final = 0.0025
"""Half of an edge's softness, face widths: what is half a tooth is no lip."""
_LEAST_OPEN: Final = 1.3
"""An opening that would be less than so many times the widest of closed lips keeps its landmarks."""
_GRAIN: Final = 6.0
"""Unit of likeness, in CIELAB."""
_LIP: Final = 1.6
"""How much more like the lip than like what lies between the lips a lip must be: its own colour varies less."""
_LEAST_RED: Final = 5.0
"""Redness (a* of CIELAB) of lips below which colour doesn't tell."""
_TEETH: Final = 0.5
"""Share of the lips' redness below which teeth are seen: 0.3 and less where they are, 0.7 and more at tongues."""
_DARK: Final = 0.72
"""Share of a lip's light below which a pixel of it is the mouth's shade, not its own."""
_NEAR: Final = 0.02
"""Face widths from the opening within which a lip is certainly red: outer contours may lie on the skin."""
_RIM: Final = 0.006
"""Softness of the opening's edge, face widths."""
_RINGS_UPPER: Final = ((184, 74, 73, 72, 11, 302, 303, 304, 408), (183, 42, 41, 38, 12, 268, 271, 272, 407))
_RINGS_LOWER: Final = ((77, 90, 180, 85, 16, 315, 404, 320, 307), (96, 89, 179, 86, 15, 316, 403, 319, 325))
"""Landmarks between the outer contours and the inner ones, without the corners."""
_CORNERS: Final = (78, 308)
_AROUND: Final = 0.12
"""Face widths around the lips within which anything is painted, and what it is painted from lies."""
_CORNER: Final = 0.085
"""Face widths from a corner in which the shade lies; elsewhere a lip may be dark."""


def with_seen_lips(portrait: Portrait) -> Portrait:
    """Returns a portrait whose inner lips' landmarks lie where the picture shows the edges of open lips.

    A portrait that shows no teeth is returned as it is: a tongue between its lips may look like them.
    """
    width, lab = portrait.face_width, _lab(portrait.rgb)
    points = portrait.landmarks[:, :2].astype(np.float64)
    if not _shows_teeth(portrait, lab):
        return portrait
    found = points.copy()
    for inner, other, outer in (
        (LIP_INNER_UPPER, LIP_INNER_LOWER, LIP_OUTER_UPPER),
        (LIP_INNER_LOWER, LIP_INNER_UPPER, LIP_OUTER_LOWER),
    ):
        for _ in range(2):
            found[list(inner)] = _edge(lab, found[list(inner)], points[list(other)], points[list(outer)], width)
    if np.linalg.norm(found[13] - found[14]) < _LEAST_OPEN * CLOSED_GAP * width:
        return portrait
    landmarks = portrait.landmarks.copy()
    landmarks[:, :2] = _with_rings(points, found)
    return replace(portrait, landmarks=landmarks)


def _shows_teeth(portrait: Portrait, lab: NDArray[np.float32]) -> bool:
    """Returns whether lips are apart and the brighter part of what lies between them is far less red than they are."""
    points = portrait.landmarks[:, :2].astype(np.float64)
    if np.linalg.norm(points[13] - points[14]) < CLOSED_GAP * portrait.face_width:
        return False
    opening = inside(points[[*LIP_INNER_UPPER, *LIP_INNER_LOWER[::-1]]], lab.shape[:2]) > 128
    lips = (inside(points[[*LIP_OUTER_UPPER, *LIP_OUTER_LOWER[::-1]]], lab.shape[:2]) > 128) & ~opening
    if not opening.any() or not lips.any():
        return False
    light, red = lab[..., 0], lab[..., 1]
    bright = opening & (light >= np.percentile(light[opening], 75))
    own = float(np.median(red[lips]))
    return own > _LEAST_RED and float(red[bright].mean()) < _TEETH * own


def _with_rings(points: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns points (468, 2) whose rings between the outer contours and the inner ones keep their share of the way."""
    for rings, inner, outer in (
        (_RINGS_UPPER, LIP_INNER_UPPER, LIP_OUTER_UPPER),
        (_RINGS_LOWER, LIP_INNER_LOWER, LIP_OUTER_LOWER),
    ):
        edge, rim = list(inner[1:-1]), list(outer[1:-1])
        apart = np.linalg.norm(points[edge] - points[rim], axis=1)
        grown = np.linalg.norm(found[edge] - points[rim], axis=1) / np.maximum(apart, 1e-3)
        for ring in rings:
            found[list(ring)] = points[rim] + grown[:, None] * (points[list(ring)] - points[rim])
    return found


def _lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)


def _edge(
    lab: NDArray[np.float32],
    inner: NDArray[np.float64],
    other: NDArray[np.float64],
    outer: NDArray[np.float64],
    width: float,
) -> NDArray[np.float64]:
    """Returns where one lip ends towards the opening: (11, 2), the corners as they were.

    Along lines across the lip, pixels before the edge look like the lip's middle and those after it do not.

    Args:
        lab: float32 (h, w, 3), the picture.
        inner: (11, 2), the lip's inner contour.
        other: (11, 2), the other lip's.
        outer: (11, 2), the lip's outer contour.
        width: The face's, pixels.
    """
    along, knots = np.linspace(0.0, 1.0, _N_COLUMNS), np.linspace(0.0, 1.0, len(inner))
    line, across, lip = (_resampled(part, along, knots) for part in (inner, other, outer))
    normal = across[_N_COLUMNS // 2] - line[_N_COLUMNS // 2]
    normal /= np.linalg.norm(normal)
    offsets = np.linspace(-_OUTWARDS, _INWARDS, _N_OFFSETS) * width
    seen = _colours(lab, line[:, None] + offsets[None, :, None] * normal)
    red = np.median(
        _colours(lab, line[:, None] + np.array([0.15, 0.3, 0.45])[None, :, None] * (lip - line)[:, None]), 1
    )
    red = gaussian_filter1d(red, 2.0, axis=0)
    within = np.median(
        _colours(lab, line[:, None] + np.array([0.4, 0.5, 0.6])[None, :, None] * (across - line)[:, None]), 1
    )
    unlike = np.linalg.norm(seen - red[:, None], axis=-1)
    like = np.linalg.norm(seen - within[:, None], axis=-1)
    wrong = np.tanh((_LIP * unlike - like) / _GRAIN)
    # What lies before the edge should be lip, what lies after it should not.
    before = np.cumsum(wrong, 1)
    cost = before - 0.5 * before[:, -1:]
    room = np.linalg.norm(across - line, axis=1)[:, None]
    cost = cost + (offsets / (_STAY * width)) ** 2 + 1e3 * (offsets > 0.5 * room)
    step = (np.subtract.outer(offsets, offsets) / (_SMOOTH * width)) ** 2
    path = gaussian_filter1d(offsets[cheapest_path(cost, step)], 2.5) - _SOFT * width
    moved = inner + np.interp(knots, along, path)[:, None] * normal
    moved[[0, -1]] = inner[[0, -1]]
    return moved


def _resampled(
    contour: NDArray[np.float64], along: NDArray[np.float64], knots: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.stack([np.interp(along, knots, contour[:, axis]) for axis in (0, 1)], 1)


def _colours(lab: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([sampled(lab[..., channel], places) for channel in range(3)], -1).astype(np.float64)


def without_shade(portrait: Portrait) -> NDArray[np.uint8]:
    """Returns a portrait's picture with lips up to the middle of an open mouth, uint8 (size, size, 3).

    Beside the opening, most of all at its corners, lies the mouth's shade, which narrow or closed lips would carry as
    dark notches; edges are soft, so lips would carry a rim of teeth. Both take the colour of the lip beside them.

    Args:
        portrait: See `with_seen_lips`.
    """
    points = portrait.landmarks[:, :2].astype(np.float64)
    if not _shows_teeth(portrait, _lab(portrait.rgb)):
        return portrait.rgb
    lips = points[[*LIP_OUTER_UPPER, *LIP_OUTER_LOWER]]
    margin = _AROUND * portrait.face_width
    left, top = np.maximum(0, lips.min(axis=0) - margin).astype(int)
    right, bottom = (lips.max(axis=0) + margin).astype(int) + 1
    rgb = portrait.rgb.copy()
    rgb[top:bottom, left:right] = _painted(rgb[top:bottom, left:right], points - (left, top), portrait.face_width)
    return rgb


def _painted(rgb: NDArray[np.uint8], points: NDArray[np.float64], width: float) -> NDArray[np.uint8]:
    """Returns the part of a picture around the mouth, (h, w, 3), painted as `without_shade` says.

    Args:
        rgb: The part.
        points: (468, 2), the landmarks in it.
        width: The face's, pixels.
    """
    size = rgb.shape[:2]
    opening = inside(points[[*LIP_INNER_UPPER, *LIP_INNER_LOWER[::-1]]], size) > 0
    rows, columns = np.mgrid[: size[0], : size[1]]
    apart = [np.hypot(columns - x, rows - y) for x, y in points[list(_CORNERS)]]
    cornered = np.minimum(*apart) < _CORNER * width
    seam = 0.5 * (points[list(LIP_INNER_UPPER)] + points[list(LIP_INNER_LOWER)])
    light = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    dark, known = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    for outer in (LIP_OUTER_UPPER, LIP_OUTER_LOWER):
        lip = (inside(np.concatenate([seam, points[list(outer)][::-1]]), size) > 0) & ~opening
        red = lip & ~cornered & _grown(opening, _NEAR * width)
        known |= red
        if red.any():
            dark |= lip & cornered & (light < _DARK * float(np.median(light[red])))
    hidden = _grown(dark, 1.5 * _RIM * width) | _grown(opening, _RIM * width)
    share = blurred(hidden.astype(np.float32), 0.6 * _RIM * width)[..., None]
    # Lips pale towards their corners, and become skin.
    seen, reach = rgb.astype(np.float32), 1.5 * _RIM * width
    painted = 0.5 * (spread(seen, known & ~hidden, reach) + spread(seen, ~hidden, reach))
    return np.clip(rgb + share * (painted - rgb), 0, 255).round().astype(np.uint8)


def _grown(mask: NDArray[np.bool_], reach: float) -> NDArray[np.bool_]:
    side = 2 * max(1, round(reach)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)
