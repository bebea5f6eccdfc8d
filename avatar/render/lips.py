"""Brings the photo's lips to rest: the inner contours on the dark seam, or an open mouth closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter1d

from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER
from avatar.render.filters import blurred, sampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_REACH = 0.03
"""How far the seam may lie from the landmarks' middle line, in face widths."""
_N_COLUMNS, _N_BEYOND, _BEYOND = 41, 10, 0.055
"""Places along the landmarks' line, and beyond each of its ends, over how many face widths."""
_BESIDE = 0.022
"""Face widths from the line to what it is darker than."""
_FAINT, _FAINTEST = 0.28, 0.06
"""A line ends where it is less dark than this share of its middle, or than this share of the light."""
_CORNER_REACH = 0.05
"""Face widths over which landmarks go along with a corner."""
_HALF_SPLIT = 0.4
"""Pixels between the seam and each lip's contour."""
_LOWER_SHARE = 0.7
"""Part of an open mouth's gap that the lower lip closes; the upper lip closes the rest."""
_CORNERS = (78, 308)


def snap_to_seam(face: Face, luminance: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns the points (468, 3) of a face with closed lips, inner contours moved onto the dark line between the lips.

    The line is the cheapest path (Viterbi) through darkness across offsets from the landmarks' middle line. Landmarks
    often end before it does, and what is left of it beyond would stay as a dark notch beside an open mouth: corners
    are moved out to where the line ends.

    Args:
        face: The face.
        luminance: float32 (size, size), the picture.
    """
    middle = face.picture(face.seam())
    chord = middle[-1] - middle[0]
    length = float(np.linalg.norm(chord))
    along_lips, normal = chord / length, np.array([-chord[1], chord[0]]) / length
    beyond = _BEYOND * face.width
    at = np.arange(-_N_BEYOND, _N_COLUMNS + _N_BEYOND)
    outside = np.maximum(-at, 0) - np.maximum(at - _N_COLUMNS + 1, 0)
    knots, along = np.linspace(0.0, 1.0, len(middle)), np.clip(at / (_N_COLUMNS - 1), 0, 1)
    line = np.stack([np.interp(along, knots, middle[:, axis]) for axis in (0, 1)], 1)
    line -= outside[:, None] / _N_BEYOND * beyond * along_lips
    offsets = np.linspace(-_REACH, _REACH, 25) * face.width
    smooth = blurred(luminance, 1.0)
    dark = sampled(smooth, line[:, None] + offsets[None, :, None] * normal).astype(np.float64)
    inner = slice(_N_BEYOND, _N_BEYOND + _N_COLUMNS)
    cost = dark / max(float(dark[inner].std()), 1e-3) + 0.9 * (offsets / (0.016 * face.width)) ** 2
    step = (np.subtract.outer(offsets, offsets) / (0.006 * face.width)) ** 2
    path = offsets[cheapest_path(cost, step)]
    seam = line + gaussian_filter1d(path, 1.5)[:, None] * normal
    left, right = _line_ends(smooth, seam, normal * _BESIDE * face.width)

    points = _with_corners(face, seam[[left, right]])
    columns = np.linspace(left, right, len(middle))[1:-1]
    between = np.stack([np.interp(columns, np.arange(len(seam)), seam[:, axis]) for axis in (0, 1)], 1)
    for contour, side in ((LIP_INNER_UPPER, -1.0), (LIP_INNER_LOWER, 1.0)):
        points[list(contour[1:-1]), :2] = (between + side * _HALF_SPLIT * normal) * [1.0, -1.0]
    points[list(_CORNERS), :2] = seam[[left, right]] * [1.0, -1.0]
    return points


def slid_along(face: Face, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the deltas (52, 468, 3) of a face whose inner lips were moved along themselves to `points` (468, 3).

    What both lips do belongs to a place on the skin, and stays there; how far they part belongs to the landmark.
    """
    upper, lower = list(LIP_INNER_UPPER), list(LIP_INNER_LOWER)
    deltas = face.deltas.copy()
    both = 0.5 * (deltas[:, upper] + deltas[:, lower])
    before, after = (0.5 * (p[upper] + p[lower]) @ face.right for p in (face.points, points))
    place = np.interp(after, before, np.arange(len(upper)))
    left = np.minimum(place.astype(int), len(upper) - 2)
    share = (place - left)[:, None]
    slid = (1 - share) * both[:, left] + share * both[:, left + 1]
    deltas[:, upper] += slid - both
    deltas[:, lower] += slid - both
    return deltas


def _line_ends(
    luminance: NDArray[np.float32], seam: NDArray[np.float64], beside: NDArray[np.float64]
) -> tuple[int, int]:
    """Returns between which points of a seam (n, 2) it is a dark line: at least between the landmarks' corners.

    Args:
        luminance: float32 (size, size), the picture.
        seam: Columns and rows, with `_N_BEYOND` points beyond each corner.
        beside: (2,), from the line to the skin or lip below it.
    """
    here, above, below = (sampled(luminance, (seam + side * beside)[None])[0] for side in (0, -1, 1))
    depth = gaussian_filter1d((np.minimum(above, below) - here) / np.maximum(here, 1.0), 1.0)
    least = max(_FAINTEST, _FAINT * float(np.median(depth[_N_BEYOND:-_N_BEYOND])))
    shown = depth > least
    left, right = _N_BEYOND, len(seam) - 1 - _N_BEYOND
    while left > 0 and shown[left - 1]:
        left -= 1
    while right < len(seam) - 1 and shown[right + 1]:
        right += 1
    return left, right


def _with_corners(face: Face, corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the points (468, 3) with the mouth's corners moved to `corners` (2, 2), those around them some way."""
    points = face.points.copy()
    for index, place in zip(_CORNERS, corners, strict=True):
        move = np.append(place * [1.0, -1.0], face.points[index, 2]) - face.points[index]
        apart = np.linalg.norm(face.points[:, :2] - face.points[index, :2], axis=1) / face.width
        points += np.exp(-((apart / _CORNER_REACH) ** 2))[:, None] * move
    return points


def cheapest_path(cost: NDArray[np.float64], step: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns the state chosen in each row of cost (n_rows, n_states); step (to, from) is paid between rows."""
    total = cost[0]
    came_from: list[NDArray[np.int64]] = []
    for row in cost[1:]:
        arrive = total[None, :] + step
        came_from.append(arrive.argmin(1))
        total = row + arrive.min(1)
    state = int(total.argmin())
    path = [state]
    for back in reversed(came_from):
        state = int(back[state])
        path.append(state)
    return np.array(path[::-1])


def closing_offsets(face: Face) -> NDArray[np.float64]:
    """Returns what closes an open mouth: (468, 3), to be added to the points."""
    gap = face.points[list(LIP_INNER_UPPER)] - face.points[list(LIP_INNER_LOWER)]
    return carried_by_lips(face, -(1 - _LOWER_SHARE) * gap, _LOWER_SHARE * gap, (0.16, 0.30))


def carried_by_lips(
    face: Face, upper_moves: NDArray[np.float64], lower_moves: NDArray[np.float64], reach: tuple[float, float]
) -> NDArray[np.float64]:
    """Returns moves (468, 3) of the whole face that go along with the inner lips'; the mouth's corners stay.

    Args:
        face: The face.
        upper_moves: (11, 3), of the upper lip's inner contour.
        lower_moves: (11, 3), of the lower lip's.
        reach: Face widths over which skin above and below goes along.
    """
    points = face.points
    upper, lower = np.array(LIP_INNER_UPPER), np.array(LIP_INNER_LOWER)
    across = points @ face.right
    seam = face.seam()
    columns = seam @ face.right
    below = (points @ face.up) < np.interp(across, columns, seam @ face.up)
    below[upper] = False
    below[lower] = True
    beyond = np.clip(np.maximum(columns[0] - across, across - columns[-1]), 0.0, None)
    sideways = np.exp(-((beyond / (0.08 * face.width)) ** 2))
    offsets = np.zeros_like(points)
    for mask, contour, move, far in ((below, lower, lower_moves, reach[1]), (~below, upper, upper_moves, reach[0])):
        near = np.linalg.norm(points[mask, None, :2] - points[None, contour, :2], axis=-1).min(1)
        fade = np.exp(-((near / (far * face.width)) ** 2)) * sideways[mask]
        order = np.argsort(across[contour])
        profile = [np.interp(across[mask], across[contour][order], move[order, axis]) for axis in range(3)]
        offsets[mask] = np.stack(profile, 1) * fade[:, None]
    offsets[upper] = upper_moves
    offsets[lower] = lower_moves
    offsets[list(_CORNERS)] = 0.0
    return offsets
