"""Moves of the whole face that follow from where the lips' contours should go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from avatar.portrait.topology import LIP_INNER_LOWER, LIP_INNER_UPPER, LIP_OUTER_LOWER, LIP_OUTER_UPPER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatar.render.face import Face

_UPPER, _LOWER = list(LIP_INNER_UPPER), list(LIP_INNER_LOWER)
_REDS: Final = ((_UPPER, list(LIP_OUTER_UPPER)), (_LOWER, list(LIP_OUTER_LOWER)))
_BESIDE: Final = 0.06
"""Face widths beyond the mouth's corners over which what rises or falls between them fades."""


class Lips(NamedTuple):
    """A number for each point of the lips' contours, from the picture's left to its right.

    Attributes:
        outer_upper: float64 (11,), of the upper lip's outer contour.
        inner_upper: float64 (11,), of its inner one.
        inner_lower: float64 (11,).
        outer_lower: float64 (11,).
    """

    outer_upper: NDArray[np.float64]
    inner_upper: NDArray[np.float64]
    inner_lower: NDArray[np.float64]
    outer_lower: NDArray[np.float64]


def risen(face: Face, rises: Lips, reach: tuple[float, float]) -> NDArray[np.float64]:
    """Returns moves (468, 3) that take the contours up by `rises` pixels, the red between them and the skin along.

    Args:
        face: The face.
        rises: How far up.
        reach: Face widths over which skin above and below goes along.
    """
    across, height = face.points @ face.right, face.points @ face.up
    below = below_seam(face)
    rise = np.zeros(len(face.points))
    sides = ((~below, rises.inner_upper, rises.outer_upper), (below, rises.inner_lower, rises.outer_lower))
    for (mask, at_edge, at_rim), (inner, outer), far in zip(sides, _REDS, reach, strict=True):
        columns = across[mask]
        edge, edge_rise = (np.interp(columns, across[inner], values) for values in (height[inner], at_edge))
        rim, rim_rise = (np.interp(columns, across[outer], values) for values in (height[outer], at_rim))
        way = rim - edge
        share = np.clip((height[mask] - edge) / np.where(np.abs(way) < 1e-3, 1e-3, way), 0, 1)
        away = np.maximum((height[mask] - rim) * (1 if inner is _UPPER else -1), 0) / (far * face.width)
        rise[mask] = (edge_rise + share * (rim_rise - edge_rise)) * np.exp(-(away**2))
        rise[inner], rise[outer] = at_edge, at_rim
    beyond = np.maximum(np.maximum(across[61] - across, across - across[291]), 0) / (_BESIDE * face.width)
    return (rise * np.exp(-(beyond**2)))[:, None] * face.up


def narrowed(face: Face, reach: float) -> NDArray[np.float64]:
    """Returns what would bring the lips' points to the mouth's middle, and skin around some of the way: (468, 3).

    Args:
        face: The face.
        reach: Face widths from the lips over which skin goes along.
    """
    across = face.points @ face.right
    middle = 0.5 * (across[78] + across[308])
    return ((middle - across) * near_lips(face, reach))[:, None] * face.right


def near_lips(face: Face, reach: float) -> NDArray[np.float64]:
    """Returns 1 on the lips and less around them (468,), by a factor of e in `reach` face widths."""
    across, height = face.points @ face.right, face.points @ face.up
    above = height - np.interp(across, across[list(LIP_OUTER_UPPER)], height[list(LIP_OUTER_UPPER)])
    under = np.interp(across, across[list(LIP_OUTER_LOWER)], height[list(LIP_OUTER_LOWER)]) - height
    beside = np.maximum(across[61] - across, across - across[291])
    apart = np.hypot(np.maximum(np.maximum(above, under), 0), np.maximum(beside, 0)) / face.width
    return np.exp(-((apart / reach) ** 2))


def near_corners(face: Face) -> NDArray[np.float64]:
    """Returns 1 at the mouth's corners, less around them (468,)."""
    corners = face.points[[78, 308]]
    apart = np.linalg.norm(face.points[:, None, :2] - corners[None, :, :2], axis=-1) / face.width
    return np.exp(-((apart / 0.11) ** 2)).max(1)


def below_seam(face: Face) -> NDArray[np.bool_]:
    """Returns which points lie below the line between the lips, those of the lower lip among them (468,)."""
    seam = face.seam()
    below = face.points @ face.up < np.interp(face.points @ face.right, seam @ face.right, seam @ face.up)
    below[_UPPER] = False
    below[_LOWER] = True
    return below
