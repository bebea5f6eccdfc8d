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
_HALF_SPLIT = 0.4
"""Pixels between the seam and each lip's contour."""
_LOWER_SHARE = 0.7
"""Part of an open mouth's gap that the lower lip closes; the upper lip closes the rest."""
_CORNERS = (78, 308)


def snap_to_seam(face: Face, luminance: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns the points (468, 3) of a face with closed lips, inner contours moved onto the dark line between the lips.

    The line is the cheapest path (Viterbi) through darkness across offsets from the landmarks' middle line.

    Args:
        face: The face.
        luminance: float32 (size, size), the picture.
    """
    middle = face.picture(face.seam())
    chord = middle[-1] - middle[0]
    normal = np.array([-chord[1], chord[0]]) / np.linalg.norm(chord)
    along = np.linspace(0.0, 1.0, 41)
    knots = np.linspace(0.0, 1.0, len(middle))
    line = np.stack([np.interp(along, knots, middle[:, axis]) for axis in (0, 1)], 1)
    offsets = np.linspace(-_REACH, _REACH, 25) * face.width
    dark = sampled(blurred(luminance, 1.0), line[:, None] + offsets[None, :, None] * normal).astype(np.float64)
    cost = dark / max(float(dark.std()), 1e-3) + 0.9 * (offsets / (0.016 * face.width)) ** 2
    step = (np.subtract.outer(offsets, offsets) / (0.006 * face.width)) ** 2
    path = offsets[cheapest_path(cost, step)]
    shift = np.interp(knots, along, gaussian_filter1d(path, 1.5))
    seam = middle + shift[:, None] * normal

    points = face.points.copy()
    for contour, side in ((LIP_INNER_UPPER, -1.0), (LIP_INNER_LOWER, 1.0)):
        points[list(contour[1:-1]), :2] = (seam[1:-1] + side * _HALF_SPLIT * normal) * [1.0, -1.0]
    points[list(_CORNERS), :2] = seam[[0, -1]] * [1.0, -1.0]
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
